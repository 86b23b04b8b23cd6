"""What a phone was handed does not leave once its recipient has opted out (R-IN-2), as far as the phone has not sent it;
the message fails for that reason once it is certain that it does not leave (R-PHONE-3)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from itertools import count

import pytest

from harness.api import Api
from harness.phone import Phone, pool
from harness.server import Server
from harness.wait import until

#: Each test has a person of its own: who opted out stays so.
_people = count(40721500001)
SOMEBODY_ELSE = "+40721000002"
EACH_WAY = pytest.mark.parametrize("how", ["by keyword", "by API"])


@pytest.fixture(scope="module")
def server(start: Callable[..., Server]) -> Server:
    """A server whose clock can be put forward."""
    return start(pool(hold="2m"), called=True, clock=True)


@pytest.fixture
def person() -> str:
    """Somebody who has not opted out yet."""
    return f"+{next(_people)}"


def _opts_out(api: Api, phone: Phone, person: str, how: str) -> None:
    contact = api.get(f"/v1/contacts/phone/{person}")["id"]
    if how == "by API":
        api.post(f"/v1/contacts/{contact}/opt-out", {"reason": "by telephone"})
    else:
        phone.receive(person, "STOP")
        until("the keyword is heard", lambda: api.get(f"/v1/contacts/{contact}")["optedOut"])


def _fails_as_opted_out(api: Api, message: str) -> bool:
    ended = api.ended(message)
    return (ended["status"], ended["errorCode"]) == ("failed", "recipient_opted_out")


def _handed(server: Server, text: str) -> bool:
    database = sqlite3.connect(f"file:{server.folder}/tandem.db?mode=ro", uri=True)
    try:
        return database.execute("SELECT count(*) FROM phone_handing WHERE text = ?", (text,)).fetchone()[0] > 0
    finally:
        database.close()


def _texts_sent(api: Api, *phones: Phone) -> list[str]:
    """All that has left, once what comes now has left as well."""
    assert api.reaches(api.send(SOMEBODY_ELSE, "the last")["message"]["id"], "delivered")
    return [it.text for phone in phones for it in phone.sent]


@EACH_WAY
def test_what_a_sleeping_phone_has_not_fetched_it_never_gets(
    server: Server, api: Api, paired: Callable[..., Phone], person: str, how: str
) -> None:
    phone = paired()
    until("it has pulled what there was", lambda: phone.pulls)
    wake, phone.wake = phone.wake, lambda: None  # type: ignore[method-assign]
    text = f"not fetched {how}"
    sent = api.send(person, text)["message"]["id"]
    until("it is handed over", lambda: _handed(server, text))
    _opts_out(api, phone, person, how)
    phone.wake = wake  # type: ignore[method-assign]
    phone.ping()
    assert _fails_as_opted_out(api, sent)
    left = _texts_sent(api, phone)
    assert text not in left
    assert not [it for it in phone.messages.values() if it.text == text]
    # The confirmation, where one is due, and what is somebody else's.
    assert len(left) == (2 if how == "by keyword" else 1), left


@EACH_WAY
def test_what_a_phone_has_and_has_not_sent_it_cancels(
    api: Api, paired: Callable[..., Phone], person: str, how: str
) -> None:
    phone = paired(holds=True)
    sent = api.send(person, "held")["message"]["id"]
    until("the phone has it", lambda: [it for it in phone.messages.values() if it.text == "held"])
    _opts_out(api, phone, person, how)
    [held] = [it for it in phone.messages.values() if it.text == "held"]
    until("it is cancelled", lambda: held.state == "Cancelled")
    assert _fails_as_opted_out(api, sent)
    phone.let_go()
    assert "held" not in _texts_sent(api, phone)


def test_a_phone_that_is_away_with_it_hears_of_it_when_it_is_back(
    api: Api, paired: Callable[..., Phone], person: str
) -> None:
    phone = paired(holds=True)
    sent = api.send(person, "out of reach")["message"]["id"]
    until("the phone has it", lambda: [it for it in phone.messages.values() if it.text == "out of reach"])
    phone.stop()
    _opts_out(api, phone, person, "by API")
    # Nobody knows yet whether the phone has sent it.
    assert api.message(sent)["status"] == "sending"
    phone.start()
    assert _fails_as_opted_out(api, sent)
    phone.let_go()
    assert "out of reach" not in _texts_sent(api, phone)


def test_one_that_does_not_come_back_is_waited_for_until_it_cannot_send_it_any_more(
    server: Server, api: Api, paired: Callable[..., Phone], person: str
) -> None:
    phone = paired(holds=True)
    sent = api.send(person, "gone with it")["message"]["id"]
    until("the phone has it", lambda: [it for it in phone.messages.values() if it.text == "gone with it"])
    phone.stop()
    _opts_out(api, phone, person, "by API")
    assert api.message(sent)["status"] == "sending"
    assert server.clock is not None
    server.clock.forward(seconds=200)
    assert _fails_as_opted_out(api, sent)


def test_what_a_phone_has_sent_has_its_outcome_as_ever(
    api: Api, paired: Callable[..., Phone], person: str
) -> None:
    phone = paired(outcome="silent")
    sent = api.send(person, "sent before")["message"]["id"]
    [sms] = until("the phone sent it", lambda: [it for it in phone.sent if it.text == "sent before"])
    _opts_out(api, phone, person, "by API")
    phone.habits.outcome = "Delivered"
    phone._becomes(sms, "Delivered")
    assert api.reaches(sent, "delivered")
    assert _texts_sent(api, phone) == ["sent before", "the last"]


@pytest.mark.parametrize("has_it", [True, False], ids=["the phone has it", "it has not fetched it"])
def test_what_a_phone_was_handed_before_a_kill_does_not_leave_after_it(
    server: Server, api: Api, paired: Callable[..., Phone], person: str, has_it: bool
) -> None:
    text = f"before a kill {has_it}"
    phone = paired(holds=has_it)
    until("it has pulled what there was", lambda: phone.pulls)
    wake = phone.wake
    if not has_it:
        phone.wake = lambda: None  # type: ignore[method-assign]
    sent = api.send(person, text)["message"]["id"]
    until("it is handed over", lambda: _handed(server, text))
    if has_it:
        until("the phone has it", lambda: [it for it in phone.messages.values() if it.text == text])
    server.kill()
    # It is out of reach until its recipient has opted out.
    phone.stop()
    server.start()
    _opts_out(api, phone, person, "by API")
    phone.wake = wake  # type: ignore[method-assign]
    pulls = len(phone.pulls)
    phone.start()
    until("it has pulled", lambda: len(phone.pulls) > pulls)
    until("it has done with it", lambda: all(it.state != "Pending" for it in phone.messages.values()))
    phone.let_go()
    assert server.clock is not None
    server.clock.forward(minutes=10)
    assert _fails_as_opted_out(api, sent)
    assert text not in _texts_sent(api, phone)
