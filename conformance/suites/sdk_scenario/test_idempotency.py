"""One key, one message (R-LIFE-3)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from zavudev import BadRequestError, ConflictError, Zavudev

from harness.api import Api
from harness.sdk import client, counted
from harness.server import SIMULATED, Server, project


def _body(error: BadRequestError | ConflictError) -> dict[str, object]:
    assert isinstance(error.body, dict)
    return error.body


def test_a_repeat_is_refused_with_the_original_in_one_request(server: Server, api: Api) -> None:
    sdk, requests = counted(server.url)
    first = sdk.messages.send(to="+40722200001", text="Your code is 1", idempotency_key="repeat-1")
    requests.clear()
    with pytest.raises(ConflictError) as refused:
        sdk.messages.send(to="+40722200001", text="Your code is 1", idempotency_key="repeat-1")
    assert len(requests) == 1, "the SDK was told not to retry"
    body = _body(refused.value)
    assert body["code"] == "conflict"
    assert body["details"]["message"]["id"] == first.message.id  # type: ignore[index]
    assert refused.value.response.headers["x-should-retry"] == "false"
    assert len(api.everything("/v1/messages", to="+40722200001")) == 1


def test_the_same_key_with_another_body_names_the_field(sdk: Zavudev) -> None:
    sdk.messages.send(to="+40722200101", text="one", idempotency_key="other-1")
    for field, changed in (
        ("text", {"to": "+40722200101", "text": "two"}),
        ("to", {"to": "+40722200102", "text": "one"}),
        ("channel", {"to": "+40722200101", "text": "one", "channel": "sms"}),
    ):
        with pytest.raises(ConflictError) as refused:
            sdk.messages.send(idempotency_key="other-1", **changed)  # type: ignore[arg-type]
        errors = _body(refused.value)["details"]["errors"]  # type: ignore[index]
        assert [it["path"] for it in errors] == [[field]]


def test_header_and_body_may_both_have_the_key_when_they_agree(sdk: Zavudev, api: Api) -> None:
    answer = sdk.messages.send(
        to="+40722200201", text="x", idempotency_key="both-1", extra_headers={"Idempotency-Key": "both-1"}
    )
    with pytest.raises(ConflictError):
        sdk.messages.send(to="+40722200201", text="x", extra_headers={"Idempotency-Key": "both-1"})
    with pytest.raises(BadRequestError) as refused:
        sdk.messages.send(
            to="+40722200201", text="x", idempotency_key="both-1", extra_headers={"Idempotency-Key": "both-2"}
        )
    assert _body(refused.value)["code"] == "invalid_request"
    assert [it["id"] for it in api.everything("/v1/messages", to="+40722200201")] == [answer.message.id]


def test_of_many_at_once_one_is_accepted(server: Server, api: Api) -> None:
    def send(_: int) -> str:
        with client(server.url) as sdk:
            try:
                return "accepted " + sdk.messages.send(to="+40722200301", text="x", idempotency_key="race").message.id
            except ConflictError as refused:
                return "refused " + str(_body(refused)["details"]["message"]["id"])  # type: ignore[index]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert sorted(it.split()[0] for it in answers) == ["accepted"] + ["refused"] * 7
    assert len({it.split()[1] for it in answers}) == 1
    assert len(api.everything("/v1/messages", to="+40722200301")) == 1


def test_with_replay_the_repeat_gets_the_original(start: Callable[..., Server]) -> None:
    server = start(project('idempotency = "replay"') + SIMULATED)
    with client(server.url) as sdk:
        first = sdk.messages.send(to="+40722200401", text="x", idempotency_key="again")
        raw = sdk.messages.with_raw_response.send(to="+40722200401", text="x", idempotency_key="again")
        assert raw.headers["Idempotent-Replayed"] == "true"
        assert raw.http_response.status_code == 202
        assert raw.parse().message.id == first.message.id
        with pytest.raises(ConflictError):
            sdk.messages.send(to="+40722200401", text="y", idempotency_key="again")


def test_a_key_holds_through_a_kill(start: Callable[..., Server]) -> None:
    server = start(project() + SIMULATED)
    with client(server.url) as sdk:
        first = sdk.messages.send(to="+40722200501", text="x", idempotency_key="lasting")
        server.kill()
        server.start()
        with pytest.raises(ConflictError) as refused:
            sdk.messages.send(to="+40722200501", text="x", idempotency_key="lasting")
        assert _body(refused.value)["details"]["message"]["id"] == first.message.id  # type: ignore[index]
