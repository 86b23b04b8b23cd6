"""A message leaves a phone for another route only when the phone will certainly not send it (R-PHONE-3), and phones
carry what nothing else can (R-QUOTA-3, so far as routes can be down)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from harness.api import Api
from harness.phone import Phone, pool
from harness.server import LIVE_KEY, Server
from harness.wait import until


ANA = "+40721000001"


@pytest.fixture(scope="module")
def server(start: Callable[..., Server]) -> Server:
    """A server whose clock can be put forward."""
    return start(pool(hold="2m"), called=True, clock=True)


def _ids(phone: Phone, text: str) -> list[str]:
    return [it.id for it in phone.messages.values() if it.text == text]


def _is_to_be_cancelled(server: Server, text: str) -> bool:
    """Whether the server has resolved to cancel this; only its database says so before the phone asks."""
    database = sqlite3.connect(f"file:{server.folder}/tandem.db?mode=ro", uri=True)
    try:
        query = "SELECT count(*) FROM phone_handing WHERE text = ? AND cancelling"
        return bool(database.execute(query, (text,)).fetchone()[0])
    finally:
        database.close()


# 6. Cancelling.


def test_what_a_phone_did_not_fetch_goes_to_another_at_once(api: Api, paired: Callable[..., Phone]) -> None:
    deaf = paired(name="Google/deaf")
    # A phone whose connection hangs: the stream is open, and nobody reads it.
    deaf.wake = lambda: None  # type: ignore[method-assign]
    sent = api.send(ANA, "who hears me")["message"]["id"]
    other = paired(name="Google/other")
    assert api.reaches(sent, "delivered")
    assert (deaf.sent, [it.text for it in other.sent]) == ([], ["who hears me"])


def test_a_phone_that_goes_away_with_a_message_keeps_it_until_it_says_that_it_will_not_send_it(
    api: Api, paired: Callable[..., Phone], server: Server
) -> None:
    phone = paired(name="Google/first", holds=True)
    sent = api.send(ANA, "held by the first")["message"]["id"]
    until("the phone has it", lambda: _ids(phone, "held by the first"))
    phone.stop()
    other = paired(name="Google/second")
    until("the first is away", lambda: [it for it in api.get("/v1/phones")["items"] if not it["present"]])
    # Had the phone come back before, the message would go on.
    until("it is to be cancelled", lambda: _is_to_be_cancelled(server, "held by the first"))
    assert (other.sent, api.message(sent)["status"]) == ([], "sending")
    phone.start()
    [first] = _ids(phone, "held by the first")
    until("it said that it will not send it", lambda: phone.messages[first].state == "Cancelled")
    # The person knows this phone, and it is back: it may be asked again, under another id.
    phone.let_go()
    assert api.reaches(sent, "delivered")
    assert phone.messages[first].state == "Cancelled"
    assert [it.text for it in [*phone.sent, *other.sent]] == ["held by the first"]


def test_cancelling_what_was_sent_changes_nothing(api: Api, paired: Callable[..., Phone]) -> None:
    phone = paired(name="Google/first", outcome="silent", disorder=False)
    sent = api.send(ANA, "sent and silent")["message"]["id"]
    until("the phone sent it", lambda: phone.sent)
    phone.stop()
    other = paired(name="Google/second")
    until("the first is away", lambda: [it for it in api.get("/v1/phones")["items"] if not it["present"]])
    # Whatever goes to the other phone comes behind what had gone there before.
    assert api.reaches(api.send("+40721000002", "to somebody else")["message"]["id"], "delivered")
    assert [it.text for it in other.sent] == ["to somebody else"]
    phone.habits.outcome = "Delivered"
    [sms] = phone.sent
    sms.state = "Sent"
    phone.start()
    until("it is back", lambda: ("PATCH", "/device", 204) in phone.statuses)
    phone._report(sms)
    assert api.reaches(sent, "sent", "delivered")
    assert [it.text for it in other.sent] == ["to somebody else"]


# 9. A phone that is away past the validity.


def test_what_is_out_of_time_on_a_phone_is_sent_once_by_another_and_never_by_it(
    api: Api, paired: Callable[..., Phone], server: Server
) -> None:
    phone = paired(name="Google/first", holds=True)
    sent = api.send(ANA, "out of time", validity=3600)["message"]["id"]
    until("the phone has it", lambda: _ids(phone, "out of time"))
    phone.stop()
    assert server.clock is not None
    server.clock.forward(seconds=200)
    other = paired(name="Google/second")
    assert api.reaches(sent, "delivered")
    assert [it.text for it in other.sent] == ["out of time"]
    # It comes back, its clock as far ahead as ours, and would send what it holds.
    phone.habits.skew = 200
    phone.start()
    phone.let_go()
    until("it said that it will not", lambda: all(it.state in ("Failed", "Cancelled") for it in phone.messages.values()))
    assert phone.sent == []
    assert [it.text for it in other.sent] == ["out of time"]


# Clocks.


def test_a_phone_whose_clock_is_ahead_sends_all_the_same(api: Api, paired: Callable[..., Phone]) -> None:
    # Further than it may hold a message.
    phone = paired(name="Google/ahead", skew=600)
    first = api.send(ANA, "ahead of time")["message"]["id"]
    assert api.reaches(first, "delivered")
    assert [it.text for it in phone.sent] == ["ahead of time"]
    # At the first it did not know better, at most.
    assert len(phone.messages) <= 2


def test_a_phone_whose_clock_is_behind_does_not_send_what_another_sent(
    api: Api, paired: Callable[..., Phone], server: Server
) -> None:
    phone = paired(name="Google/behind", holds=True, skew=-300)
    phone.ping()
    until("it said how it is", lambda: [it for it in api.get("/v1/phones")["items"] if it.get("health")])
    sent = api.send(ANA, "behind the time", validity=3600)["message"]["id"]
    until("the phone has it", lambda: _ids(phone, "behind the time"))
    phone.stop()
    assert server.clock is not None
    server.clock.forward(seconds=185)
    other = paired(name="Google/second")
    assert api.reaches(sent, "delivered")
    # It comes back; as much time has passed for it.
    phone.habits.skew = -300 + 185
    phone.let_go()
    phone.start()
    until("it said that it will not", lambda: all(it.state in ("Failed", "Cancelled") for it in phone.messages.values()))
    assert (phone.sent, [it.text for it in other.sent]) == ([], ["behind the time"])


def test_a_phone_without_service_rests_and_another_sends(api: Api, paired: Callable[..., Phone]) -> None:
    phone = paired(name="Google/first", outcome="Failed: RESULT_ERROR_NO_SERVICE")
    sent = api.send(ANA, "no service")["message"]["id"]
    until("it failed", lambda: [it for it in phone.messages.values() if it.state == "Failed"])
    until("it rests", lambda: [it for it in api.get("/v1/phones")["items"] if it.get("restsUntil")])
    other = paired(name="Google/second")
    assert api.reaches(sent, "delivered")
    assert [it.text for it in other.sent] == ["no service"]


def test_phones_come_last_and_another_route_takes_what_they_do_not_hold(
    start: Callable[..., Server], paired: Callable[..., Phone]
) -> None:
    gateway = '[[route]]\nid = "gw"\nchannel = "sms"\nclass = "gateway"\nprovider = "smpp"\n' \
        'smpp = { host = "127.0.0.1", port = 1, system_id = "a", password = "b" }\n'
    server = start(pool(more=gateway, routes='"gw", "phones"'), called=True)
    phone = paired(on=server)
    api = Api(server.url, LIVE_KEY)
    # The gateway is down: the message is the phones'. Bulk never is.
    direct = api.send(ANA, "direct")["message"]["id"]
    bulk = api.send(ANA, "bulk", trafficClass="bulk")["message"]["id"]
    assert api.reaches(direct, "delivered")
    decisions = api.routing(direct)
    assert "phone" in str(decisions)
    # What comes later passes it by.
    assert api.reaches(api.send(ANA, "later")["message"]["id"], "delivered")
    assert api.message(bulk)["status"] == "queued"
    assert [it.text for it in phone.sent] == ["direct", "later"]
