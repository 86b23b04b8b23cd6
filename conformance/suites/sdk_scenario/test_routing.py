"""Which channel: the closed window, the reply, the explicit channel (R-CHAN-1, R-CHAN-2, R-WIN-2)."""

from __future__ import annotations

import pytest
from zavudev import BadRequestError, ConflictError, Zavudev

from harness.api import Api
from harness.sdk import extra


def test_me_tells_the_project_and_that_the_key_is_for_tests(sdk: Zavudev) -> None:
    me = sdk.me.retrieve()
    assert me.is_test_mode is True
    assert me.project.name == "Conformance"


def test_auto_with_a_closed_window_goes_by_sms(sdk: Zavudev, api: Api) -> None:
    answer = sdk.messages.send(to="+40722100001", text="Your parcel is on its way", channel="auto")
    assert answer.message.status == "queued"
    assert answer.message.channel == "sms"
    routing = extra(answer, "routing")
    assert (routing["channel"], routing["routeClass"]) == ("sms", "gateway")
    decision = api.routing(answer.message.id)["decisions"][0]
    dropped = {it["channel"]: it.get("reason") for it in decision["channels"] if it["verdict"] == "dropped"}
    assert dropped == {"whatsapp": "window_closed"}
    api.ended(answer.message.id)
    shown = sdk.messages.retrieve(answer.message.id).message
    assert (shown.status, shown.channel) == ("delivered", "sms")
    assert extra(shown, "attemptedChannels") == ["sms"]


def test_a_reply_goes_back_on_the_channel_of_the_inbound_message(sdk: Zavudev, api: Api) -> None:
    for channel, number in (("whatsapp", "+40722100101"), ("sms", "+40722100102")):
        api.inbound(number, "Where is my parcel?", channel)
        answer = sdk.messages.send(to=number, text="It arrives today", channel="auto")
        assert answer.message.channel == channel
        assert extra(answer, "routing")["reason"] == "reply_same_channel"
        assert api.ended(answer.message.id)["status"] == "delivered"


def test_whatsapp_by_name_with_a_closed_window_is_refused(sdk: Zavudev, api: Api) -> None:
    with pytest.raises(BadRequestError) as refused:
        sdk.messages.send(to="+40722100201", text="Hello", channel="whatsapp")
    body = refused.value.body
    assert isinstance(body, dict)
    assert body["code"] == "whatsapp_window_closed"
    assert api.everything("/v1/messages", to="+40722100201") == []


def test_whatsapp_by_name_goes_by_whatsapp_once_the_person_wrote(sdk: Zavudev, api: Api) -> None:
    api.inbound("+40722100301")
    answer = sdk.messages.send(to="+40722100301", text="Hello", channel="whatsapp")
    assert answer.message.channel == "whatsapp"
    assert extra(answer, "routing")["reason"] == "explicit_channel"
    assert api.ended(answer.message.id)["status"] == "delivered"


def test_sms_by_name_goes_by_sms_even_as_a_reply(sdk: Zavudev, api: Api) -> None:
    api.inbound("+40722100401")
    answer = sdk.messages.send(to="+40722100401", text="Hello", channel="sms")
    assert answer.message.channel == "sms"
    assert extra(answer, "routing")["reason"] == "explicit_channel"


def test_a_channel_that_the_sender_has_not_is_refused_with_its_reason(sdk: Zavudev, api: Api) -> None:
    api.inbound("+40722100501")
    with pytest.raises(ConflictError) as refused:
        sdk.messages.send(to="+40722100501", text="Hello", channel="whatsapp", zavu_sender="alerts")
    body = refused.value.body
    assert isinstance(body, dict)
    assert body["code"] == "no_channel"
    reasons = {it["channel"]: it["reason"] for it in body["details"]["channels"]}
    assert reasons["whatsapp"] == "not_on_sender"


def test_promotions_go_by_the_platform_and_codes_by_the_gateway(sdk: Zavudev, api: Api) -> None:
    for category, route_class in (("promotional", "platform"), ("otp", "gateway")):
        answer = api.send("+40722100601", f"About {category}", category=category)
        assert answer["routing"]["routeClass"] == route_class
    shown = sdk.messages.list(to="+40722100601").items
    assert {extra(it, "trafficClass") for it in shown} == {"direct", "bulk"}


def test_a_preview_says_what_would_be_chosen_and_sends_nothing(api: Api) -> None:
    body = {"to": "+40722100701", "text": "Hello"}
    preview = api.post("/v1/routing/preview", body)
    routing = preview["routing"]
    assert (routing["channel"], routing["routeClass"]) == ("sms", "gateway")
    assert routing["explanation"]
    assert preview["refusal"] is None
    assert preview["waits"] is False
    assert api.everything("/v1/messages", to="+40722100701") == []
    sent = api.post("/v1/messages", body)
    assert sent["routing"]["reason"] == routing["reason"]


def test_a_preview_shows_the_refusal_that_a_send_would_get(api: Api) -> None:
    preview = api.post("/v1/routing/preview", {"to": "+40722100702", "text": "Hello", "channel": "whatsapp"})
    assert preview["refusal"]["code"] == "whatsapp_window_closed"


def test_a_decision_can_be_read_later_in_full_and_in_words(api: Api) -> None:
    sent = api.send("+40722100801")["message"]["id"]
    api.ended(sent)
    routing = api.routing(sent)
    assert routing["status"] == "delivered"
    assert {it["channel"] for it in routing["decisions"][0]["channels"]} == {"sms", "whatsapp"}
    assert [it["state"] for it in routing["attempts"]] == ["delivered"]
    assert routing["receipts"]
    assert all(isinstance(it, str) and it for it in routing["explanation"])
