"""The world of the hybrid story: a gateway with a quota and two platforms, each an SMSC that can be killed; a team
phone; people in the web app; and a load of direct and bulk messages."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from harness.api import Api
from harness.phone import Phone
from harness.server import LIVE_KEY, Server, program, project
from harness.smsc import Smsc, smsc_script
from harness.wait import PATIENCE, free_port, until

#: What the gateway may carry in an hour.
QUOTA = 200
#: Routes over SMPP: id, class, price, further settings.
CENTERS = {
    "gw": ("gateway", "0.02", f'quota = [{{ per = "hour", messages = {QUOTA} }}]'),
    "a": ("platform", "0.03", ""),
    "b": ("platform", "0.04", ""),
}
#: Alerts come soon, so that the story is short; what they say is the same.
ALERTS = """
[alerts]
route_down = { after = "2s", resolve_after = "1s" }
all_routes_out = { after = "2s", resolve_after = "1s" }
"""
#: The sender `desk` has the pool of phones; what `front` cannot send by a route waits for people.
SENDERS = """
[[route]]
id = "phones"
channel = "sms"
provider = "smsgate"
smsgate = { per_hour = 1000, present_for = "1h" }

[[sender]]
id = "front"
name = "Front"
phone_number = "+40700000009"
default = true
routes = ["gw", "a", "b"]

[[sender]]
id = "desk"
name = "Desk"
phone_number = "+40722000009"
routes = ["gw", "a", "b", "phones"]
"""
_ROUTE = """
[[route]]
id = "{id}"
channel = "sms"
class = "{kind}"
provider = "smpp"
unknown_wait = "2s"
prices = [{{ prefix = "*", price = "{price}" }}]
{more}
smpp = {{ host = "127.0.0.1", port = {port}, system_id = "acme", password = "secret", window = 20, reconnect_min = "50ms", reconnect_max = "500ms" }}
"""


@dataclass
class Sent:
    """A message that was accepted."""

    id: str
    sender: str
    bulk: bool
    text: str
    began: float


class Center:
    """An SMSC, and the journal of what it took in all of its lives."""

    def __init__(self, folder: Path, name: str) -> None:
        self.port, self.journal = free_port(), folder / name
        self.process = Smsc([sys.executable, str(smsc_script("smsc_smpp34/smsc.py")), str(self.port), str(self.journal)])

    def took(self) -> Counter[str]:
        """How often it took each text."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        entries = (json.loads(it) for it in lines)
        return Counter(it["text"] for it in entries if "accepted" in it)


