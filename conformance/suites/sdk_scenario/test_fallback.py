"""The other channel after five seconds (R-FALL-1 to R-FALL-4, R-FALL-6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from zavudev import Zavudev

from harness.api import Api
from harness.sdk import extra
from harness.server import SIMULATED, Server, project
from harness.wait import until

#: Between the failure of the first channel and the submission to the second.
DELAY = 5.0
#: What a busy machine may add.
SLACK = 4.0


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


@pytest.mark.parametrize("number", ["+40722000012", "+40722000013"], ids=["refused", "undelivered"])
def test_a_failed_whatsapp_falls_back_to_sms_after_five_seconds(sdk: Zavudev, api: Api, number: str) -> None:
    api.inbound(number)
    answer = sdk.messages.send(to=number, text="Your table is ready", channel="auto")
    assert answer.message.channel == "whatsapp"
    api.ended(answer.message.id)
    shown = sdk.messages.retrieve(answer.message.id).message
    assert shown.status == "delivered"
    assert shown.channel == "sms"
    assert extra(shown, "attemptedChannels") == ["whatsapp", "sms"]
    assert extra(shown, "fallbackEnabled") is True
    first, second = api.routing(answer.message.id)["attempts"]
    waited = _seconds(first["failedAt"], second["sentAt"])
    assert DELAY <= waited < DELAY + SLACK


def test_without_fallback_a_failed_whatsapp_is_the_end(sdk: Zavudev, api: Api) -> None:
    api.inbound("+40723000012")
    answer = sdk.messages.send(to="+40723000012", text="Hello", channel="auto", fallback_enabled=False)
    message = api.ended(answer.message.id)
    assert message["status"] == "failed"
    assert message["attemptedChannels"] == ["whatsapp"]
    assert message["fallbackEnabled"] is False
    shown = sdk.messages.retrieve(answer.message.id).message
    assert shown.error_code and shown.error_message


def test_a_named_channel_falls_back_only_when_asked_to(sdk: Zavudev, api: Api) -> None:
    api.inbound("+40723000112")
    api.inbound("+40724000012")
    plain = sdk.messages.send(to="+40724000012", text="Hello", channel="whatsapp")
    asked = sdk.messages.send(to="+40724000012", text="Hello!", channel="whatsapp", fallback_enabled=True)
    assert api.ended(plain.message.id)["status"] == "failed"
    message = api.ended(asked.message.id)
    assert (message["status"], message["attemptedChannels"]) == ("delivered", ["whatsapp", "sms"])


def test_a_sender_with_sms_only_has_no_fallback(sdk: Zavudev, api: Api) -> None:
    answer = sdk.messages.send(to="+40722000003", text="Hello", zavu_sender="alerts")
    message = api.ended(answer.message.id)
    assert message["status"] == "failed"
    assert message["attemptedChannels"] == ["sms"]


def test_when_both_channels_fail_there_is_no_third_attempt(sdk: Zavudev, api: Api) -> None:
    api.inbound("+40722000003")
    answer = sdk.messages.send(to="+40722000003", text="Hello")
    message = api.ended(answer.message.id)
    assert message["status"] == "failed"
    assert message["attemptedChannels"] == ["whatsapp", "sms"]
    assert len(api.routing(answer.message.id)["attempts"]) == 2


def test_delivered_within_the_five_seconds_cancels_the_fallback(sdk: Zavudev, api: Api) -> None:
    api.inbound("+40722000014")
    answer = sdk.messages.send(to="+40722000014", text="Hello")
    message = api.reaches(answer.message.id, "delivered")
    assert message["attemptedChannels"] == ["whatsapp"]
    routing = api.routing(answer.message.id)
    assert [it["state"] for it in routing["attempts"]] == ["delivered"]
    assert len(routing["receipts"]) >= 2


def test_a_kill_between_failure_and_fallback_loses_and_doubles_nothing(start: Callable[..., Server]) -> None:
    server = start(project() + SIMULATED)
    api = Api(server.url)
    api.inbound("+40722000013")
    message_id = api.send("+40722000013")["message"]["id"]

    def first_failed() -> Any:
        attempts = api.routing(message_id)["attempts"]
        return attempts[0] if attempts[0]["state"] == "failed" else None

    failed = until("the first attempt fails", first_failed)
    assert len(api.routing(message_id)["attempts"]) == 1
    server.kill()
    server.start()
    message = api.ended(message_id)
    assert (message["status"], message["attemptedChannels"]) == ("delivered", ["whatsapp", "sms"])
    first, second = api.routing(message_id)["attempts"]
    assert first["failedAt"] == failed["failedAt"]
    assert _seconds(first["failedAt"], second["sentAt"]) >= DELAY
    assert second["resends"] == 0
    metrics = api.get("/v1/contacts/phone/+40722000013")["channelMetrics"]
    assert metrics["sms"]["successCount"] == 1
    assert metrics["whatsapp"]["failureCount"] == 1
