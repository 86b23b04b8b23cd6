"""An application that receives Tandem's webhooks. It believes nothing that is not signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .listener import Call, Listener, Reply
from .wait import PATIENCE, until

#: How far a signature's time may be from ours, in seconds.
TOLERANCE = 300


@dataclass
class Delivery:
    """One webhook whose signature was right."""

    path: str
    event: dict[str, Any]

    @property
    def id(self) -> str:
        """What repeats are known by."""
        return str(self.event["id"])

    @property
    def type(self) -> str:
        """What happened."""
        return str(self.event["type"])

    @property
    def data(self) -> dict[str, Any]:
        """What it says of it."""
        return dict(self.event["data"])


def signatures(secret: str, header: str, body: bytes) -> dict[str, bool]:
    """Which signatures the header carries, and whether each is right. Its time is not judged here."""
    parts = dict(re.findall(r"(\w+)=([^,]*)", header))

    def is_right(version: str, signed: bytes) -> bool:
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, parts[version])

    found = {}
    if "v1" in parts:
        found["v1"] = is_right("v1", body)
    if "v2" in parts:
        found["v2"] = is_right("v2", parts["t"].encode() + b"." + body)
    return found


class Receiver:
    """Listens for webhooks. `now` is the sender's time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._free = threading.Event()
        self._free.set()
        self._statuses: list[int] = []
        self._waiting = 0
        #: The secret of the endpoint at each path.
        self.secrets: dict[str, str] = {}
        #: What was wrong with deliveries.
        self.complaints: list[str] = []
        #: Everything that was signed rightly, repeats included, in the order in which it came.
        self.deliveries: list[Delivery] = []
        #: Ids of the events that it did not take, in the order of the tries.
        self.refused: list[str] = []
        self.listener = Listener(self._answer)

    def url(self, path: str = "/hook") -> str:
        """Where an endpoint is."""
        return self.listener.url + path

    def answer(self, *statuses: int) -> None:
        """Answers the next deliveries so; such a one is kept in `refused` only."""
        with self._lock:
            self._statuses += statuses

    def hang(self) -> None:
        """Does not answer until `go_on`."""
        self._free.clear()

    def waiting(self) -> int:
        """How many deliveries it lets wait."""
        return self._waiting

    def go_on(self) -> None:
        """Answers again."""
        self._free.set()

    def unique(self, path: str = "/hook") -> list[Delivery]:
        """What came at a path, without repeats, in the order in which each came first."""
        with self._lock:
            found = {it.id: it for it in reversed(self.deliveries) if it.path == path}
            first = {it.id: index for index, it in reversed(list(enumerate(self.deliveries)))}
        return sorted(found.values(), key=lambda it: first[it.id])

    def types(self, path: str = "/hook") -> list[str]:
        """What happened, in order."""
        return [it.type for it in self.unique(path)]

    def wait(
        self, what: str, fits: Callable[[Delivery], bool], count: int = 1, path: str = "/hook", patience: float = PATIENCE
    ) -> list[Delivery]:
        """Such deliveries, once there are so many of them; never with a complaint."""

        def look() -> list[Delivery] | None:
            assert not self.complaints, self.complaints
            found = [it for it in self.unique(path) if fits(it)]
            return found if len(found) >= count else None

        return until(f"{count} x {what} at {path}", look, patience)

    def close(self) -> None:
        """Ends it."""
        self.go_on()
        self.listener.close()

    def _answer(self, call: Call) -> Reply:
        if not self._free.is_set():
            with self._lock:
                self._waiting += 1
            self._free.wait(PATIENCE)
        with self._lock:
            if self._statuses:
                self.refused.append(call.json()["id"])
                return Reply(self._statuses.pop(0), headers={"Location": self.url("/elsewhere")})
            complaint = self._complaint(call)
            if complaint:
                self.complaints.append(f"{call.path}: {complaint}: {call.headers} {call.body!r}")
                return Reply(400)
            self.deliveries.append(Delivery(call.path, json.loads(call.body)))
            return Reply(200)

    def _complaint(self, call: Call) -> str | None:
        """What a careful receiver would say against a delivery."""
        header = call.headers.get("x-zavu-signature", "")
        found = signatures(self.secrets.get(call.path, ""), header, call.body)
        time = re.match(r"t=(\d+)(,|$)", header)
        event = json.loads(call.body)
        if not found or not all(found.values()):
            return f"signature {found or 'missing'}"
        if not time or abs(self._now() - int(time.group(1))) > TOLERANCE:
            return "signed at another time"
        if call.headers.get("x-zavu-event") != event.get("type"):
            return "the header names another event"
        if call.headers.get("content-type") != "application/json":
            return "not JSON by its header"
        if not {"id", "type", "timestamp", "projectId", "data"} <= event.keys():
            return "a field of the envelope is missing"
        # Events of the whole project name no sender.
        if event["type"].startswith("template.") == ("senderId" in event):
            return "the envelope names no sender, or one for an event of the project"
        if not isinstance(event["timestamp"], int):
            return "the time is no integer"
        return None
