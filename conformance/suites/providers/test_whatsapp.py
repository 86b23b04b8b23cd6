"""Tandem's WhatsApp route against our Meta, and what it says beside what pywa would say."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from foreign import node, pywa_client
from pywa.types import Button, SectionList, Section, SectionRow, URLButton

from harness import mock_meta
from harness.api import Api
from harness.mock_meta import Meta, signature
from harness.server import LIVE_KEY, Server, project
from harness.wait import PATIENCE, until

#: The ends of numbers that nobody has yet.
NUMBERS = itertools.count(110_000)
SENDER = """
[[sender]]
id = "support"
name = "Support"
phone_number = "+40700000001"
default = true
routes = ["wa"]
"""


@pytest.fixture(scope="module")
def meta() -> Iterator[Meta]:
    """Meta, which calls the server."""
    meta = Meta(time.time)
    yield meta
    meta.close()


@pytest.fixture(scope="module")
def server(start: Callable[..., Server], meta: Meta) -> Server:
    """Tandem with a route to it."""
    server = start(project() + meta.route() + SENDER, called=True)
    meta.hook = server.hook("wa")
    return server


@pytest.fixture
def api(server: Server) -> Api:
    """The API, with the route up."""
    api = Api(server.url, LIVE_KEY)
    until("the route is up", lambda: api.get("/v1/routes")["items"][0]["condition"] == "up")
    return api


def _heard(api: Api, text: str) -> Any:
    found = until(f"{text!r} is received", lambda: [
        it for it in api.everything("/v1/messages", status="received") if it.get("text") == text
    ])
    assert len(found) == 1, found
    return found[0]


@pytest.fixture
def person(api: Api, meta: Meta, request: pytest.FixtureRequest) -> str:
    """A person who has just written to us."""
    number = f"+40722{next(NUMBERS)}"
    meta.inbound(number, f"Hello from {request.node.name}")
    _heard(api, f"Hello from {request.node.name}")
    return number


#: Beside the content: what a client puts around it in its own way.
_AROUND = {"wamid", "to", "biz_opaque_callback_data", "messaging_product", "recipient_type"}


def _said(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name not in _AROUND}


CONTENTS: dict[str, tuple[dict[str, Any], Callable[[Any, str], object]]] = {
    "text": (
        {"text": "Bună 😀 https://example.com"},
        lambda wa, to: wa.send_message(to=to, text="Bună 😀 https://example.com", preview_url=False),
    ),
    "image": (
        {"messageType": "image", "text": "A cat", "content": {"mediaUrl": "https://example.com/cat.jpg"}},
        lambda wa, to: wa.send_image(to=to, image="https://example.com/cat.jpg", caption="A cat"),
    ),
    "document": (
        {"messageType": "document", "content": {"mediaUrl": "https://example.com/bill.pdf", "filename": "bill.pdf"}},
        lambda wa, to: wa.send_document(to=to, document="https://example.com/bill.pdf", filename="bill.pdf"),
    ),
    "location": (
        {"messageType": "location", "content": {"latitude": 44.43, "longitude": 26.1, "locationName": "Us", "locationAddress": "Street 1"}},
        lambda wa, to: wa.send_location(to=to, latitude=44.43, longitude=26.1, name="Us", address="Street 1"),
    ),
    "buttons": (
        {"messageType": "buttons", "text": "Well?", "content": {"buttons": [{"id": "y", "title": "Yes"}, {"id": "n", "title": "No"}]}},
        lambda wa, to: wa.send_message(to=to, text="Well?", buttons=[Button("Yes", "y"), Button("No", "n")]),
    ),
    "list": (
        {"messageType": "list", "text": "Which?", "content": {"listButton": "Choose", "sections": [
            {"title": "Sizes", "rows": [{"id": "s", "title": "Small", "description": "Up to 1 kg"}]}]}},
        lambda wa, to: wa.send_message(to=to, text="Which?", buttons=SectionList("Choose", [
            Section("Sizes", [SectionRow("Small", "s", "Up to 1 kg")])])),
    ),
    "cta_url": (
        {"messageType": "cta_url", "text": "Look", "content": {"ctaDisplayText": "Open", "ctaUrl": "https://example.com/x"}},
        lambda wa, to: wa.send_message(to=to, text="Look", buttons=URLButton("Open", "https://example.com/x")),
    ),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_it_says_what_pywa_would_say(api: Api, meta: Meta, person: str, name: str) -> None:
    body, theirs = CONTENTS[name]
    answer = api.post("/v1/messages", {"to": person, "channel": "whatsapp", **body})
    assert "warnings" not in answer, answer
    assert api.ended(answer["message"]["id"])["status"] == "delivered"
    theirs(pywa_client(meta), person)
    ours, pywas = (_said(it) for it in meta.messages[-2:])
    assert _without_nulls(ours) == _without_nulls(pywas)


def _without_nulls(value: Any) -> Any:
    """A value without what says nothing: null, and a preview that is off."""
    if isinstance(value, dict):
        found = {name: _without_nulls(it) for name, it in value.items() if it is not None}
        return {name: it for name, it in found.items() if (name, it) != ("preview_url", False)}
    return [_without_nulls(it) for it in value] if isinstance(value, list) else value


def test_meta_confirms_the_url_only_with_the_token(server: Server, meta: Meta) -> None:
    challenge = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    right = httpx.get(server.hook("wa"), params={**challenge, "hub.verify_token": mock_meta.VERIFY_TOKEN}, trust_env=False)
    assert (right.status_code, right.text) == (200, "1158201444")
    # The same as a program for this purpose answers.
    theirs = node(meta, do="handshake", query={**challenge, "hub.verify_token": mock_meta.VERIFY_TOKEN})
    assert theirs["ok"] == right.text
    wrong = httpx.get(server.hook("wa"), params={**challenge, "hub.verify_token": "guess"}, trust_env=False)
    assert wrong.status_code == 403


def test_a_callback_that_is_not_signed_rightly_changes_nothing(api: Api, server: Server, meta: Meta) -> None:
    value = meta.inbound_value("+40722199999", "wamid.forged", {"type": "text", "text": {"body": "Forged"}}, "Eve")
    body = meta.callback("messages", value)
    for signed in ("", "sha256=", signature(body, "another secret"), signature(body + b" "), signature(body)[:-1]):
        headers = {"X-Hub-Signature-256": signed, "Content-Type": "application/json"}
        answer = httpx.post(server.hook("wa"), content=body, headers=headers, timeout=PATIENCE, trust_env=False)
        assert answer.status_code in (401, 403), signed
    assert not [it for it in api.everything("/v1/messages", status="received") if it["text"] == "Forged"]


def test_a_callback_that_comes_twice_is_one_message(api: Api, server: Server, meta: Meta) -> None:
    value = meta.inbound_value("+40722199998", "wamid.twice", {"type": "text", "text": {"body": "Twice, é"}}, "Ană")
    for _ in range(3):
        assert meta.call("messages", value).status_code == 200
    heard = _heard(api, "Twice, é")
    assert (heard["from"], heard["channel"]) == ("+40722199998", "whatsapp")


def test_a_read_receipt_says_more_than_a_delivered_one_whatever_the_order(api: Api, meta: Meta, person: str) -> None:
    meta.progress = ()
    try:
        sent = api.send(person, "Read me", channel="whatsapp")["message"]["id"]
        wamid = meta.sent_to(person)[-1]["wamid"]
        for status in ("read", "sent", "delivered"):
            assert meta.status(wamid, status).status_code == 200
        assert api.reaches(sent, "read")["status"] == "read"
    finally:
        meta.progress = ("sent", "delivered")


def test_a_failed_receipt_carries_metas_code(api: Api, meta: Meta, person: str) -> None:
    meta.progress = ()
    try:
        sent = api.send(person, "Fail", channel="whatsapp")["message"]["id"]
        wamid = meta.sent_to(person)[-1]["wamid"]
        meta.status(wamid, "sent")
        meta.status(wamid, "failed", [{"code": 131026, "title": "Message undeliverable"}])
        ended = api.ended(sent)
        assert (ended["status"], ended["errorCode"]) == ("failed", "131026")
    finally:
        meta.progress = ("sent", "delivered")


def test_throttling_is_waited_for_and_a_refusal_is_not(api: Api, meta: Meta, person: str) -> None:
    meta.refuse(130429, "Rate limit hit", 429)
    assert api.ended(api.send(person, "Patience", channel="whatsapp")["message"]["id"])["status"] == "delivered"
    meta.refuse(131009, "Parameter value is not valid")
    ended = api.ended(api.send(person, "Wrong", channel="whatsapp")["message"]["id"])
    assert (ended["status"], ended["errorCode"]) == ("failed", "131009")


def test_free_form_is_refused_while_the_window_is_closed(api: Api) -> None:
    answer = api.http.post("/v1/messages", json={"to": "+40722188888", "text": "Hi", "channel": "whatsapp"})
    assert (answer.status_code, answer.json()["code"]) == (400, "whatsapp_window_closed")


def test_metas_word_on_the_window_overrules_ours(api: Api, meta: Meta, person: str) -> None:
    meta.refuse(131047, "More than 24 hours have passed since the customer last replied")
    ended = api.ended(api.send(person, "Open?", channel="whatsapp")["message"]["id"])
    assert (ended["status"], ended["errorCode"]) == ("failed", "131047")
    answer = api.http.post("/v1/messages", json={"to": person, "text": "Hi", "channel": "whatsapp"})
    assert (answer.status_code, answer.json()["code"]) == (400, "whatsapp_window_closed")
