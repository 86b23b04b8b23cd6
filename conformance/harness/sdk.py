"""The official SDK, unmodified, with validation of every answer against its own models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from zavudev import DefaultHttpxClient, Zavudev

from harness.server import TEST_KEY, Server


@pytest.fixture
def sdk(server: Server) -> Iterator[Zavudev]:
    """A client of the module's server."""
    with client(server.url) as it:
        yield it


def client(url: str, key: str = TEST_KEY, **options: Any) -> Zavudev:
    """A client as users make it, but strict: wrong shapes raise."""
    return Zavudev(base_url=url, api_key=key, _strict_response_validation=True, **options)


def counted(url: str, key: str = TEST_KEY) -> tuple[Zavudev, list[Any]]:
    """A client, and the list of the requests that it makes, retries included."""
    requests: list[Any] = []
    http = DefaultHttpxClient(event_hooks={"request": [requests.append]})
    return client(url, key, http_client=http), requests


def extra(model: Any, name: str) -> Any:
    """A field of Tandem's own, which the SDK keeps beside those it knows."""
    return (model.model_extra or {})[name]
