"""Tandem as a client of an SMSC made with smpp34: a second opinion, and one that is killed under load."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.api import Api
from harness.server import LIVE_KEY, Server, project, smpp_route
from harness.smsc import Smsc, joined, smsc_script
from harness.wait import free_port, until

US = "40700000009"
WINDOW = 50
LOAD = 2_000
SENDERS = 4


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the SMSC accepted, through all of its lives."""
    return tmp_path_factory.mktemp("smsc") / "journal"


@pytest.fixture(scope="module")
def smsc(journal: Path) -> Iterator[Smsc]:
    """The SMSC, for all tests of this file."""
    smsc = Smsc([sys.executable, str(smsc_script("smsc_smpp34/smsc.py")), str(free_port()), str(journal)])
    yield smsc
    smsc.close()


@pytest.fixture(scope="module")
def server(start: Callable[..., Server], smsc: Smsc) -> Server:
    """Tandem with a route to it; what is of unknown outcome is sent again soon."""
    port = smsc.of("listening")[0]["port"]
    route = smpp_route(port, f", window = {WINDOW}, response_timeout = \"5s\"", 'unknown_wait = "3s"')
    return start(project() + route, log="warn")


@pytest.fixture
def api(server: Server) -> Api:
    """The API, with the route up."""
    api = Api(server.url, LIVE_KEY)
    until("the route is up", lambda: api.get("/v1/routes")["items"][0]["condition"] == "up")
    return api


@pytest.mark.parametrize(
    ("text", "parts"), [("Hello", 1), ("Ședința 😀 începe la nouă. " * 12, 5), ("Plain text, two parts. " * 10, 2)]
)
def test_a_text_arrives_as_it_was_sent(api: Api, smsc: Smsc, text: str, parts: int) -> None:
    to = f"+4072270000{parts}"
    assert api.ended(api.send(to, text)["message"]["id"])["status"] == "delivered"
    submitted = smsc.of("submit", to=to.removeprefix("+"))
    assert len(submitted) == parts
    assert joined(submitted) == text


def test_throttled_is_sent_again_and_rejected_is_not(api: Api, smsc: Smsc) -> None:
    smsc.do("answer", statuses=[0x58, 0x58])
    assert api.ended(api.send("+40722710001", "Patience")["message"]["id"])["status"] == "delivered"
    assert [it["status"] for it in smsc.of("submit", to="40722710001")] == [0x58, 0x58, 0]
    smsc.do("answer", statuses=[0x0B])
    assert api.ended(api.send("+40722710002", "Nobody")["message"]["id"])["status"] == "failed"
    assert smsc.count("submit", to="40722710002") == 1


def test_a_failed_receipt_fails_the_message(api: Api, smsc: Smsc) -> None:
    smsc.do("receipts", stat="UNDELIV")
    sent = api.send("+40722720001", "Hello?")["message"]["id"]
    assert api.ended(sent)["status"] == "failed"
    smsc.do("receipts", stat="DELIVRD")


def test_what_people_write_is_received(api: Api, smsc: Smsc) -> None:
    smsc.do("inbound", **{"from": "40722730001", "to": US, "text": "Salut 😀"})
    smsc.wait("taken", status=0)
    found = until("it is received", lambda: api.everything("/v1/messages", status="received"))
    assert [(it["from"], it["text"]) for it in found] == [("+40722730001", "Salut 😀")]


def test_an_unbind_by_the_smsc_is_followed_by_a_new_bind(api: Api, smsc: Smsc) -> None:
    bound = smsc.count("bound")
    smsc.do("unbind")
    smsc.wait("bound", bound + 1)
    assert api.ended(api.send("+40722740001", "Again")["message"]["id"])["status"] == "delivered"


def _control(api: Api, mode: str) -> None:
    body = {"mode": mode, "reason": "maintenance"}
    answer = api.http.put("/v1/routes/gw/control", json=body)
    assert answer.status_code == 200, answer.text


