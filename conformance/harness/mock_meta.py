"""Meta's Cloud API as a WhatsApp route meets it: messages, templates, signed callbacks.

Shapes stand in the suite `providers` under the eyes of pywa and whatsapp-api-js, which were written
by others against the real one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from typing import Any

import httpx

from .listener import Call, Listener, Reply
from .wait import PATIENCE

VERSION = "v23.0"
NUMBER_ID = "106540352242922"
NUMBER = "40700000001"
ACCOUNT = "102290129340398"
TOKEN = "EAAconformance"
APP_SECRET = "conformance-app-secret"
VERIFY_TOKEN = "conformance-verify-token"


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    """What Meta puts into `X-Hub-Signature-256`."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def user_id(digits: str) -> str:
    """Meta's own name of a person, within one business."""
    return f"RO.{digits}01"


def _error(code: int, words: str, status: int = 400) -> Reply:
    return Reply.json(
        {
            "error": {
                "message": f"(#{code}) {words}",
                "type": "OAuthException",
                "code": code,
                "error_data": {"messaging_product": "whatsapp", "details": words},
                "fbtrace_id": "Conformance",
            }
        },
        status,
    )


class Meta:
    """One app with one business account and one number. `now` is the time that it writes."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._serial = 0
        self._errors: list[Reply] = []
        self._templates: list[dict[str, Any]] = []
        #: Where callbacks go: the URL that an operator would enter at Meta.
        self.hook = ""
        #: The states that each accepted message takes by itself.
        self.progress: tuple[str, ...] = ("sent", "delivered")
        #: What it accepted, with `wamid` beside what came.
        self.messages: list[dict[str, Any]] = []
        #: Message ids that were marked as read, with what stood beside.
        self.marked: list[dict[str, Any]] = []
        self.listener = Listener(self._answer)

    @property
    def base_url(self) -> str:
        """What a route has as its `base_url`."""
        return f"{self.listener.url}/{VERSION}"

    def route(self, route: str = "wa") -> str:
        """The `[[route]]` to it."""
        return f"""
[[route]]
id = "{route}"
channel = "whatsapp"
provider = "whatsapp"
prices = [{{ prefix = "*", price = "0.01", per = "message" }}]

