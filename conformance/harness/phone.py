"""An Android phone with the app SMSGate, as far as a server can see it: its jobs, its habits, its clock.

It does what the app was seen to do, bad habits included: at the first start its pull, its webhooks and its
settings run beside the registration and end as success with nothing, until tomorrow; a wake-up that comes
during a pull cancels it; each change of a message starts a report of its own, which says what is true when
it runs, so that reports overtake each other and go backwards; an unknown state is sent; a date with more than
three decimals is read wrong; a section of settings that is null crashes it; a refused token is tried again
only at a start.

    python -m harness.phone --url https://msg.example.com/phone/v1 --token TOKEN

plays one by hand: it prints what it sends and types what stands on its standard input as messages to itself.
"""

from __future__ import annotations

import argparse
import base64
import calendar
import hashlib
import hmac
import json
import random
import re
import string
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from .server import project

AGENT = "me.capcom.smsgateway/1.68.0"
#: The webhooks that this version knows.
EVENTS = {
    "sms:received", "sms:data-received", "mms:received", "mms:downloaded",
    "sms:sent", "sms:delivered", "sms:failed", "sms:cancelled", "system:ping", "app:started",
}
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$")
#: How often a report is tried, with a pause between that the real app makes longer and longer.
REPORTS = 600
_RANK = ["Pending", "Processed", "Sent", "Delivered"]


def gson_date(text: str) -> float:
    """A date as the app reads it: what follows the point are milliseconds, however many digits."""
    found = _DATE.match(text)
    if not found:
        raise ValueError(f"the app cannot read the date {text!r}")
    year, month, day, hour, minute, second = (int(it) for it in found.groups()[:6])
    zone = found.group(8)
    offset = 0 if zone == "Z" else int(zone[0] + "1") * (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60)
    seconds = calendar.timegm((year, month, day, hour, minute, second))
    return seconds - offset + int(found.group(7) or 0) / 1000


def iso(at: float) -> str:
    """A date as the app writes it, in the zone of its owner."""
    whole = time.gmtime(at + 7200)
    return time.strftime("%Y-%m-%dT%H:%M:%S", whole) + f".{int(at % 1 * 1000):03d}+02:00"


def masked(text: str | None) -> str | None:
    """All but the last four characters are stars."""
    if text is None:
        return None
    return "****" if len(text) <= 4 else "*" * (len(text) - 4) + text[-4:]


def _name(length: int = 21) -> str:
    return "".join(random.choices(string.ascii_letters + string.digits, k=length))


@dataclass
class Sms:
    """A message on the phone, by the server's id."""

    id: str
    to: str
    text: str
    sim: int | None
    valid_until: float | None
    state: str = "Pending"
    error: str | None = None
    times: dict[str, str] = field(default_factory=dict)


@dataclass
class Habits:
    """How this phone differs from one that does as it should."""

    #: Seconds between what the real app leaves longer: retries and reconnects.
    pause: float = 0.1
    #: Seconds until a report that failed is tried again. The real app takes ten, then twenty, up to hours.
    retry: float = 0.0
    #: Whether a report may be held up, so that others overtake it.
    disorder: bool = False
    #: Whether a late report inside the app puts a message back a step.
    regress: bool = False
    #: What sending ends with: `Sent`, `Delivered`, `Failed: text`, or `silent` after Processed.
    outcome: str = "Delivered"
    #: Whether it listens; else it only polls.
    listens: bool = True
    #: Whether messages wait on the phone instead of being handed to Android.
    holds: bool = False
    #: How far its clock is off.
    skew: float = 0.0


