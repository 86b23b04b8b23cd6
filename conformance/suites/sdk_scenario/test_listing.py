"""Lists: pages, order, filters; one message; unknown ids."""

from __future__ import annotations

import pytest
from zavudev import BadRequestError, NotFoundError, Zavudev

from harness.api import Api
from harness.server import Server
from harness.wait import until

MESSAGES = 250


@pytest.fixture(scope="module")
def sent(server: Server) -> list[str]:
    """Ids of what was sent, oldest first."""
    api = Api(server.url)
    ids = [api.send(f"+4072230{number:04}", f"Message {number}")["message"]["id"] for number in range(MESSAGES)]
    until("all are delivered", lambda: len(api.everything("/v1/messages", status="delivered")) == MESSAGES)
    return ids


def test_every_message_comes_exactly_once_and_the_newest_first(sdk: Zavudev, sent: list[str]) -> None:
    first = sdk.messages.list(limit=100)
    assert len(first.items) == 100
    assert first.next_cursor
    assert [it.id for it in sdk.messages.list(limit=100)] == sent[::-1]
    assert [it.id for it in sdk.messages.list()] == sent[::-1]


def test_what_is_sent_while_pages_are_read_neither_hides_nor_repeats_others(
    sdk: Zavudev, api: Api, sent: list[str]
) -> None:
    page = sdk.messages.list(limit=100, status="delivered")
    got = [it.id for it in page.items]
    api.ended(api.send("+40722390001", "In between", channel="sms")["message"]["id"])
    while page.has_next_page():
        page = page.get_next_page()
        got += [it.id for it in page.items]
    assert [it for it in got if it in set(sent)] == sent[::-1]
    assert len(set(got)) == len(got)


def test_filters_narrow_the_list(sdk: Zavudev, api: Api, sent: list[str]) -> None:
    assert [it.id for it in sdk.messages.list(to="+40722300007")] == [sent[7]]
    assert sdk.messages.list(channel="whatsapp", to="+40722300007").items == []
    assert [it.id for it in sdk.messages.list(channel="sms", status="delivered", to="+40722300007")] == [sent[7]]
    assert sdk.messages.list(status="failed").items == []
    assert sdk.messages.list(channel="email").items == []
    inbound = api.inbound("+40722300007", "Thanks", "sms")
    assert [it.id for it in sdk.messages.list(status="received")] == [inbound]


def test_wrong_parameters_are_refused_by_name(sdk: Zavudev) -> None:
    for name, query in (
        ("limit", {"limit": 0}),
        ("limit", {"limit": 101}),
        ("cursor", {"cursor": "nonsense"}),
        ("to", {"to": "nobody"}),
        ("status", {"status": "gone"}),
        ("channel", {"channel": "pigeon"}),
    ):
        with pytest.raises(BadRequestError) as refused:
            sdk.messages.list(**query)  # type: ignore[arg-type]
        assert isinstance(refused.value.body, dict)
        assert [it["path"] for it in refused.value.body["details"]["errors"]] == [[name]]


def test_an_inbound_message_can_be_read(sdk: Zavudev, api: Api) -> None:
    inbound = sdk.messages.retrieve(api.inbound("+40722310001", "Bună 👋")).message
    assert (inbound.direction, inbound.status, inbound.text) == ("inbound", "received", "Bună 👋")
    assert inbound.from_ == "+40722310001"
    assert inbound.channel == "whatsapp"


def test_what_was_given_comes_back(sdk: Zavudev) -> None:
    sent = sdk.messages.send(to="+40 722 320 001", text="ăîșțâ 😀 \"quoted\"\n", metadata={"order": "7", "ключ": "值"})
    shown = sdk.messages.retrieve(sent.message.id).message
    assert shown.to == "+40722320001"
    assert shown.text == "ăîșțâ 😀 \"quoted\"\n"
    assert shown.metadata == {"order": "7", "ключ": "值"}
    assert shown.sender_id == "support"
    assert shown.from_ == "+40700000001"
    assert shown.conversation_id
    assert sdk.messages.list_attachments(sent.message.id).items == []


def test_ids_that_name_nothing_are_not_found(sdk: Zavudev) -> None:
    for unknown in ("msg_0000000000001", "nonsense", "msg 1/2", "ct_0000000000001"):
        with pytest.raises(NotFoundError) as refused:
            sdk.messages.retrieve(unknown)
        assert isinstance(refused.value.body, dict)
        assert refused.value.body["code"] == "not_found"
