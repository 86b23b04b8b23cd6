"""Tandem as a client of an SMSC made with node-smpp."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.api import Api
from harness.server import LIVE_KEY, Server, project, smpp_route
from harness.smsc import Smsc, joined, smsc_script
from harness.wait import free_port, until

US = "40700000009"
THROTTLED = 0x58
QUEUE_FULL = 0x14
INVALID_DESTINATION = 0x0B

LONG_UNICODE = "Ședința de mâine începe la ora 9 😀. " * 8
LONG_GSM = "All {brackets} and € count twice. " * 10


@pytest.fixture(scope="module")
def smsc() -> Iterator[Smsc]:
    """The SMSC, for all tests of this file."""
    smsc = Smsc(["node", str(smsc_script("smsc_node/smsc.mjs")), str(free_port())])
    yield smsc
    smsc.close()


@pytest.fixture(scope="module")
def server(start: Callable[..., Server], smsc: Smsc) -> Server:
    """Tandem with a route to it."""
    return start(project() + smpp_route(smsc.of("listening")[0]["port"]))


@pytest.fixture
def api(server: Server, smsc: Smsc) -> Api:
    """The API, with the route up and every setting of the SMSC at its default."""
    api = Api(server.url, LIVE_KEY)
    smsc.do("receipts", stat="DELIVRD")
    _up(api)
    return api


def _condition(api: Api) -> str:
    return str(api.get("/v1/routes")["items"][0]["condition"])


def _up(api: Api) -> None:
    until("the route is up", lambda: _condition(api) == "up")


def _submissions(smsc: Smsc, to: str) -> list[dict[str, Any]]:
    return smsc.of("submit", to=to.removeprefix("+"))


def test_it_binds_as_a_transceiver_of_version_3_4(api: Api, smsc: Smsc) -> None:
    bound = smsc.wait("bound")[0]
    assert (bound["as"], bound["systemId"], bound["version"]) == ("bind_transceiver", "acme", 0x34)


@pytest.mark.parametrize(
    ("text", "coding", "parts"),
    [("Hello", 0, 1), ("Bună ziua 😀", 8, 1), (LONG_UNICODE, 8, 5), (LONG_GSM, 0, 3)],
    ids=["short", "short-unicode", "long-unicode", "long-gsm"],
)
def test_a_text_arrives_as_it_was_sent(api: Api, smsc: Smsc, text: str, coding: int, parts: int) -> None:
    to = f"+4072260{coding}{len(text):03}"
    sent = api.send(to, text)["message"]["id"]
    message = api.ended(sent)
    assert message["status"] == "delivered"
    submitted = _submissions(smsc, to)
    assert len(submitted) == parts
    assert {it["dataCoding"] for it in submitted} == {coding}
    assert {it["from"] for it in submitted} == {US}
    assert {it["registered"] & 1 for it in submitted} == {1}
    assert joined(submitted) == text
    attempt = api.routing(sent)["attempts"][0]
    assert (attempt["segments"], attempt["segmentsAccepted"], attempt["segmentsDelivered"]) == (parts,) * 3


def test_a_long_message_is_delivered_only_when_all_of_its_parts_are(api: Api, smsc: Smsc) -> None:
    smsc.do("receipts", stat=None)
    sent = api.send("+40722610001", LONG_UNICODE)["message"]["id"]
    smsc.wait("submit", 5, to="40722610001")
    assert api.reaches(sent, "sent")["status"] == "sent"
    attempt = api.routing(sent)["attempts"][0]
    assert (attempt["segmentsAccepted"], attempt["segmentsDelivered"]) == (5, 0)


@pytest.mark.parametrize("status", [THROTTLED, QUEUE_FULL], ids=["throttled", "queue-full"])
def test_what_is_refused_as_too_fast_is_sent_again(api: Api, smsc: Smsc, status: int) -> None:
    to = f"+4072262{status:04}"
    smsc.do("answer", statuses=[status])
    sent = api.send(to, "Patience")["message"]["id"]
    assert api.ended(sent)["status"] == "delivered"
    assert [it["status"] for it in _submissions(smsc, to)] == [status, 0]


def test_what_is_refused_for_good_fails_with_its_reason(api: Api, smsc: Smsc) -> None:
    smsc.do("answer", statuses=[INVALID_DESTINATION])
    message = api.ended(api.send("+40722630001", "Nobody")["message"]["id"])
    assert message["status"] == "failed"
    assert message["errorCode"]
    assert message["errorMessage"]
    assert len(_submissions(smsc, "+40722630001")) == 1


@pytest.mark.parametrize("stat", ["UNDELIV", "REJECTD", "EXPIRED"])
def test_a_receipt_that_says_no_fails_the_message(api: Api, smsc: Smsc, stat: str) -> None:
    smsc.do("receipts", stat=stat)
    number = {"UNDELIV": 1, "REJECTD": 2, "EXPIRED": 3}[stat]
    message = api.ended(api.send(f"+4072264000{number}", "Hello?")["message"]["id"])
    assert message["status"] == "failed"


def test_what_people_write_is_received(api: Api, smsc: Smsc) -> None:
    taken = smsc.count("taken")
    smsc.do("inbound", **{"from": "40722650001", "to": US, "parts": ["Mulțumesc! 😀"]})
    smsc.do("inbound", **{"from": "40722650002", "to": US, "parts": ["Plain thanks"]})
    smsc.wait("taken", taken + 2, status=0)
    for number, text in (("+40722650001", "Mulțumesc! 😀"), ("+40722650002", "Plain thanks")):
        found = until(f"{number} is received", lambda: api.everything("/v1/messages", status="received", to=number))
        assert [it["text"] for it in found] == [text]
        assert (found[0]["from"], found[0]["to"], found[0]["direction"]) == (number, "+" + US, "inbound")


def test_a_long_inbound_message_is_one_in_whatever_order_its_parts_come(api: Api, smsc: Smsc) -> None:
    parts = ["Первая часть, ", "вторая 😀, ", "и третья."]
    smsc.do("inbound", **{"from": "40722660001", "to": US, "parts": parts, "order": [2, 0, 1]})
    found = until("it is whole", lambda: api.everything("/v1/messages", status="received", to="+40722660001"))
    assert [it["text"] for it in found] == ["".join(parts)]


def test_an_answer_to_an_inbound_sms_goes_by_sms(api: Api, smsc: Smsc) -> None:
    smsc.do("inbound", **{"from": "40722670001", "to": US, "parts": ["When?"]})
    until("it is received", lambda: api.everything("/v1/messages", to="+40722670001"))
    answer = api.send("+40722670001", "At nine")
    assert answer["routing"]["reason"] == "reply_same_channel"
    assert api.ended(answer["message"]["id"])["status"] == "delivered"


@pytest.mark.parametrize("how", ["unbind", "drop"])
def test_a_lost_connection_is_made_again(api: Api, smsc: Smsc, how: str) -> None:
    bound = smsc.count("bound")
    smsc.do(how)
    smsc.wait("bound", bound + 1)
    _up(api)
    sent = api.send("+40722680001", f"After {how}")["message"]["id"]
    assert api.ended(sent)["status"] == "delivered"


def test_what_is_sent_while_the_smsc_is_away_waits_for_it(api: Api, smsc: Smsc) -> None:
    smsc.do("away")
    until("the route is down", lambda: _condition(api) == "down")
    sent = [api.send(f"+4072269000{number}", "Later")["message"]["id"] for number in range(3)]
    assert {api.message(it)["status"] for it in sent} == {"queued"}
    assert smsc.count("submit", text="Later") == 0
    smsc.do("back")
    assert {api.ended(it)["status"] for it in sent} == {"delivered"}
    assert smsc.count("submit", text="Later") == 3


def test_it_unbinds_when_it_stops(api: Api, server: Server, smsc: Smsc) -> None:
    unbound = smsc.count("unbound")
    assert server.terminate() == 0
    smsc.wait("unbound", unbound + 1)
