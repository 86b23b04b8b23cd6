"""A pytest plugin: servers for tests, and their logs where a test fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .api import Api
from .server import SIMULATED, Server, project

#: Servers of the tests that run now, for the report of a failure.
_RUNNING: list[Server] = []


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., Server]]:
    """Starts servers that end with the module."""
    mine: list[Server] = []

    def starter(config: str, **options: Any) -> Server:
        server = Server(config, **options)
        mine.append(server)
        _RUNNING.append(server)
        return server.start()

    yield starter
    for server in mine:
        _RUNNING.remove(server)
        server.close()


@pytest.fixture(scope="module")
def server(start: Callable[..., Server]) -> Server:
    """A server with both channels simulated, shared by the tests of a file."""
    return start(project() + SIMULATED)


@pytest.fixture
def api(server: Server) -> Api:
    """Its API with the test key."""
    return Api(server.url)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    """Adds the end of each server's log to a failure."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.failed:
        for server in _RUNNING:
            report.sections.append((f"log of {server.url}, {server.log}", server.tail()))
