"""A proxy that gives the SDK's own tests real ids (docs/adr/0010-conformance-proxy.md).

The tests were written for a mock without memory: every message is named `messageId`. This proxy
replaces such dummies in path, query, headers and body by the ids of rows, which it makes through
the server's own API before the call. Nothing else is touched: answers pass as they are.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from harness.api import Api
from harness.server import TEST_KEY

#: Headers of one connection, which a proxy does not pass on.
_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "content-length"}
#: Senders that bodies name, and numbers that they give to us.
_SENDERS = {"sender_abc123", "sender_12345"}
_OWN_NUMBERS = {"phoneNumber", "+15551234567"}


class Rows:
    """Rows that stand in for the dummies; those that a call destroys or fills are made anew for each."""

    def __init__(self, url: str, key: str, sender: str, heard: str) -> None:
        self.api = Api(url, key)
        self.heard = heard
        self.sender_of_heard = str(self.api.message(heard)["senderId"])
        self.sender = sender
        self._lock = threading.Lock()
        self._number = 0
        self.message = self.api.send(self.phone())["message"]["id"]
        self.phone_of_message = self.api.message(self.message)["to"]
        second = self.api.send(self.phone())["message"]["id"]
        assert second != self.message
        contact = self.contact()
        self.shared_contact, self.shared_phone = contact["id"], contact["primaryPhone"]
        self.contact()
        self.shared_sender = self.fresh_sender()
        self.shared_number = self.fresh_number()
        self.shared_template = self.template()
        self.template()
        # Two messages in the thread, and a second thread: a list of each has a second page.
        person = self.phone()
        for writer in (person, person, self.phone()):
            # People can be made up with a test key only.
            Api(url, TEST_KEY).inbound(writer, "A question", "sms")
        [thread] = self.api.get("/v1/conversations", search=person)["items"]
        self.conversation = thread["id"]

    def number(self) -> int:
        """A number that was not used before."""
        with self._lock:
            self._number += 1
            return self._number

    def phone(self) -> str:
        """A phone number that no contact has."""
        return f"+1415555{self.number():04}"

    def contact(self) -> Any:
        """A fresh contact with two channels, the second neither primary nor the last."""
        channels = [{"channel": "sms", "identifier": self.phone()}, {"channel": "email", "identifier": self.email()}]
        return self.api.post("/v1/contacts", {"channels": channels})

    def email(self) -> str:
        """An e-mail address that no contact has."""
        return f"john.work{self.number()}@company.com"

    def fresh_sender(self) -> str:
        """A sender with a webhook, which can be removed."""
        body = {"name": "Fresh", "webhookUrl": "https://example.com", "webhookEvents": ["message.queued"]}
        return str(self.api.post("/v1/senders", body)["id"])

    def own_phone(self) -> str:
        """A phone number that is not ours yet."""
        return f"+4070001{self.number():04}"

    def fresh_number(self) -> str:
        """A phone number that is ours and that nobody uses."""
        return str(self.api.post("/v1/phone-numbers", {"phoneNumber": self.own_phone()})["phoneNumber"]["id"])

    def template(self) -> str:
        """A draft."""
        body = {"name": f"draft_{self.number()}", "language": "en", "body": "Hi {{1}}"}
        return str(self.api.post("/v1/templates", body)["id"])

    def cursor(self, path: str) -> str:
        """The cursor of a list's first page."""
        return str(self.api.get(path, limit=1)["nextCursor"])


