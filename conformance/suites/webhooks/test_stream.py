"""`GET /v1/events`: the same events as server-sent events, resumed where a reader left off (R-MON-1)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from world import EVENTS, delivered, send, sender

from harness.api import Api
from harness.receiver import Receiver
from harness.server import SIMULATED, TEST_KEY, WEBHOOKS_HERE, Server, project
from harness.wait import PATIENCE


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    """One for each test: its stream has the events of the test only."""
    return start(WEBHOOKS_HERE + project() + SIMULATED)


def _events(server: Server, count: int, after: str | None = None, **query: str) -> list[dict[str, Any]]:
    """So many events of the stream, each with its `id`, `event` and `data`, read as the standard says."""
    headers = {"Authorization": f"Bearer {TEST_KEY}", **({"Last-Event-ID": after} if after is not None else {})}
    found: list[dict[str, Any]] = []
    fields: dict[str, str] = {}
    with httpx.stream("GET", f"{server.url}/v1/events", params=query, headers=headers, timeout=PATIENCE, trust_env=False) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line == "" and "data" in fields:
                found.append({**fields, "data": json.loads(fields["data"])})
            if line == "":
                fields = {}
                if len(found) == count:
                    return found
            elif not line.startswith(":"):
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
    raise AssertionError(f"the stream ended after {found}")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Our application."""
    receiver = Receiver(time.time)
    yield receiver
    receiver.close()


def test_the_stream_says_what_the_webhook_says(server: Server, api: Api, receiver: Receiver) -> None:
    by = sender(api, receiver)
    found = delivered(receiver, send(api, by, 3))
    streamed = [it["data"] for it in _events(server, len(found), after="0")]
    assert streamed == [it.event for it in found]


def test_a_reader_goes_on_where_it_left_off(server: Server, api: Api, receiver: Receiver) -> None:
    by = sender(api, receiver)
    delivered(receiver, send(api, by, 3, first=100))
    all_of_them = _events(server, 6, after="0")
    for nth in (0, 2, 4):
        again = _events(server, 6 - nth - 1, after=all_of_them[nth]["id"])
        assert again == all_of_them[nth + 1 :]
    assert {it["event"] for it in all_of_them} <= set(EVENTS)


def test_a_reader_may_want_some_types_only(server: Server, api: Api, receiver: Receiver) -> None:
    by = sender(api, receiver)
    sent = send(api, by, 2, first=200)
    found = _events(server, 2, after="0", types="message.delivered")
    told = {(it["event"], it["data"]["data"]["messageId"]) for it in found}
    assert told == {("message.delivered", it) for it in sent}



@pytest.mark.parametrize(
    ("headers", "query", "field"),
    [
        ({"Last-Event-ID": "x"}, {}, "Last-Event-ID"),
        ({"Last-Event-ID": "-1"}, {}, "Last-Event-ID"),
        ({"Last-Event-ID": "9" * 40}, {}, "Last-Event-ID"),
        ({}, {"after": "x"}, "after"),
        ({}, {"types": "message.gone"}, "types"),
        ({}, {"colour": "blue", "types": ","}, "types"),
    ],
)
def test_a_place_or_type_that_is_none_is_refused_by_name(
    api: Api, headers: dict[str, str], query: dict[str, str], field: str
) -> None:
    answer = api.http.get("/v1/events", headers=headers, params=query)
    assert answer.status_code == 400, answer.text
    assert field in [it["path"][0] for it in answer.json()["details"]["errors"]]
