"""Twilio's Messages API as a route meets it: submissions as forms, signed callbacks as forms.

The signature is made here with the standard library; the suite `providers` holds it against the
validator of Twilio's own package.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from email.utils import formatdate
from typing import Any

import httpx

from .listener import Call, Listener, Reply
from .wait import PATIENCE

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "conformance-auth-token"
API = "2010-04-01"


def signature(url: str, form: dict[str, str], token: str = TOKEN) -> str:
    """What Twilio puts into `X-Twilio-Signature`."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def _error(code: int, words: str, status: int) -> Reply:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Reply.json({"code": code, "message": words, "more_info": more, "status": status}, status)


class Twilio:
    """One account."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._serial = 0
        self._errors: list[Reply] = []
        #: Where inbound messages go: the URL that an operator would enter in the console.
        self.hook = ""
        #: The states that each accepted message takes by itself.
        self.progress: tuple[str, ...] = ("sent", "delivered")
        #: What it accepted, with `sid` beside what came.
        self.messages: list[dict[str, str]] = []
        #: What people sent: by path, its type and its bytes.
        self.media: dict[str, tuple[str, bytes]] = {}
        self.listener = Listener(self._answer)

    def route(self, route: str = "tw", channel: str = "sms", settings: str = "", mms: str | None = None) -> str:
        """The `[[route]]` to it; `mms` is what one costs, where the route carries media."""
        media = f'\nmms = true\nprices = [{{ prefix = "*", price = "0.05", mms = "{mms}" }}]'
        texts = '\nprices = [{ prefix = "*", price = "0.05" }]'
        return f"""
[[route]]
id = "{route}"
channel = "{channel}"
class = "platform"
provider = "twilio"{texts if mms is None else media}

[route.twilio]
account_sid = "{ACCOUNT}"
auth_token = "{TOKEN}"
base_url = "{self.listener.url}"
{settings}
"""

    def refuse(self, code: int, words: str = "Refused", status: int = 400) -> None:
        """Answers the next message so."""
        with self._lock:
            self._errors.append(_error(code, words, status))

    def sent_to(self, number: str, count: int = 1) -> list[dict[str, str]]:
        """What was accepted for this number, once there is so much of it."""
        self.listener.wait(
            f"message to {number} at Twilio",
            lambda it: it.path.endswith("/Messages.json") and it.form().get("To") == number,
            count,
        )
        return [it for it in self.messages if it["To"] == number]

    # What Twilio tells.

    def call(self, url: str, form: dict[str, str], signed: str | None = None) -> httpx.Response:
        """Makes a callback, with its signature or another."""
        headers = {"X-Twilio-Signature": signature(url, form) if signed is None else signed}
        return httpx.post(url, data=form, headers=headers, timeout=PATIENCE, trust_env=False)

    def inbound(self, sender: str, to: str, text: str, **fields: str) -> str:
        """A person writes; the id of their message."""
        form = self.inbound_form(sender, to, text, **fields)
        answer = self.call(self.hook, form)
        assert answer.is_success, answer.text
        return form["MessageSid"]

    def keep(self, kind: str, content: bytes) -> dict[str, str]:
        """Keeps a medium that a person sends: the fields that tell of it."""
        path = f"/Messages/{self._sid()}/Media/ME{len(self.media):032x}"
        self.media[path] = (kind, content)
        url = f"{self.listener.url}/{API}/Accounts/{ACCOUNT}{path}"
        return {"NumMedia": "1", "MediaUrl0": url, "MediaContentType0": kind}

    def inbound_form(self, sender: str, to: str, text: str, **fields: str) -> dict[str, str]:
        """What a callback says of a message from a person."""
        sid = self._sid()
        return {
            "MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "AccountSid": ACCOUNT, "From": sender, "To": to,
            "Body": text, "NumMedia": "0", "NumSegments": "1", "SmsStatus": "received", "ApiVersion": API,
            "FromCountry": "RO", **fields,
        }

    def status(self, sid: str, status: str, **fields: str) -> httpx.Response:
        """Tells what became of a message, where its submission said."""
        message = next(it for it in self.messages if it["sid"] == sid)
        form = {
            "MessageSid": sid, "SmsSid": sid, "AccountSid": ACCOUNT, "MessageStatus": status, "SmsStatus": status,
            "To": message["To"], "From": message.get("From", ""), "ApiVersion": API, **fields,
        }
        # What stands behind a hash is for Twilio, not for the server.
        return self.call(message["StatusCallback"].split("#")[0], form)

    def close(self) -> None:
        """Ends it."""
        self.listener.close()

    # What Twilio answers.

    def _answer(self, call: Call) -> Reply:
        expected = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if call.headers.get("authorization") != f"Basic {expected}":
            return _error(20003, "Authenticate", 401)
        account = f"/{API}/Accounts/{ACCOUNT}"
        match (call.method, call.path.removeprefix(account)):
            case ("GET", ".json"):
                return Reply.json({"sid": ACCOUNT, "status": "active", "friendly_name": "Conformance"})
            case ("POST", "/Messages.json"):
                return self._message(call.form())
            case ("GET", path) if path in self.media:
                kind, content = self.media[path]
                return Reply(200, content, {"Content-Type": kind})
            case ("GET", path) if path.startswith("/Messages/"):
                sid = path.removeprefix("/Messages/").removesuffix(".json")
                found = next((it for it in self.messages if it["sid"] == sid), None)
                return Reply.json(self._shown(found)) if found else _error(20404, "Not found", 404)
            case _:
                return _error(20404, f"The requested resource {call.path} was not found", 404)

    def _message(self, form: dict[str, str]) -> Reply:
        with self._lock:
            if self._errors:
                return self._errors.pop(0)
        if "To" not in form:
            return _error(21604, "A 'To' phone number is required.", 400)
        if not ("From" in form or "MessagingServiceSid" in form):
            return _error(21603, "A 'From' phone number is required.", 400)
        if not any(it in form for it in ("Body", "MediaUrl", "ContentSid")):
            return _error(21602, "Message body is required.", 400)
        message = {**form, "sid": self._sid()}
        self.messages.append(message)
        if "StatusCallback" in form and self.progress:
            threading.Thread(target=self._follow, args=(message["sid"], self.progress), daemon=True).start()
        return Reply.json(self._shown(message), 201)

    def _shown(self, message: dict[str, str]) -> dict[str, Any]:
        now = formatdate(usegmt=False)
        sid = message["sid"]
        return {
            "account_sid": ACCOUNT, "api_version": API, "body": message.get("Body", ""), "date_created": now,
            "date_sent": None, "date_updated": now, "direction": "outbound-api", "error_code": None,
            "error_message": None, "from": message.get("From"), "messaging_service_sid": message.get("MessagingServiceSid"),
            "num_media": "1" if "MediaUrl" in message else "0", "num_segments": "1", "price": None, "price_unit": "USD", "sid": sid, "status": "queued",
            "subresource_uris": {"media": f"/{API}/Accounts/{ACCOUNT}/Messages/{sid}/Media.json"}, "to": message["To"],
            "uri": f"/{API}/Accounts/{ACCOUNT}/Messages/{sid}.json",
        }

    def _follow(self, sid: str, progress: tuple[str, ...]) -> None:
        for status in progress:
            try:
                self.status(sid, status)
            except httpx.HTTPError:
                return

    def _sid(self) -> str:
        with self._lock:
            self._serial += 1
            return f"SM{self._serial:032x}"
