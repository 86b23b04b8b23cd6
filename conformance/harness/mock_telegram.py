"""Telegram's Bot API as a route meets it: calls with a token in the path, and updates that are called in.

The suite `providers` looks at it with python-telegram-bot, which was written against the real one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx

from .listener import Call, Listener, Reply
from .wait import PATIENCE

TOKEN = "123456789:AAconformance-token_0123456789abcdef"
BOT = {"id": 123456789, "is_bot": True, "first_name": "Acme", "username": "acme_bot"}


def _error(code: int, words: str, **parameters: int) -> Reply:
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": words}
    return Reply.json({**body, **({"parameters": parameters} if parameters else {})}, code)


class Telegram:
    """One bot. `now` is the time that it writes."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._serial = 0
        self._errors: list[Reply] = []
        #: Where updates go and with which secret, as the bot registered it.
        self.hook: dict[str, Any] = {}
        #: What was sent, with `message_id` beside what came.
        self.messages: list[dict[str, Any]] = []
        self.listener = Listener(self._answer)

    def route(self, route: str = "tg") -> str:
        """The `[[route]]` to it."""
        return f"""
[[route]]
id = "{route}"
channel = "telegram"
provider = "telegram"
receipts = false
prices = [{{ prefix = "*", price = "0", per = "message" }}]

[route.telegram]
bot_token = "{TOKEN}"
base_url = "{self.listener.url}"
"""

    def refuse(self, code: int, words: str, **parameters: int) -> None:
        """Answers the next message so."""
        with self._lock:
            self._errors.append(_error(code, words, **parameters))

    def update(self, **fields: Any) -> dict[str, Any]:
        """Something that happened, such as a `message`."""
        return {"update_id": self._number(), **fields}

    def message(self, chat: int, text: str, name: str = "Ana") -> dict[str, Any]:
        """A message from a person, in their private chat."""
        person = {"id": chat, "is_bot": False, "first_name": name, "language_code": "ro"}
        return {
            "message_id": self._number(),
            "date": int(self._now()),
            "chat": {"id": chat, "type": "private", "first_name": name},
            "from": person,
            "text": text,
        }

    def tell(self, update: dict[str, Any], secret: str | None = None) -> httpx.Response:
        """Calls the hook, with its secret or another."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.hook["secret_token"] if secret is None else secret}
        return httpx.post(self.hook["url"], json=update, headers=headers, timeout=PATIENCE, trust_env=False)

    def close(self) -> None:
        """Ends it."""
        self.listener.close()

    def _answer(self, call: Call) -> Reply:
        if not call.path.startswith(f"/bot{TOKEN}/"):
            return _error(401, "Unauthorized")
        if call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            fields: dict[str, Any] = dict(call.form())
        else:
            fields = call.json() if call.body else {}
        match call.path.rsplit("/", 1)[1]:
            case "getMe":
                return Reply.json({"ok": True, "result": BOT})
            case "setWebhook":
                self.hook = fields
                return Reply.json({"ok": True, "result": True, "description": "Webhook was set"})
            case "sendMessage":
                return self._send(fields)
            case "sendPhoto" | "sendDocument" | "answerCallbackQuery" as method:
                return self._send({"text": None, **fields, "method": method})
            case method:
                return _error(404, f"Not Found: {method}")

    def _send(self, fields: dict[str, Any]) -> Reply:
        with self._lock:
            if self._errors:
                return self._errors.pop(0)
        if "chat_id" not in fields:
            return _error(400, "Bad Request: chat_id is empty")
        chat = int(fields["chat_id"])
        sent = {**fields, "message_id": self._number()}
        self.messages.append(sent)
        result = {
            "message_id": sent["message_id"], "date": int(self._now()), "from": BOT,
            "chat": {"id": chat, "type": "private", "first_name": "Ana"}, "text": fields.get("text") or "",
        }
        return Reply.json({"ok": True, "result": result})

    def _number(self) -> int:
        with self._lock:
            self._serial += 1
            return self._serial
