"""The server dies at the worst of moments: every message leaves a phone once and comes to its end (R-DUP, R-PHONE-3).

The reports of these phones are tried again after an hour only: what happened the server must ask for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from harness.api import Api
from harness.phone import Phone, pool
from harness.server import Server
from harness.wait import until

ANA = "+40721000001"
HOUR = 3600.0
#: By their numbers.
STATES = ["offered", "pending", "processed", "withdrawn", "cancelled", "sent", "failed", "delivered"]


@pytest.fixture(scope="module")
def server(start: Callable[..., Server]) -> Server:
    """A server whose clock can be put forward."""
    return start(pool(hold="2m"), called=True, clock=True)


@pytest.fixture(autouse=True)
def _is_up(server: Server) -> None:
    """Each begins with a server that runs, whatever became of the test before."""
    if not server.alive():
        server.start()


def _state(server: Server, text: str) -> str | None:
    """How far what was handed with this text is, as the server keeps it."""
    database = sqlite3.connect(f"file:{server.folder}/tandem.db?mode=ro", uri=True)
    try:
        found = database.execute("SELECT state FROM phone_handing WHERE text = ?", (text,)).fetchone()
    finally:
        database.close()
    return STATES[found[0]] if found else None


def _nothing_more_leaves(server: Server, api: Api, phones: list[Phone], message: str, text: str) -> None:
    """Long after every wait is over one copy has left, and the message says so."""
    assert server.clock is not None
    server.clock.forward(minutes=20)
    # Whatever was due is done before what comes now.
    last = api.send("+40721000002", f"after {text}")["message"]["id"]
    assert api.reaches(last, "delivered")
    copies = [it for phone in phones for it in phone.sent if it.text == text]
    assert len(copies) == 1, api.routing(message)
    assert api.message(message)["status"] == "delivered"


# 8. The server is away.


def test_a_kill_between_hand_over_and_pull_loses_and_doubles_nothing(
    server: Server, api: Api, paired: Callable[..., Phone]
) -> None:
    phone = paired(retry=HOUR)
    until("it has pulled what there was", lambda: phone.pulls)
    wake, phone.wake = phone.wake, lambda: None  # type: ignore[method-assign]
    sent = api.send(ANA, "not pulled")["message"]["id"]
    until("it is handed over", lambda: _state(server, "not pulled") == "offered")
    server.kill()
    assert not [it for pull in phone.pulls for it in pull if it["message"] == "not pulled"]
    phone.wake = wake  # type: ignore[method-assign]
    server.start()
    assert api.reaches(sent, "delivered")
    _nothing_more_leaves(server, api, [phone], sent, "not pulled")


@pytest.mark.parametrize("away", [0, 10], ids=["at once", "after its validity"])
def test_a_kill_between_pull_and_report_loses_and_doubles_nothing(
    server: Server, api: Api, paired: Callable[..., Phone], away: int
) -> None:
    text = f"not reported {away}"
    phone = paired(retry=HOUR)

    def dies(listed: list[dict[str, Any]]) -> None:
        if any(it["message"] == text for it in listed) and server.alive():
            server.kill()

    phone.on_list = dies
    sent = api.send(ANA, text)["message"]["id"]
    until("the phone sent it", lambda: any(it.text == text for it in phone.sent))
    assert (server.alive(), _state(server, text)) == (False, "offered")
    phone.on_list = lambda listed: None
    assert server.clock is not None
    server.clock.forward(minutes=away)
    server.start()
    other = paired(name="Google/other")
    assert api.reaches(sent, "delivered")
    _nothing_more_leaves(server, api, [phone, other], sent, text)


@pytest.mark.parametrize("away", [0, 10], ids=["at once", "after its validity"])
def test_what_a_phone_has_and_sends_while_the_server_is_down_is_learned_from_its_first_pull(
    server: Server, api: Api, paired: Callable[..., Phone], away: int
) -> None:
    text = f"sent meanwhile {away}"
    phone = paired(holds=True, retry=HOUR)
    sent = api.send(ANA, text)["message"]["id"]
    until("the phone has it, and said so", lambda: _state(server, text) == "pending")
    server.kill()
    phone.let_go()
    assert server.clock is not None
    server.clock.forward(minutes=away)
    server.start()
    other = paired(name="Google/other")
    assert api.reaches(sent, "delivered")
    _nothing_more_leaves(server, api, [phone, other], sent, text)


def test_what_a_phone_gave_to_android_before_a_kill_is_not_sent_again_though_it_says_no_more(
    server: Server, api: Api, paired: Callable[..., Phone]
) -> None:
    phone = paired(outcome="silent", retry=HOUR)
    sent = api.send(ANA, "given to Android")["message"]["id"]
    until("the phone said so", lambda: _state(server, "given to Android") == "processed")
    server.kill()
    server.start()
    until("the phone is back", lambda: [it for it in api.get("/v1/phones")["items"] if it["connected"]])
    assert server.clock is not None
    server.clock.forward(seconds=90)
    assert api.reaches(sent, "sent")
    server.clock.forward(minutes=20)
    phone.habits.outcome = "Delivered"
    assert api.reaches(api.send("+40721000002", "the next")["message"]["id"], "delivered")
    assert [it.text for it in phone.sent] == ["given to Android", "the next"]
    assert api.message(sent)["status"] == "sent"


def test_a_server_that_was_down_for_an_hour_asks_for_what_came_in_meanwhile(
    server: Server, api: Api, paired: Callable[..., Phone]
) -> None:
    phone = paired(retry=HOUR)
    server.kill()
    # The queue of its webhooks is lost; the phone's own store of messages is not.
    hooks, phone.hooks = phone.hooks, []
    assert server.clock is not None
    phone.receive(ANA, "in the hour", at=server.clock.now())
    until("it is lost", lambda: not phone._hook_queue)
    phone.hooks = hooks
    server.clock.forward(hours=1)
    server.start()

    def heard() -> list[Any]:
        return [it for it in api.everything("/v1/messages", status="received") if it["text"] == "in the hour"]

    until("it is heard", heard)
    assert [it for it in phone.events if it[1] == "MessagesExportRequested"]
    # The next that comes in shows that nothing came twice.
    phone.receive(ANA, "after the hour", at=phone.now())
    last = api.send(ANA, "answer")["message"]["id"]
    assert api.reaches(last, "delivered")
    assert len(heard()) == 1