def test_a_disabled_route_is_unbound_also_after_a_restart_and_misses_no_receipt(
    api: Api, server: Server, smsc: Smsc
) -> None:
    # R-HEALTH: its link is closed, and made again at once.
    smsc.do("receipts", stat=None)
    sent = api.send("+40722745001", "Before")["message"]["id"]
    api.reaches(sent, "sent")
    bound, unbound = smsc.count("bound"), smsc.count("unbound")
    _control(api, "disable")
    smsc.wait("unbound", unbound + 1)
    smsc.do("receipts", stat="DELIVRD")
    waits = api.send("+40722745002", "Meanwhile")["message"]["id"]
    assert server.terminate() == 0
    server.start()
    api = Api(server.url, LIVE_KEY)
    route = api.get("/v1/routes")["items"][0]
    assert (route["condition"], route["reason"]) == ("disabled", "disabled by live: maintenance")
    assert [api.message(it)["status"] for it in (sent, waits)] == ["sent", "queued"]
    assert smsc.count("bound") == bound
    _control(api, "auto")
    smsc.wait("bound", bound + 1)
    # What the SMSC kept comes with the bind.
    assert [api.ended(it)["status"] for it in (sent, waits)] == ["delivered", "delivered"]
    assert smsc.count("submit", to="40722745001") == 1


def test_a_receipt_is_never_taken_for_that_of_another_message(api: Api, smsc: Smsc) -> None:
    # Ids such as 00000021 are numbers in both bases, and receipts often come before the answer to
    # their submission is kept: 00000021 must then not be taken for 15, which is the same number.
    smsc.do("ids", hex=True)
    sent = {api.send(f"+4072275{number:04}", f"Base {number}")["message"]["id"]: number for number in range(300)}

    def submitted() -> dict[str, str] | None:
        given = {it["text"]: it["id"] for it in smsc.of("submit") if it["text"].startswith("Base ")}
        return given if len(given) == len(sent) else None

    given = until("all are submitted", submitted)
    smsc.do("ids", hex=False)
    for message_id, number in sent.items():
        receipts = until(f"{message_id} has a receipt", lambda it=message_id: api.routing(it)["receipts"])
        named = {re.search(r"id:(\S+)", it["raw"]).group(1) for it in receipts}  # type: ignore[union-attr]
        assert named == {given[f"Base {number}"]}


def _accepted(journal: Path) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in journal.read_text().splitlines()]
    return [it for it in entries if str(it.get("text", "")).startswith("Load ")]


def test_a_kill_of_the_smsc_under_load_loses_nothing(
    server: Server, api: Api, smsc: Smsc, journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts: dict[str, str] = {}  # message id to text
    refused: list[str] = []
    lock = threading.Lock()

    def send(first: int) -> None:
        client = Api(server.url, LIVE_KEY)
        for number in range(first, LOAD, SENDERS):
            body = {"to": f"+4072280{number:04}", "text": f"Load {number}"}
            try:
                answer = client.http.post("/v1/messages", json=body)
            except httpx.HTTPError as error:
                refused.append(repr(error))
                return
            with lock:
                if answer.status_code == 202:
                    texts[answer.json()["message"]["id"]] = body["text"]
                else:
                    refused.append(f"{answer.status_code} {answer.text}")

    started = time.monotonic()
    senders = [threading.Thread(target=send, args=(first,)) for first in range(SENDERS)]
    for thread in senders:
        thread.start()
    until("the load has begun", lambda: len(_accepted(journal)) >= LOAD // 10)
    smsc.kill()
    at_kill = len(texts)
    until("the load goes on without the SMSC", lambda: len(texts) + len(refused) >= min(at_kill + LOAD // 4, LOAD))
    waiting = api.get("/v1/routes")["items"][0]["backlog"]
    smsc.start()
    for thread in senders:
        thread.join()
    sending = time.monotonic() - started
    assert refused == []
    assert len(texts) == LOAD
    assert waiting > 0, "what was sent meanwhile waits"

    def all_delivered() -> bool:
        shown = {it["id"]: it["status"] for it in api.everything("/v1/messages", status="delivered")}
        return all(shown.get(it) == "delivered" for it in texts)

    until("everything is delivered", all_delivered, patience=90)

    times = Counter(str(it["text"]) for it in _accepted(journal))
    assert set(times) == set(texts.values())
    ids = {text: message_id for message_id, text in texts.items()}
    doubled = [text for text, count in times.items() if count > 1]
    known = {text: api.routing(ids[text])["attempts"][0]["resends"] for text in doubled}
    with capsys.disabled():
        print(
            f"\n  {LOAD} messages, accepted at {LOAD / sending:.0f} a second; {waiting} waited for the SMSC; "
            f"{len(doubled)} in flight at the kill were submitted twice"
        )
    assert all(count <= 2 for count in times.values())
    assert all(resends == 1 for resends in known.values()), "only what was in flight, and known as such"
    assert len(doubled) <= WINDOW
