"""Every refusal of these resources as the SDK's own exceptions (R-API-3, R-SEC)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from zavudev import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    Zavudev,
)

from harness.api import Api
from harness.sdk import client, counted
from harness.server import LIVE_KEY, READ_KEY, SEND_KEY, SIMULATED, TEST_KEY, Server, project, smpp_route
from harness.wait import free_port

TO = "+40722400001"


def _body(error: APIStatusError) -> dict[str, Any]:
    assert isinstance(error.body, dict)
    return error.body


@pytest.mark.parametrize(
    ("field", "request_body"),
    [
        ("to", {"text": "x"}),
        ("to", {"to": "12345", "text": "x"}),
        ("subject", {"to": "someone@example.com", "text": "x"}),
        ("text", {"to": TO}),
        ("text", {"to": TO, "text": ""}),
        ("text", {"to": TO, "text": "x" * 4097}),
        ("channel", {"to": TO, "text": "x", "channel": "pigeon"}),
        ("channel", {"to": TO, "text": "x", "channel": "voice"}),
        ("messageType", {"to": TO, "text": "x", "messageType": "hologram"}),
        ("content", {"to": TO, "messageType": "template"}),
        ("trafficClass", {"to": TO, "text": "x", "trafficClass": "premium"}),
        ("category", {"to": TO, "text": "x", "category": "spam"}),
        ("speed", {"to": TO, "text": "x", "speed": "ludicrous"}),
        ("inReplyTo", {"to": TO, "text": "x", "inReplyTo": "msg_nonsense"}),
        ("inReplyTo", {"to": TO, "text": "x", "inReplyTo": "msg_0000000000001"}),
        ("conversationId", {"to": TO, "text": "x", "conversationId": "nonsense"}),
        ("scheduledAt", {"to": TO, "text": "x", "scheduledAt": "tomorrow"}),
        ("scheduledAt", {"to": TO, "text": "x", "scheduledAt": "9999-01-01T00:00:00Z"}),
        ("validity", {"to": TO, "text": "x", "validity": 29}),
        ("validity", {"to": TO, "text": "x", "validity": 604_801}),
        ("fallbackAfter", {"to": TO, "text": "x", "fallbackAfter": 9}),
        ("metadata", {"to": TO, "text": "x", "metadata": {f"k{number}": "v" for number in range(51)}}),
        ("idempotencyKey", {"to": TO, "text": "x", "idempotencyKey": ""}),
        ("idempotencyKey", {"to": TO, "text": "x", "idempotencyKey": "k" * 256}),
    ],
)
def test_a_wrong_field_is_named(sdk: Zavudev, field: str, request_body: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError) as refused:
        sdk.post("/v1/messages", cast_to=object, body=request_body)
    body = _body(refused.value)
    assert body["code"] == "invalid_request"
    assert body["message"]
    assert field in [it["path"][0] for it in body["details"]["errors"]]


def test_everything_wrong_is_named_at_once(sdk: Zavudev) -> None:
    with pytest.raises(BadRequestError) as refused:
        sdk.post("/v1/messages", cast_to=object, body={"to": "x", "channel": "pigeon", "validity": 1})
    paths = {it["path"][0] for it in _body(refused.value)["details"]["errors"]}
    assert paths == {"to", "text", "channel", "validity"}


def test_unknown_fields_are_ignored_and_named(api: Api) -> None:
    answer = api.send(TO, colour="blue", size="M")
    assert sorted(it["path"][0] for it in answer["warnings"]) == ["colour", "size"]


def test_a_channel_that_the_sender_has_not_is_refused_at_once(server: Server) -> None:
    sdk, requests = counted(server.url)
    with sdk, pytest.raises(ConflictError) as refused:
        sdk.messages.send(to="12345", text="x", channel="telegram")
    assert _body(refused.value)["code"] == "no_channel"
    assert len(requests) == 1, "it is not worth another try"


def test_a_key_that_is_not_known_is_refused(server: Server) -> None:
    for key in ("zv_test_conformance_key_000", "My API Key", "x"):
        with client(server.url, key) as sdk, pytest.raises(AuthenticationError) as refused:
            sdk.me.retrieve()
        assert _body(refused.value)["code"] == "unauthorized"


def test_a_key_does_only_what_its_scopes_allow(server: Server) -> None:
    with client(server.url, READ_KEY) as reader:
        reader.messages.list()
        for call in (
            lambda: reader.messages.send(to=TO, text="x"),
            lambda: reader.contacts.create(channels=[{"channel": "sms", "identifier": TO}]),
        ):
            with pytest.raises(PermissionDeniedError) as refused:
                call()
            assert _body(refused.value)["code"] == "forbidden"
    with client(server.url, SEND_KEY) as sender:
        sender.messages.send(to=TO, text="x")
        with pytest.raises(PermissionDeniedError):
            sender.messages.list()
        with pytest.raises(PermissionDeniedError) as refused:
            sender.messages.send(to=TO, text="x", extra_body={"trafficClass": "bulk"})
        assert _body(refused.value)["details"]["errors"][0]["path"] == ["trafficClass"]


def test_only_test_keys_may_play_inbound_messages(server: Server) -> None:
    body = {"from": TO, "channel": "sms", "text": "Hi"}
    with client(server.url, LIVE_KEY) as live, pytest.raises(PermissionDeniedError):
        live.post("/v1/simulator/inbound", cast_to=object, body=body)


def test_unknown_senders_and_paths_are_not_found(sdk: Zavudev) -> None:
    with pytest.raises(NotFoundError) as refused:
        sdk.messages.send(to=TO, text="x", zavu_sender="nobody")
    assert _body(refused.value)["details"]["errors"][0]["path"] == ["Zavu-Sender"]
    with pytest.raises(NotFoundError):
        sdk.get("/v1/_stainless_unknown_path", cast_to=object)


def test_another_method_on_a_path_is_refused_in_json(server: Server) -> None:
    answer = httpx.put(f"{server.url}/v1/messages", headers={"Authorization": f"Bearer {TEST_KEY}"})
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"


def test_a_body_over_the_limit_is_refused(sdk: Zavudev) -> None:
    with pytest.raises(APIStatusError) as refused:
        sdk.messages.send(to=TO, text="x", metadata={"k": "v" * 2_000_000})
    assert refused.value.status_code == 413
    assert _body(refused.value)["code"] == "payload_too_large"
    assert _body(refused.value)["details"]["limit"] > 0


def test_answers_carry_the_rate_limit(sdk: Zavudev) -> None:
    headers = sdk.me.with_raw_response.retrieve().headers
    assert headers["X-RateLimit-Limit"] == "1000000"
    assert int(headers["X-RateLimit-Reset"]) > 1_700_000_000_000


def test_a_limited_key_is_told_when_to_come_back(start: Callable[..., Server]) -> None:
    limited = '{ name = "slow", key = "zv_test_conformance_slow_05", scopes = ["read"], requests_per_minute = 2 }'
    server = start(project(extra_keys=limited) + SIMULATED)
    with client(server.url, "zv_test_conformance_slow_05", max_retries=0) as sdk:
        with pytest.raises(RateLimitError) as refused:
            # Two minutes may be touched, so at most four pass.
            for _ in range(5):
                sdk.me.retrieve()
        assert _body(refused.value)["code"] == "rate_limited"
        assert 0 < int(refused.value.response.headers["Retry-After"]) <= 60
        assert refused.value.response.headers["X-RateLimit-Remaining"] == "0"


def test_a_full_backlog_is_refused_and_what_was_accepted_is_kept(start: Callable[..., Server]) -> None:
    backlog = 5
    config = project() + smpp_route(free_port())
    server = start(f"[limits]\nbacklog = {backlog}\n{config}")
    with client(server.url, LIVE_KEY, max_retries=0) as sdk:
        accepted: list[str] = []
        with pytest.raises(RateLimitError) as refused:
            for number in range(200):
                accepted.append(sdk.messages.send(to=f"+4072241{number:04}", text=f"Number {number}").message.id)
        assert _body(refused.value)["code"] == "backlog_full"
        assert refused.value.response.headers["x-should-retry"] == "true"
        assert len(accepted) >= backlog
        kept = {it.id: it.status for it in sdk.messages.list(limit=100)}
        assert kept == dict.fromkeys(accepted, "queued")


def test_a_test_key_does_not_reach_real_routes(start: Callable[..., Server]) -> None:
    server = start(project() + smpp_route(free_port()))
    with client(server.url, TEST_KEY) as sdk, pytest.raises(APIStatusError) as refused:
        sdk.messages.send(to=TO, text="x")
    assert refused.value.status_code == 409
    assert _body(refused.value)["code"] == "no_channel"