class Person:
    """Somebody who is signed in to the web app."""

    def __init__(self, server: Server, name: str) -> None:
        added = subprocess.run(
            [program(), "users", "add", "--email", f"{name}@example.com", "--name", name.capitalize(), "--role", "agent",
             "--config", str(server.config), "--json"],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        link = json.loads(added.stdout)["link"]
        self.http = httpx.Client(base_url=server.url, timeout=PATIENCE, trust_env=False)
        password = f"a password of {name}"
        self._post("/ui/v1/password-link/use", {"token": link.rpartition("/")[2], "password": password})
        session = self._post("/ui/v1/login", {"email": f"{name}@example.com", "password": password}).json()
        self.http.headers["X-CSRF-Token"] = session["csrfToken"]

    def _post(self, path: str, body: Any) -> httpx.Response:
        answer = self.http.post(path, json=body)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer

    def waiting(self) -> dict[str, Any]:
        """The list of the web app, by id."""
        answer = self.http.get("/ui/v1/waiting")
        assert answer.is_success, answer.text
        return {it["id"]: it for it in answer.json()["items"]}

    def does(self, message: str, what: str) -> httpx.Response:
        """Claims a message, says that it was sent, or gives it back."""
        return self.http.post(f"/ui/v1/waiting/{message}/{what}")


class Load:
    """Messages at a rate, until it is stopped. Two of three are direct, by `front` and `desk` in turn."""

    def __init__(self, world: World, per_second: float) -> None:
        self._world, self._gap = world, 3 / per_second
        self._on = threading.Event()
        self._on.set()
        self._threads = [
            threading.Thread(target=self._send, args=(sender, bulk))
            for sender, bulk in (("front", False), ("desk", False), ("front", True))
        ]
        for thread in self._threads:
            thread.start()

    def _send(self, sender: str, bulk: bool) -> None:
        api, due = Api(self._world.server.url, LIVE_KEY), time.monotonic()
        while self._on.is_set():
            self._world.send(sender, bulk, api)
            due = max(due + self._gap, time.monotonic() - 1)
            time.sleep(max(0.0, due - time.monotonic()))

    def stop(self) -> None:
        """Ends it, after the message under way."""
        self._on.clear()
        for thread in self._threads:
            thread.join(PATIENCE)


class World:
    """Everything, up and bound."""

    def __init__(self, start: Callable[..., Server], folder: Path) -> None:
        self.centers = {name: Center(folder, name) for name in CENTERS}
        self._loads: list[Load] = []
        self.phone: Phone | None = None
        routes = ""
        for name, (kind, price, more) in CENTERS.items():
            routes += _ROUTE.format(id=name, kind=kind, price=price, more=more, port=self.centers[name].port)
        config = ALERTS + project() + routes + SENDERS
        self.server = start(config, called=True, clock=True, log="info")
        assert self.server.clock is not None
        self.clock = self.server.clock
        self.api = Api(self.server.url, LIVE_KEY)
        self.sent: list[Sent] = []
        self.refused: list[str] = []
        #: Ids of messages that were seen at their end, and of those that people sent.
        self.ended: set[str] = set()
        self.by_person: set[str] = set()
        self._lock, self._number = threading.Lock(), 0
        until("the routes are up", lambda: all(self.condition(it) == "up" for it in CENTERS))

    def pair(self) -> Phone:
        """A phone joins the pool."""
        pairing = self.api.post("/v1/phones/pairings", {"route": "phones"})["pairing"]
        self.phone = Phone(pairing["apiUrl"], pairing["token"], skew=self.clock.now() - time.time()).start()
        until("the phone is there", lambda: self.condition("phones") == "up")
        return self.phone

    def load(self, per_second: float) -> Load:
        """Begins a load."""
        self._loads.append(Load(self, per_second))
        return self._loads[-1]

    def send(self, sender: str, bulk: bool = False, api: Api | None = None) -> Sent:
        """Sends a message of its own text to a number of its own."""
        with self._lock:
            self._number += 1
            number = self._number
        text = f"{'Bulk' if bulk else 'Direct'} {number}"
        body = {"to": f"+4072{number:07}", "text": text, "trafficClass": "bulk" if bulk else "direct"}
        began = time.monotonic()
        answer = (api or self.api).http.post("/v1/messages", json=body, headers={"Zavu-Sender": sender})
        if answer.status_code != 202:
            self.refused.append(f"{answer.status_code} {answer.text}")
            raise AssertionError(self.refused[-1])
        sent = Sent(answer.json()["message"]["id"], sender, bulk, text, began)
        with self._lock:
            self.sent.append(sent)
        return sent

    def route(self, name: str) -> Any:
        """A route as the API shows it."""
        return next(it for it in self.api.get("/v1/routes")["items"] if it["id"] == name)

    def condition(self, name: str) -> str:
        """The condition of a route."""
        return str(self.route(name)["condition"])

    def quota(self) -> Any:
        """The gateway's quota as it stands."""
        return next(it for it in self.api.get("/v1/quotas")["items"] if it.get("route") == "gw")

    def took(self, center: str) -> Counter[str]:
        """How often an SMSC took each text."""
        return self.centers[center].took()

    def direct(self, center: str) -> int:
        """How many direct messages an SMSC took."""
        return sum(it.startswith("Direct") for it in self.took(center))

    def messages(self) -> dict[str, Any]:
        """Every message as it stands, by id."""
        return {it["id"]: it for it in self.api.everything("/v1/messages")}

    def verdicts(self, message: str) -> dict[str, str]:
        """What the last decision about a message said of each route; the one that it chose is `chosen`."""
        decision = self.api.routing(message)["decisions"][-1]
        return {it["route"]: it["verdict"] for it in decision["routes"]}

    def raised(self) -> list[tuple[str, str]]:
        """Kind and subject of every alert so far, in the order in which they were raised."""
        return [(it["kind"], it["subject"]) for it in reversed(self.api.everything("/v1/alerts"))]

    def open(self) -> set[tuple[str, str]]:
        """The alerts that are raised now."""
        return {(it["kind"], it["subject"]) for it in self.api.everything("/v1/alerts", status="raised")}

    def told(self, count: int) -> list[tuple[str, str, str]]:
        """The first events about alerts: type, kind and subject."""
        found: list[tuple[str, str, str]] = []
        headers = {"Authorization": f"Bearer {LIVE_KEY}", "Last-Event-ID": "0"}
        query = {"types": "alert.raised,alert.resolved"}
        url = f"{self.server.url}/v1/events"
        with httpx.stream("GET", url, params=query, headers=headers, timeout=PATIENCE, trust_env=False) as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    event = json.loads(line[5:])
                    found.append((event["type"], event["data"]["kind"], event["data"]["subject"]))
                    if len(found) == count:
                        return found
        raise AssertionError(f"the stream ended after {found}")

    def close(self) -> None:
        """Ends what runs, but for the server."""
        for load in self._loads:
            load.stop()
        if self.phone is not None:
            self.phone.stop()
        for center in self.centers.values():
            center.process.close()
