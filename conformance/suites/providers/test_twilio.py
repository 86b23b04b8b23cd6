"""Tandem's Twilio route against our Twilio, and what it says beside what Twilio's own client says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from foreign import twilio_client
from twilio.request_validator import RequestValidator

from harness import mock_twilio
from harness.api import Api
from harness.mock_twilio import Twilio, signature
from harness.server import LIVE_KEY, Server, project
from harness.wait import until

US = "+40700000001"
SENDER = f"""
[[sender]]
id = "support"
name = "Support"
phone_number = "{US}"
default = true
routes = ["tw"]
"""


@pytest.fixture(scope="module")
def twilio() -> Iterator[Twilio]:
    """Twilio, which calls the server."""
    twilio = Twilio()
    yield twilio
    twilio.close()


@pytest.fixture(scope="module")
def server(start: Callable[..., Server], twilio: Twilio) -> Server:
    """Tandem with a route to it."""
    server = start(project() + twilio.route(mms="0.15") + SENDER, called=True)
    twilio.hook = server.hook("tw")
    return server


@pytest.fixture
def api(server: Server) -> Api:
    """The API, with the route up."""
    api = Api(server.url, LIVE_KEY)
    until("the route is up", lambda: api.get("/v1/routes")["items"][0]["condition"] == "up")
    return api


def _received(api: Api, text: str) -> list[Any]:
    return [it for it in api.everything("/v1/messages", status="received") if it["text"] == text]


def test_a_message_is_delivered_and_said_as_its_own_client_says_it(api: Api, twilio: Twilio) -> None:
    to = "+40722300001"
    sent = api.ended(api.send(to, "Bună & 😀")["message"]["id"])
    assert sent["status"] == "delivered"
    ours = twilio.sent_to(to)[0]
    callback = ours.pop("StatusCallback")
    twilio_client(twilio).messages.create(to=to, from_=US, body="Bună & 😀")
    theirs = twilio.sent_to(to, 2)[1]
    assert {**ours, "sid": ""} == {**theirs, "sid": ""} | {it: ours[it] for it in ours.keys() - theirs.keys()}
    assert callback.startswith(twilio.hook)


def test_a_picture_goes_as_an_mms_and_is_said_as_its_own_client_says_it(api: Api, twilio: Twilio) -> None:
    to, url = "+40722300002", "https://cdn.example/cat.jpg?size=1&x=2"
    content = {"messageType": "image", "text": "O pisică 🐈", "content": {"mediaUrl": url}}
    sent = api.post("/v1/messages", {"to": to, "channel": "sms", **content})
    assert (sent["routing"]["mms"], sent["routing"]["segments"], sent["routing"]["costEstimated"]) == (True, 1, 0.15)
    assert api.ended(sent["message"]["id"])["status"] == "delivered"
    ours = twilio.sent_to(to)[0]
    twilio_client(twilio).messages.create(to=to, from_=US, body="O pisică 🐈", media_url=[url])
    theirs = twilio.sent_to(to, 2)[1]
    assert {it: ours[it] for it in theirs.keys() - {"sid"}} == {it: theirs[it] for it in theirs.keys() - {"sid"}}
    assert ours["StatusCallback"].startswith(twilio.hook)


def test_what_a_person_sends_as_an_mms_is_received_and_fetched(api: Api, twilio: Twilio) -> None:
    picture = b"\xff\xd8 a picture"
    twilio.inbound("+40722300012", US, "Uite", **twilio.keep("image/jpeg", picture))
    found = until("it is received", lambda: _received(api, "Uite"))
    assert [(it["messageType"], it["channel"], it["content"]["mimeType"]) for it in found] == [("image", "sms", "image/jpeg")]
    medium = api.http.get(f"/v1/messages/{found[0]['id']}/media")
    assert (medium.content, medium.headers["content-type"]) == (picture, "image/jpeg")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [("30003", "undelivered", "30003"), ("30005", "failed", "30005"), ("30019", "undelivered", "30019")],
)
def test_a_callback_that_says_failed_fails_the_message(api: Api, twilio: Twilio, error: str, status: str, code: str) -> None:
    twilio.progress = ()
    try:
        to = f"+407223100{error[-2:]}"
        sent = api.send(to, "Fail")["message"]["id"]
        sid = twilio.sent_to(to)[0]["sid"]
        assert twilio.status(sid, status, ErrorCode=error).is_success
        ended = api.ended(sent)
        assert (ended["status"], ended["errorCode"]) == ("failed", code)
    finally:
        twilio.progress = ("sent", "delivered")


def test_a_refusal_carries_twilios_code(api: Api, twilio: Twilio) -> None:
    twilio.refuse(21611, "This number has exceeded its queue", 429)
    assert api.ended(api.send("+40722300003", "Patience")["message"]["id"])["status"] == "delivered"
    twilio.refuse(21617, "The concatenated message body exceeds the 1600 character limit")
    ended = api.ended(api.send("+40722300004", "Wrong")["message"]["id"])
    assert (ended["status"], ended["errorCode"]) == ("failed", "21617")


def test_what_is_signed_by_twilios_validator_is_heard_once(api: Api, server: Server, twilio: Twilio) -> None:
    form = twilio.inbound_form("+40722300005", US, "Bună 😀 & co=1")
    signed = RequestValidator(mock_twilio.TOKEN).compute_signature(twilio.hook, form)
    for _ in range(2):
        assert twilio.call(twilio.hook, form, signed).is_success
    found = until("it is received", lambda: _received(api, "Bună 😀 & co=1"))
    assert [(it["from"], it["channel"]) for it in found] == [("+40722300005", "sms")]


def test_a_forged_callback_changes_nothing(api: Api, twilio: Twilio) -> None:
    form = twilio.inbound_form("+40722300006", US, "Forged")
    for signed in ("", "nonsense", signature(twilio.hook, form, "another token"), signature(twilio.hook + "?x=1", form)):
        assert twilio.call(twilio.hook, form, signed).status_code in (401, 403), signed
    answer = httpx.post(twilio.hook, data=form, trust_env=False)
    assert answer.status_code in (401, 403)
    assert _received(api, "Forged") == []