class Substitution:
    """Replaces the dummies of one request, and notes what it replaced."""

    def __init__(self, rows: Rows, seen: Counter[str]) -> None:
        self._rows = rows
        self._seen = seen
        #: By resource: the dummy, what it stands for, the row that calls share, and what makes another.
        self._kept = {
            "senders": ("senderId", "a sender", rows.shared_sender, rows.fresh_sender),
            "templates": ("templateId", "a draft", rows.shared_template, rows.template),
            "phone-numbers": ("phoneNumberId", "a number of ours", rows.shared_number, rows.fresh_number),
        }

    def note(self, dummy: str, place: str, by: str) -> None:
        """Counts one replacement for the table."""
        self._seen[f"{dummy} in the {place} -> {by}"] += 1

    def path(self, method: str, path: str) -> str:
        """The path with real ids."""
        parts = path.split("/")[1:]
        if parts[:1] != ["v1"] or len(parts) < 3:
            return path
        if parts[1:3] == ["messages", "messageId"] and parts[3:] and method == "POST":
            # A reaction and the sign that somebody types are answers to what a person wrote.
            self.note("messageId", "path", "a message from a person on WhatsApp")
            parts[2] = self._rows.heard
        elif parts[1:3] == ["messages", "messageId"]:
            self.note("messageId", "path", "a sent message")
            parts[2] = self._rows.message
        elif parts[1:4] == ["contacts", "phone", "phoneNumber"]:
            self.note("phoneNumber", "path", "the number of a contact")
            parts[3] = self._rows.shared_phone
        elif parts[1] == "contacts" and parts[2] == "contactId":
            # Reading and changing may share a contact; adding, removing and merging may not.
            if len(parts) == 3 and method in ("GET", "PATCH"):
                self.note("contactId", "path", "a contact")
                parts[2] = self._rows.shared_contact
            else:
                self.note("contactId", "path", "a contact made for the call")
                contact = self._rows.contact()
                parts[2] = contact["id"]
                if parts[4:5] == ["channelId"]:
                    self.note("channelId", "path", "the second channel of that contact")
                    parts[4] = contact["channels"][1]["id"]
        elif parts[1] == "conversations" and parts[2] == "conversationId":
            self.note("conversationId", "path", "a thread with two messages")
            parts[2] = self._rows.conversation
        elif parts[1] in self._kept and parts[2] == self._kept[parts[1]][0]:
            dummy, what, shared, fresh = self._kept[parts[1]]
            # Only removing it, and giving a template to a provider, need one of their own.
            if method == "DELETE" or parts[3:] == ["submit"]:
                self.note(dummy, "path", f"{what} made for the call")
                parts[2] = fresh()
            else:
                self.note(dummy, "path", what)
                parts[2] = shared
        return "/" + "/".join(parts)

    def query(self, path: str, query: str) -> str:
        """The query with real values."""
        if not query:
            return query
        pairs = []
        for name, value in parse_qsl(query, keep_blank_values=True):
            if (name, value) == ("cursor", "cursor"):
                self.note("cursor", "query", "the cursor of the list's first page")
                value = self._rows.cursor(path)
            elif (name, value) == ("to", "to"):
                self.note("to", "query", "the recipient of a sent message")
                value = self._rows.phone_of_message
            elif (name, value) == ("phoneNumber", "phoneNumber"):
                self.note("phoneNumber", "query", "the number of a contact")
                value = self._rows.shared_phone
            elif (name, value) == ("senderId", "senderId"):
                self.note("senderId", "query", "the configured sender")
                value = self._rows.sender
            pairs.append((name, value))
        return urlencode(pairs)

    def headers(self, path: str, headers: dict[str, str]) -> dict[str, str]:
        """The headers with real ids."""
        heard = f"/v1/messages/{self._rows.heard}/"
        for name in headers:
            if name.lower() == "zavu-sender" and headers[name] == "sender_12345":
                is_answer = path.startswith(heard)
                who = "the sender that the person wrote to" if is_answer else "the configured sender"
                self.note("sender_12345", "header Zavu-Sender", who)
                headers[name] = self._rows.sender_of_heard if is_answer else self._rows.sender
        return headers

    def body(self, method: str, path: str, body: bytes) -> bytes:
        """The body with real ids, and with addresses and numbers that nobody has yet."""
        if not body:
            return body
        fields = json.loads(body)
        resource = path.split("/")[2]
        if resource == "templates" and fields.get("senderId") in _SENDERS:
            self.note(fields["senderId"], "body", "the configured sender")
            fields["senderId"] = self._rows.sender
        if resource == "phone-numbers" and fields.get("senderId") == "senderId":
            self.note("senderId", "body", "a sender")
            fields["senderId"] = self._rows.shared_sender
        content = fields.get("content")
        if resource == "messages" and isinstance(content, dict) and content.get("templateId") == "templateId":
            self.note("templateId", "body", "a draft")
            content["templateId"] = self._rows.shared_template
        if resource in ("phone-numbers", "senders") and fields.get("phoneNumber") in _OWN_NUMBERS:
            self.note(fields["phoneNumber"], "body", "a number that is not ours yet")
            fields["phoneNumber"] = self._rows.own_phone()
        if resource == "contacts" and method == "POST":
            self._contact(fields)
        return json.dumps(fields).encode()

    def _contact(self, fields: dict[str, Any]) -> None:
        """Gives a contact addresses that no other has yet."""
        if fields.get("sourceContactId") == "jx7xyz789":
            self.note("jx7xyz789", "body", "a contact made for the call")
            fields["sourceContactId"] = self._rows.contact()["id"]
        if fields.get("identifier") == "john.work@company.com":
            self.note("john.work@company.com", "body", "an address that no contact has")
            fields["identifier"] = self._rows.email()
        for channel in fields.get("channels", []):
            if channel.get("identifier") == "+14155551234":
                self.note("+14155551234", "body", "a number that no contact has")
                channel["identifier"] = self._rows.phone()


def handler(upstream: str, substitution: Substitution) -> type[BaseHTTPRequestHandler]:
    """A handler that passes each request on, with its dummies replaced."""
    host = urlsplit(upstream).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _pass(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = substitution.path(self.command, url.path)
            query = substitution.query(path, url.query)
            body = substitution.body(self.command, url.path, body)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
            target = f"{path}?{query}" if query else path
            # A connection for each request: one that is kept may be closed by the server at any time.
            with closing(http.client.HTTPConnection(host, timeout=60)) as upstream:
                upstream.request(self.command, target, body or None, substitution.headers(path, headers))
                answer = upstream.getresponse()
                content = answer.read()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _pass

        def log_message(self, *_: object) -> None:
            """Says nothing: the tests tell what went wrong."""

    return Handler


def serve(upstream: str, key: str, sender: str, heard: str) -> tuple[str, Callable[[], Counter[str]]]:
    """Starts the proxy on a free port. `sender` is a configured one, `heard` a message from a person on
    WhatsApp. Its URL, and what ends it and gives the table."""
    seen: Counter[str] = Counter()
    substitution = Substitution(Rows(upstream, key, sender, heard), seen)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(upstream, substitution))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop() -> Counter[str]:
        server.shutdown()
        server.server_close()
        return seen

    return f"http://127.0.0.1:{server.server_address[1]}", stop
