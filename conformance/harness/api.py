"""Plain HTTP to the server, for what no SDK can say."""

from __future__ import annotations

from typing import Any

import httpx

from .server import TEST_KEY
from .wait import PATIENCE, until

ENDED = ("delivered", "read", "failed")


class Api:
    """The API with one key."""

    def __init__(self, url: str, key: str = TEST_KEY) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=PATIENCE, trust_env=False)

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a GET that has to succeed."""
        return self._json(self.http.get(path, params=query))

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """The JSON of a POST that has to succeed."""
        return self._json(self.http.post(path, json=body, headers=headers))

    def send(self, to: str, text: str = "Hello", sender: str | None = None, **fields: Any) -> Any:
        """Sends a message; the whole answer."""
        headers = {"Zavu-Sender": sender} if sender else {}
        return self._json(self.http.post("/v1/messages", json={"to": to, "text": text, **fields}, headers=headers))

    def message(self, message_id: str) -> Any:
        """A message as it stands."""
        return self.get(f"/v1/messages/{message_id}")["message"]

    def routing(self, message_id: str) -> Any:
        """Its decisions, attempts and receipts."""
        return self.get(f"/v1/messages/{message_id}/routing")

    def ended(self, message_id: str, patience: float = PATIENCE) -> Any:
        """The message at its end."""

        def look() -> Any:
            message = self.message(message_id)
            return message if message["status"] in ENDED else None

        return until(f"{message_id} ends", look, patience)

    def reaches(self, message_id: str, *statuses: str) -> Any:
        """The message once it has one of these states."""

        def look() -> Any:
            message = self.message(message_id)
            return message if message["status"] in statuses else None

        return until(f"{message_id} is {' or '.join(statuses)}", look)

    def inbound(self, sender: str, text: str = "Hi", channel: str = "whatsapp", to: str | None = None) -> str:
        """A made-up person writes to us; the id of their message."""
        body = {"from": sender, "text": text, "channel": channel, **({"senderId": to} if to else {})}
        return str(self.post("/v1/simulator/inbound", body)["messageId"])

    def everything(self, path: str, **query: Any) -> list[Any]:
        """All items of a list, page by page."""
        items: list[Any] = []
        cursor: str | None = None
        while True:
            page = self.get(path, limit=100, **query, **({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page["nextCursor"]
            if cursor is None:
                return items

    @staticmethod
    def _json(answer: httpx.Response) -> Any:
        assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None
