"""Contacts and their channels: create, read, change, merge, delete, metrics (R-METRIC-1)."""

from __future__ import annotations

import pytest
from zavudev import BadRequestError, NotFoundError, Zavudev

from harness.api import Api
from harness.sdk import extra


def test_a_contact_is_made_read_changed_and_deleted(sdk: Zavudev) -> None:
    made = sdk.contacts.create(
        channels=[
            {"channel": "sms", "identifier": "+40 722 500 001", "is_primary": True, "label": "work"},
            {"channel": "email", "identifier": "ana@example.com"},
        ],
        display_name="Ana",
        metadata={"tier": "gold"},
    )
    assert made.display_name == "Ana"
    assert made.primary_phone == "+40722500001"
    assert made.country_code == "RO"
    assert made.metadata == {"tier": "gold"}
    assert sdk.contacts.retrieve(made.id) == made
    assert sdk.contacts.retrieve_by_phone("+40722500001").id == made.id

    changed = sdk.contacts.update(made.id, display_name="Ana P.", default_channel="sms", metadata={"tier": "silver"})
    assert (changed.display_name, changed.default_channel, changed.metadata) == ("Ana P.", "sms", {"tier": "silver"})
    same = sdk.contacts.update(made.id)
    assert same.display_name == "Ana P."
    cleared = sdk.contacts.update(made.id, display_name=None, default_channel=None)
    assert cleared.display_name is None
    assert cleared.default_channel is None

    sdk.contacts.delete(made.id)
    with pytest.raises(NotFoundError):
        sdk.contacts.retrieve(made.id)
    with pytest.raises(NotFoundError):
        sdk.contacts.retrieve_by_phone("+40722500001")


def test_channels_are_added_changed_made_primary_and_removed(sdk: Zavudev) -> None:
    contact = sdk.contacts.create(channels=[{"channel": "sms", "identifier": "+40722510001"}]).id
    second = sdk.contacts.channels.add(contact, channel="sms", identifier="+40722510002", label="private").channel
    assert (second.identifier, second.label, second.is_primary) == ("+40722510002", "private", False)
    updated = sdk.contacts.channels.update(second.id, contact_id=contact, label=None, verified=True, metadata={"a": "b"})
    assert (updated.channel.label, updated.channel.verified, updated.channel.metadata) == (None, True, {"a": "b"})
    assert sdk.contacts.channels.set_primary(second.id, contact_id=contact).channel.is_primary is True
    shown = sdk.contacts.retrieve(contact)
    assert shown.primary_phone == "+40722510002"
    assert {it.identifier for it in shown.channels or [] if it.is_primary and it.channel == "sms"} == {"+40722510002"}

    sdk.contacts.channels.remove(second.id, contact_id=contact)
    left = sdk.contacts.retrieve(contact).channels or []
    assert {it.identifier for it in left} == {"+40722510001"}
    with pytest.raises(NotFoundError):
        sdk.contacts.channels.update(second.id, contact_id=contact, label="x")


def test_the_last_address_stays(sdk: Zavudev) -> None:
    contact = sdk.contacts.create(channels=[{"channel": "email", "identifier": "last@example.com"}])
    assert contact.channels
    with pytest.raises(BadRequestError) as refused:
        sdk.contacts.channels.remove(contact.channels[0].id, contact_id=contact.id)
    assert isinstance(refused.value.body, dict)
    assert refused.value.body["code"] == "bad_request"


def test_an_address_belongs_to_one_contact(sdk: Zavudev) -> None:
    first = sdk.contacts.create(channels=[{"channel": "sms", "identifier": "+40722520001"}])
    other = sdk.contacts.create(channels=[{"channel": "sms", "identifier": "+40722520002"}])
    for call in (
        lambda: sdk.contacts.create(channels=[{"channel": "sms", "identifier": "+40722520001"}]),
        lambda: sdk.contacts.channels.add(other.id, channel="sms", identifier="+40722520001"),
    ):
        with pytest.raises(BadRequestError) as refused:
            call()
        assert isinstance(refused.value.body, dict)
        assert refused.value.body["code"] == "bad_request"
        assert refused.value.body["details"]["contactId"] == first.id


def test_two_contacts_become_one(sdk: Zavudev, api: Api) -> None:
    target = sdk.contacts.create(channels=[{"channel": "sms", "identifier": "+40722530001"}], display_name="Kept")
    source = sdk.contacts.create(channels=[{"channel": "sms", "identifier": "+40722530002"}])
    api.ended(api.send("+40722530002")["message"]["id"])
    merged = sdk.contacts.merge(target.id, source_contact_id=source.id)
    assert merged.id == target.id
    assert {it.identifier for it in merged.channels or []} >= {"+40722530001", "+40722530002"}
    assert sdk.contacts.retrieve_by_phone("+40722530002").id == target.id
    assert source.id not in [it.id for it in sdk.contacts.list()]
    with pytest.raises(BadRequestError):
        sdk.contacts.merge(target.id, source_contact_id=target.id)
    with pytest.raises(NotFoundError):
        sdk.contacts.merge(target.id, source_contact_id="ct_0000000000001")


