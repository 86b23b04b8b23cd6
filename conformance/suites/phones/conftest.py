"""A server with a pool of phones, and what opens it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.api import Api
from harness.phone import Phone, pool
from harness.server import LIVE_KEY, Server
from harness.wait import until


@pytest.fixture(scope="module")
def server(start: Callable[..., Server]) -> Server:
    """A server with a pool, shared by the tests of a file."""
    return start(pool(), called=True)


@pytest.fixture
def api(server: Server) -> Api:
    """Its API."""
    return Api(server.url, LIVE_KEY)


@pytest.fixture
def paired(server: Server) -> Iterator[Callable[..., Phone]]:
    """Makes phones of the pool; they are switched off and sent away when the test ends."""
    mine: list[Phone] = []
    api = Api(server.url, LIVE_KEY)

    def make(*, scheme: str = "Bearer", race: bool = True, on: Server | None = None, **habits: Any) -> Phone:
        its_api = Api((on or server).url, LIVE_KEY)
        pairing = its_api.post("/v1/phones/pairings", {"route": "phones"})["pairing"]
        secret = pairing["code"] if scheme == "Code" else pairing["token"]
        phone = Phone(pairing["apiUrl"], secret, scheme=scheme, **habits)
        mine.append(phone)
        phone.start(race=race)
        until("the phone listens and has its webhooks", lambda: phone.streams and phone.hooks and phone.settings)
        until("the route is up", lambda: its_api.get("/v1/routes")["items"][0]["condition"] == "up")
        return phone

    yield make
    for phone in mine:
        phone.stop()
        if phone.device is not None:
            api.http.delete(f"/v1/phones/{phone.device['id']}")