[route.whatsapp]
phone_number_id = "{NUMBER_ID}"
waba_id = "{ACCOUNT}"
access_token = "{TOKEN}"
app_secret = "{APP_SECRET}"
verify_token = "{VERIFY_TOKEN}"
base_url = "{self.base_url}"
"""

    def refuse(self, code: int, words: str = "Refused", status: int = 400) -> None:
        """Answers the next message so."""
        with self._lock:
            self._errors.append(_error(code, words, status))

    def sent_to(self, number: str, count: int = 1) -> list[dict[str, Any]]:
        """What was accepted for this number, once there is so much of it."""
        digits = number.removeprefix("+")
        self.listener.wait(
            f"message to {number} at Meta",
            lambda it: it.path.endswith("/messages") and it.json().get("to") == digits,
            count,
        )
        return [it for it in self.messages if it.get("to") == digits]

    # What Meta tells.

    def call(self, field: str, value: dict[str, Any], **headers: str) -> httpx.Response:
        """Makes a callback, signed over its bytes."""
        octets = self.callback(field, value)
        sent = {"Content-Type": "application/json", "X-Hub-Signature-256": signature(octets), **headers}
        return httpx.post(self.hook, content=octets, headers=sent, timeout=PATIENCE, trust_env=False)

    def callback(self, field: str, value: dict[str, Any]) -> bytes:
        """The body of a callback."""
        entry: dict[str, Any] = {"id": ACCOUNT, "changes": [{"field": field, "value": value}]}
        if field != "messages":
            entry["time"] = int(self._now())
        # Meta escapes what is not ASCII, so whoever reads and writes anew before he verifies fails.
        return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}, separators=(",", ":")).encode()

    def inbound(self, sender: str, text: str, *, name: str = "Sheena", **fields: Any) -> str:
        """A person writes; the id of their message. `fields` replace those of a text."""
        wamid = self._wamid("HBgI")
        value = self.inbound_value(sender, wamid, {"type": "text", "text": {"body": text}, **fields}, name)
        answer = self.call("messages", value)
        assert answer.status_code == 200, answer.text
        return wamid

    def inbound_value(self, sender: str, wamid: str, message: dict[str, Any], name: str) -> dict[str, Any]:
        """What a callback says of a message from a person."""
        digits = sender.removeprefix("+")
        head = {"from": digits, "from_user_id": user_id(digits), "id": wamid, "timestamp": str(int(self._now()))}
        return {
            **self._value(),
            "contacts": [{"profile": {"name": name}, "wa_id": digits, "user_id": user_id(digits)}],
            "messages": [{**head, **message}],
        }

    def status(self, wamid: str, status: str, errors: list[dict[str, Any]] | None = None) -> httpx.Response:
        """Tells what became of a message."""
        return self.call("messages", self.status_value(wamid, status, errors))

    def status_value(self, wamid: str, status: str, errors: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """What a callback says of one of our messages."""
        message = next(it for it in self.messages if it["wamid"] == wamid)
        digits = message["to"].removeprefix("+")
        told: dict[str, Any] = {
            "id": wamid, "status": status, "timestamp": str(int(self._now())),
            "recipient_id": digits, "recipient_user_id": user_id(digits),
        }
        if "biz_opaque_callback_data" in message:
            told["biz_opaque_callback_data"] = message["biz_opaque_callback_data"]
        if errors:
            told["errors"] = errors
        elif status != "read":
            kind = "utility" if message["type"] == "template" else "service"
            told["pricing"] = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": kind}
        return {**self._value(), "contacts": [{"wa_id": digits, "user_id": user_id(digits)}], "statuses": [told]}

    def approve(self, name: str, event: str = "APPROVED", reason: str = "NONE") -> None:
        """Decides on a template, and tells of it."""
        template = next(it for it in self._templates if it["name"] == name)
        template["status"] = event
        answer = self.call("message_template_status_update", self.decision_value(template, event, reason))
        assert answer.status_code == 200, answer.text

    def decision_value(self, template: dict[str, Any], event: str, reason: str) -> dict[str, Any]:
        """What a callback says of a template."""
        return {
            "event": event,
            "message_template_id": int(template["id"]),
            "message_template_name": template["name"],
            "message_template_language": template["language"],
            "message_template_category": template["category"],
            "reason": reason,
        }

    def add_template(self, name: str, body: str, language: str = "en", category: str = "UTILITY") -> None:
        """A template that was made and approved at Meta."""
        components = [{"type": "BODY", "text": body}]
        with self._lock:
            self._templates.append(
                {"id": self._number(), "name": name, "language": language, "category": category,
                 "status": "APPROVED", "parameter_format": "POSITIONAL", "components": components}
            )

    @property
    def templates(self) -> list[dict[str, Any]]:
        """What templates it has."""
        return list(self._templates)

    def close(self) -> None:
        """Ends it."""
        self.listener.close()

    # What Meta answers.

    def _answer(self, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(190, "Invalid OAuth access token", 401)
        match (call.method, call.path.removeprefix(f"/{VERSION}/").split("/")):
            case ("GET", [it]) if it == NUMBER_ID:
                return Reply.json({"id": NUMBER_ID, "display_phone_number": NUMBER, "verified_name": "Conformance"})
            case ("POST", [it, "messages"]) if it == NUMBER_ID:
                return self._message(call.json())
            case ("POST", [it, "message_templates"]) if it == ACCOUNT:
                return self._template(call.json())
            case ("GET", [it, "message_templates"]) if it == ACCOUNT:
                return self._page(call.query)
            case _:
                return _error(100, f"Unsupported request: {call.method} {call.path}")

    def _message(self, body: dict[str, Any]) -> Reply:
        if body.get("messaging_product") != "whatsapp":
            return _error(100, "The parameter messaging_product is required")
        if body.get("status") == "read":
            self.marked.append(body)
            return Reply.json({"success": True})
        with self._lock:
            if self._errors:
                return self._errors.pop(0)
        kind = body.get("type")
        if not (body.get("to") or body.get("recipient")) or not isinstance(body.get(str(kind)), dict | list):
            return _error(131008, "A required parameter is missing")
        wamid = self._wamid("HBgL")
        self.messages.append({**body, "wamid": wamid})
        if self.hook and self.progress:
            threading.Thread(target=self._follow, args=(wamid, self.progress), daemon=True).start()
        to = body.get("to", "")
        # The recipient's id has never a plus; the input is given back as it came.
        digits = to.removeprefix("+")
        contact = {"input": to, "wa_id": digits, "user_id": user_id(digits)}
        return Reply.json(
            {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": wamid, "message_status": "accepted"}]}
        )

    def _follow(self, wamid: str, progress: tuple[str, ...]) -> None:
        for status in progress:
            try:
                self.status(wamid, status)
            except httpx.HTTPError:
                return

    def _template(self, body: dict[str, Any]) -> Reply:
        name, language = body.get("name"), body.get("language")
        if not (name and language and body.get("category") and body.get("components")):
            return _error(100, "Invalid parameter")
        with self._lock:
            if any((it["name"], it["language"]) == (name, language) for it in self._templates):
                return _error(100, "Content in this language already exists")
            fresh = {"id": self._number(), "parameter_format": "POSITIONAL", **body, "status": "PENDING"}
            self._templates.append(fresh)
        return Reply.json({"id": fresh["id"], "status": "PENDING", "category": body["category"]})

    def _page(self, query: dict[str, str]) -> Reply:
        """Two a page, so that whoever does not turn pages is found out."""
        first = int(query.get("after", "0"))
        found = self._templates[first : first + 2]
        paging: dict[str, Any] = {"cursors": {"before": str(first), "after": str(first + len(found))}}
        if first + 2 < len(self._templates):
            paging["next"] = f"{self.base_url}/{ACCOUNT}/message_templates?after={first + 2}"
        summary = {
            "total_count": len(self._templates), "message_template_count": len(self._templates),
            "message_template_limit": 6000, "are_translations_complete": True,
        }
        return Reply.json({"data": found, "paging": paging, **({"summary": summary} if "summary" in query else {})})

    def _value(self) -> dict[str, Any]:
        metadata = {"display_phone_number": NUMBER, "phone_number_id": NUMBER_ID}
        return {"messaging_product": "whatsapp", "metadata": metadata}

    def _number(self) -> str:
        self._serial += 1
        return f"59412543276{self._serial:04}"

    def _wamid(self, head: str) -> str:
        with self._lock:
            return f"wamid.{head}{self._number()}AA=="