class Phone:
    """A phone. Its owner types an API URL and a token, and switches it on."""

    def __init__(self, url: str, token: str = "", *, scheme: str = "Bearer", number: str = "+40722000009",
                 sims: int = 1, name: str = "Google/panther", **habits: Any) -> None:
        self.url = url.rstrip("/")
        self.token, self.scheme, self.name, self.number = token, scheme, name, number
        self.habits = Habits(**habits)
        self.sims = [{"slotIndex": at, "simNumber": at + 1,
                      "phoneNumber": masked(number) if at == 0 else None, "carrierName": masked("Orange"),
                      "iccid": masked("8940100000000001234")} for at in range(sims)]
        #: What the app keeps.
        self.device: dict[str, str] | None = None
        self.messages: dict[str, Sms] = {}
        self.hooks: list[dict[str, Any]] = []
        self.settings: dict[str, Any] = {}
        self.signing_key = _name(8)
        #: What the tests look at.
        self.sent: list[Sms] = []
        self.events: list[tuple[float, str, str]] = []
        self.pulls: list[list[dict[str, Any]]] = []
        self.statuses: list[tuple[str, str, int]] = []
        self.crashes: list[str] = []
        self.streams = 0
        #: What happens once it has read a list, before it looks at it.
        self.on_list: Callable[[list[dict[str, Any]]], None] = lambda listed: None
        self._radio: list[dict[str, Any]] = []
        self._told: set[str] = set()
        self._hook_queue: list[dict[str, Any]] = []
        self._lock = threading.RLock()
        self._on = threading.Event()
        self._wake = threading.Event()
        self._generation = 0
        self._threads: list[threading.Thread] = []
        self._stream: httpx.Response | None = None

    # -- what its owner does --------------------------------------------------------------------------

    def start(self, race: bool = True) -> Phone:
        """Switches the service on. `race`: its jobs run before it is registered, as at a first Sign Up."""
        self._on.set()
        first = self.device is None
        if first and self.scheme == "Bearer" and race:
            # The jobs of the first start find no registration, and are done until tomorrow.
            self._job(self._register)
        else:
            if first:
                self._register()
            else:
                self._job(self._patch_device)
            for job in (self.fetch_hooks, self.fetch_settings):
                self._job(job)
            self._wake.set()
        self._job(self._pulling)
        self._job(self._listening)
        self._job(self._hooking)
        return self

    def stop(self) -> None:
        """Switches it off, or takes it out of reach. What it keeps, it keeps."""
        self._on.clear()
        self._wake.set()
        stream = self._stream
        if stream is not None:
            # From another thread: the socket is shut down under the reader.
            try:
                stream.extensions["network_stream"].get_extra_info("socket").shutdown(2)
            except OSError:
                pass
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(10)
        self._threads.clear()

    def receive(self, sender: str, text: str, *, at: float | None = None, event: str = "sms:received") -> dict[str, Any]:
        """A person's message reaches the phone."""
        at = self.now() if at is None else at
        digest = hashlib.sha256(f"{sender}{at}{text}".encode()).hexdigest()[:8]
        payload = {"message": text, "receivedAt": iso(at), "messageId": digest, "sender": sender,
                   "phoneNumber": sender, "simNumber": 1}
        with self._lock:
            self._radio.append({"event": event, "payload": payload, "at": at})
        return self._emit(event, payload)

    def emit_again(self, entry: dict[str, Any], *, new_id: bool = True) -> None:
        """The app's old fault: the same message under another event id."""
        with self._lock:
            self._hook_queue.append({**entry, "id": _name() if new_id else entry["id"]})

    def ping(self, battery: int = 80) -> None:
        """It says how it is, and looks for messages."""
        checks = {"battery:level": {"status": "pass", "observedValue": battery, "observedUnit": "percent"}}
        self._emit("system:ping", {"health": {"status": "pass", "version": "1.68.0", "releaseId": 1, "checks": checks}})
        self.wake()

    def wake(self) -> None:
        """Something tells it to pull: a running pull is given up."""
        self._generation += 1
        self._wake.set()

    def let_go(self) -> None:
        """What it held is handed to Android now."""
        self.habits.holds = False
        with self._lock:
            waiting = [it for it in self.messages.values() if it.state == "Pending"]
        for sms in waiting:
            self._send(sms)

    def now(self) -> float:
        """Its own clock."""
        return time.time() + self.habits.skew

    # -- the wire -------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: Any = None, auth: str | None = None) -> httpx.Response:
        """One request. Anything but 2xx throws, in the app."""
        headers = {"User-Agent": AGENT}
        auth = auth if auth is not None else (f"Bearer {self.device['token']}" if self.device else "")
        if auth:
            headers["Authorization"] = auth
        with httpx.Client(timeout=15, trust_env=False) as client:
            answer = client.request(method, f"{self.url}{path}", json=body, headers=headers)
        self.statuses.append((method, path, answer.status_code))
        answer.raise_for_status()
        if answer.content:
            assert answer.headers["content-type"].startswith("application/json"), "Ktor cannot decode this"
        return answer

    def _job(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _tries(self, work: Callable[[], Any], most: int = 1000) -> Any:
        """A background job: tried again until it succeeds, as the app's scheduler does."""
        for _ in range(most):
            if not self._on.is_set():
                return None
            try:
                return work()
            except (httpx.HTTPError, OSError):
                time.sleep(self.habits.pause)
        return None

    def _register(self) -> None:
        def ask() -> None:
            credential = self.token
            if self.scheme == "Basic":
                credential = base64.b64encode(f"somebody:{self.token}".encode()).decode()
            # No push token: it is absent, not null.
            body = {"name": self.name, "simCards": [{k: v for k, v in it.items() if v is not None} for it in self.sims]}
            made = self.ask("POST", "/device", body, f"{self.scheme} {credential}")
            assert made.status_code == 201
            answer = made.json()
            self.device = {name: answer[name] for name in ("id", "token", "login")}

        if self.scheme == "Bearer":
            self._tries(ask)
        else:
            ask()

    def _patch_device(self) -> None:
        def ask() -> None:
            assert self.device is not None
            try:
                self.ask("PATCH", "/device", {"id": self.device["id"], "simCards": self.sims})
            except httpx.HTTPStatusError as error:
                # The only place where the app registers anew, and for this status only.
                if error.response.status_code != 401:
                    raise
                self.device = None
                self._register()

        self._tries(ask)

    def fetch_hooks(self) -> None:
        """The list takes the place of what was installed."""
        hooks = self._tries(lambda: self.ask("GET", "/webhooks").json() if self.device else None)
        if hooks is None:
            return
        for hook in hooks:
            if hook["event"] not in EVENTS or hook.get("id") is None:
                self.crashes.append(f"a webhook that is null: {hook}")
        self.hooks = hooks

    def fetch_settings(self) -> None:
        """Known keys are taken over; a section that is null crashes the app."""
        settings = self._tries(lambda: self.ask("GET", "/settings").json() if self.device else None)
        if settings is None:
            return
        if any(section is None for section in settings.values()):
            self.crashes.append(f"a section is null: {settings}")
            return
        self.settings = settings
        self.signing_key = settings.get("webhooks", {}).get("signing_key") or self.signing_key

    def _listening(self) -> None:
        while self._on.is_set():
            if self.device is None or not self.habits.listens:
                time.sleep(0.02)
                continue
            headers = {"Authorization": f"Bearer {self.device['token']}", "Accept": "text/event-stream"}
            try:
                with httpx.Client(timeout=httpx.Timeout(15, read=3600), trust_env=False) as client:
                    with client.stream("GET", f"{self.url}/events", headers=headers) as stream:
                        self.statuses.append(("GET", "/events", stream.status_code))
                        stream.raise_for_status()
                        assert stream.headers["content-type"].startswith("text/event-stream")
                        self._stream = stream
                        self.streams += 1
                        self.wake()
                        self._frames(stream)
            except (httpx.HTTPError, OSError):
                pass
            self._stream = None
            time.sleep(self.habits.pause)

    def _frames(self, stream: httpx.Response) -> None:
        name, data = "", ""
        for line in stream.iter_lines():
            if not self._on.is_set():
                return
            if line.startswith("event:"):
                name = line[6:].strip()
            elif line.startswith("data:"):
                data = line[5:].strip()
            elif line == "" and data:
                self._event(name or "MessageEnqueued", data)
                name, data = "", ""
            elif line == "":
                # A frame without data is dropped, whatever its name.
                name = ""

    def _event(self, name: str, data: str) -> None:
        self.events.append((time.monotonic(), name, data))
        if name == "MessageEnqueued":
            self.wake()
        elif name == "MessageCancelled":
            self._cancel(self.messages.get(json.loads(data)["messageId"]))
        elif name == "WebhooksUpdated":
            self._job(self.fetch_hooks)
        elif name == "SettingsUpdated":
            self._job(self.fetch_settings)
        elif name == "MessagesExportRequested":
            wanted = json.loads(data)
            since, until = gson_date(wanted["since"]), gson_date(wanted["until"])
            with self._lock:
                old = [it for it in self._radio if since <= it["at"] <= until]
            for entry in old:
                # What it has told already, it does not tell again.
                if entry["payload"]["messageId"] not in self._told:
                    self._emit(entry["event"], entry["payload"])

    def _pulling(self) -> None:
        while self._on.is_set():
            self._wake.wait(0.2)
            if not self._on.is_set() or self.device is None or not self._wake.is_set():
                continue
            self._wake.clear()
            generation = self._generation
            order = self.settings.get("messages", {}).get("processing_order", "LIFO").lower()
            try:
                listed = self.ask("GET", f"/message?order={order}").json()
            except (httpx.HTTPError, OSError):
                time.sleep(self.habits.pause)
                self._wake.set()
                continue
            if generation != self._generation:
                # Another wake-up took its place; what it read is lost.
                self._wake.set()
                continue
            self.pulls.append(listed)
            self.on_list(listed)
            fresh = [it for it in (self._take(entry) for entry in listed) if it is not None]
            if order == "lifo":
                fresh.reverse()
            for sms in fresh:
                if not self.habits.holds:
                    self._send(sms)

    def _take(self, entry: dict[str, Any]) -> Sms | None:
        known = self.messages.get(entry["id"])
        if entry.get("state") == "Cancelling":
            if known is None:
                # It says so, and does not remember it.
                self._report(Sms(entry["id"], entry["phoneNumbers"][0], "", None, None, "Cancelled"))
            else:
                self._cancel(known)
            return None
        # An unknown word is null, and null is sent.
        if entry.get("state") in ("Cancelled", "Processed", "Sent", "Delivered", "Failed"):
            return None
        if known is not None:
            self._report(known)
            return None
        text = (entry.get("textMessage") or {}).get("text") or entry.get("message")
        numbers = entry["phoneNumbers"]
        assert len(numbers) == 1, "one recipient a message"
        assert text is not None
        valid = entry.get("validUntil")
        sms = Sms(entry["id"], numbers[0], text, entry.get("simNumber"), gson_date(valid) if valid else None)
        for name in ("createdAt", "scheduleAt"):
            if entry.get(name):
                gson_date(entry[name])
        with self._lock:
            self.messages[sms.id] = sms
        self._becomes(sms, "Pending")
        return sms

    def _cancel(self, sms: Sms | None) -> None:
        """What is not with Android yet is cancelled; of anything else the app says nothing at all."""
        if sms is not None and sms.state == "Pending":
            self._becomes(sms, "Cancelled")

    def _send(self, sms: Sms) -> None:
        if sms.state != "Pending":
            return
        if sms.valid_until is not None and self.now() > sms.valid_until:
            sms.error = "TTL expired"
            self._becomes(sms, "Failed")
            return
        outcome = self.habits.outcome
        if outcome.startswith("Failed: No SIMs"):
            sms.error = outcome.removeprefix("Failed: ")
            self._becomes(sms, "Failed")
            return
        self._becomes(sms, "Processed")
        if outcome.startswith("Failed: "):
            sms.error = outcome.removeprefix("Failed: ")
            self._becomes(sms, "Failed")
            return
        with self._lock:
            self.sent.append(sms)
        if outcome == "silent":
            return
        self._becomes(sms, "Sent")
        if outcome == "Delivered":
            self._becomes(sms, "Delivered")
        if self.habits.regress:
            # A late callback inside the app puts it back; the report says so, then it is right again.
            for state in ("Processed", "Sent", outcome):
                self._becomes(sms, state)

    def _becomes(self, sms: Sms, state: str) -> None:
        with self._lock:
            sms.state = state
            sms.times.setdefault(state, iso(self.now()))
        self._report(sms)

    def _report(self, sms: Sms) -> None:
        def ask() -> bool:
            with self._lock:
                recipient = {"phoneNumber": sms.to, "state": sms.state}
                if sms.error:
                    recipient["error"] = sms.error
                body = [{"id": sms.id, "state": sms.state, "recipients": [recipient], "states": dict(sms.times)}]
            assert self.ask("PATCH", "/message", body).status_code == 204
            return True

        def job() -> None:
            if self.habits.disorder:
                time.sleep(random.random() * 0.3)
            again = time.monotonic() + self.habits.retry
            while self._on.is_set() and time.monotonic() < again:
                time.sleep(self.habits.pause)
            self._tries(ask, REPORTS)

        # What cannot be told now is a job that is tried again for hours: it outlives a server that is away.
        if self.habits.disorder or self.habits.regress or not self._tries(ask, 1):
            self._job(job)

    def _emit(self, event: str, payload: dict[str, Any]) -> dict[str, Any]:
        entry = {"id": _name(), "event": event, "payload": payload}
        with self._lock:
            self._hook_queue.append(entry)
        return entry

    def _hooking(self) -> None:
        """One after the other; what is refused comes again, the same id, with a time of its own."""
        while self._on.is_set():
            with self._lock:
                entry = self._hook_queue[0] if self._hook_queue else None
            installed = [it for it in self.hooks if entry and it["event"] == entry["event"]]
            if entry is None:
                time.sleep(0.02)
                continue
            if not installed:
                # Nobody asked for it: it is lost, but for an export.
                with self._lock:
                    self._hook_queue.pop(0)
                continue
            if self.post_hook(entry, installed[0]) // 100 != 2:
                time.sleep(self.habits.pause)
                continue
            with self._lock:
                self._told.add(entry["payload"].get("messageId", ""))
                self._hook_queue.pop(0)

    def post_hook(self, entry: dict[str, Any], hook: dict[str, Any], *, key: str | None = None,
                  stamp: float | None = None) -> int:
        """Posts one event; the status, or 0 where nobody answers."""
        assert self.device is not None
        body = json.dumps({"id": entry["id"], "webhookId": hook["id"], "event": entry["event"],
                           "deviceId": self.device["id"], "payload": entry["payload"]}, ensure_ascii=False).encode()
        at = str(int(self.now() if stamp is None else stamp))
        signature = hmac.new((key or self.signing_key).encode(), body + at.encode(), hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "User-Agent": AGENT, "X-Timestamp": at, "X-Signature": signature}
        try:
            answer = httpx.post(hook["url"], content=body, headers=headers, timeout=5, trust_env=False)
        except (httpx.HTTPError, OSError):
            return 0
        self.statuses.append(("POST", "hook", answer.status_code))
        return answer.status_code


#: A pool alone: whatever is direct goes by it. Times are short, so that what is late is late soon.
POOL = """
[[route]]
id = "phones"
channel = "sms"
provider = "smsgate"
smsgate = {{ hold = "{hold}", fetch_within = "2s", present_for = "10s" }}

{more}

[[sender]]
id = "support"
name = "Support"
phone_number = "+40722000009"
default = true
routes = [{routes}]
"""


def pool(hold: str = "5m", more: str = "", routes: str = '"phones"') -> str:
    """A configuration with a pool of phones."""
    return project() + POOL.format(hold=hold, more=more, routes=routes)


def main() -> None:
    """Plays one by hand."""
    parser = argparse.ArgumentParser(prog="python -m harness.phone", description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--from", dest="sender", default="+40721000001", help="who writes what is typed")
    args = parser.parse_args()
    phone = Phone(args.url, args.token).start()
    shown = 0
    threading.Thread(target=lambda: [phone.receive(args.sender, line.strip()) for line in sys.stdin], daemon=True).start()
    while True:
        for sms in phone.sent[shown:]:
            print(f"to {sms.to}: {sms.text}", flush=True)
        shown = len(phone.sent)
        time.sleep(0.2)


if __name__ == "__main__":
    main()