def test_contacts_are_listed_searched_and_paged(sdk: Zavudev) -> None:
    made = [
        sdk.contacts.create(
            channels=[{"channel": "sms", "identifier": f"+4072254{number:04}"}], display_name=f"Pager {number:02}"
        ).id
        for number in range(25)
    ]
    pages = sdk.contacts.list(limit=10, search="Pager")
    assert len(pages.items) == 10
    assert sorted(it.id for it in pages) == sorted(made)
    assert [it.id for it in sdk.contacts.list(phone_number="+40722540007")] == [made[7]]
    assert [it.id for it in sdk.contacts.list(search="Pager 13")] == [made[13]]
    assert sdk.contacts.list(search="nobody at all").items == []


def test_a_first_message_makes_the_contact_and_deliveries_make_its_metrics(sdk: Zavudev, api: Api) -> None:
    number = "+40722550001"
    for text in ("one", "two"):
        api.ended(sdk.messages.send(to=number, text=text).message.id)
    api.inbound(number)
    api.ended(sdk.messages.send(to=number, text="three").message.id)
    contact = sdk.contacts.retrieve_by_phone(number)
    metrics = extra(contact, "channelMetrics")
    assert metrics["sms"]["successCount"] == 2
    assert metrics["sms"]["failureCount"] == 0
    assert metrics["whatsapp"]["successCount"] == 1
    by_channel = {it.channel: it for it in contact.channels or []}
    sms = by_channel["sms"].metrics
    assert sms is not None
    assert (sms.success_count, sms.failure_count, sms.total_attempts) == (2, 0, 2)
    assert sms.avg_delivery_time_ms and sms.avg_delivery_time_ms > 0
    assert sms.last_success_at is not None
    assert by_channel["whatsapp"].last_inbound_at is not None
    assert set(contact.available_channels) >= {"sms", "whatsapp"}


def test_a_failure_counts_against_the_channel(sdk: Zavudev, api: Api) -> None:
    number = "+40725000003"
    api.ended(sdk.messages.send(to=number, text="x", channel="sms").message.id)
    assert extra(sdk.contacts.retrieve_by_phone(number), "channelMetrics")["sms"]["failureCount"] == 1


def test_a_poor_record_moves_the_next_message_to_the_other_channel(sdk: Zavudev, api: Api) -> None:
    # Undeliverable on WhatsApp, and fine by SMS: three failures, and the success rule passes it over.
    number = "+40726000013"
    api.inbound(number)
    for text in ("one", "two", "three"):
        sent = sdk.messages.send(to=number, text=text, channel="whatsapp")
        assert api.ended(sent.message.id)["status"] == "failed"
    answer = api.send(number, "four", category="promotional")
    assert answer["message"]["channel"] == "sms"
    verdicts = {it["channel"]: it["verdict"] for it in api.routing(answer["message"]["id"])["decisions"][0]["channels"]}
    assert verdicts["whatsapp"] == "poor_record"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (["channels"], {}),
        (["channels"], {"channels": []}),
        (["channels", "0", "identifier"], {"channels": [{"channel": "sms", "identifier": "x"}]}),
        (["channels", "0", "channel"], {"channels": [{"channel": "pigeon", "identifier": "+40722560001"}]}),
        (["channels", "1", "identifier"], {"channels": [
            {"channel": "sms", "identifier": "+40722560001"}, {"channel": "email", "identifier": "no address"}]}),
        (["displayName"], {"channels": [{"channel": "sms", "identifier": "+40722560001"}], "displayName": "x" * 201}),
    ],
)
def test_a_wrong_contact_is_refused_by_its_field(sdk: Zavudev, path: list[str], body: object) -> None:
    with pytest.raises(BadRequestError) as refused:
        sdk.post("/v1/contacts", cast_to=object, body=body)
    assert isinstance(refused.value.body, dict)
    assert path in [it["path"] for it in refused.value.body["details"]["errors"]]
    assert sdk.contacts.list(search="+40722560001").items == []


def test_unknown_contacts_are_not_found(sdk: Zavudev) -> None:
    for call in (
        lambda: sdk.contacts.retrieve("ct_0000000000001"),
        lambda: sdk.contacts.update("contactId", display_name="x"),
        lambda: sdk.contacts.delete("contactId"),
        lambda: sdk.contacts.channels.add("contactId", channel="sms", identifier="+40722560009"),
        lambda: sdk.contacts.retrieve_by_phone("+40722560009"),
    ):
        with pytest.raises(NotFoundError):
            call()
