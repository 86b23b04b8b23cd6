"""R-MON-1, R-PHONE-2: what one person does is seen by another without being asked for, in two browsers.

One of the pages has no clock of its own, so that everything it shows came by a stream.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from driven import drive, link_of, steps_of

from harness.server import LIVE_KEY, SIMULATED, TEST_KEY, Server, project, smpp_route
from harness.wait import free_port


#: A route is down after a second and not after the usual half minute.
SOON = """
[alerts]
route_down = { after = "1s" }
"""


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, str | None]]:
    # Nobody listens there: messages of the sender "sms" wait for a person's phone.
    server = Server(project() + SIMULATED + smpp_route(free_port()) + SOON)
    server.start()
    try:
        links = {"ana": link_of(server, "Ana", "owner"), "ion": link_of(server, "Ion", "agent")}
        yield drive("live.mjs", server, {"links": links, "test": TEST_KEY, "live": LIVE_KEY})
    finally:
        server.close()


@pytest.mark.parametrize("step", steps_of("live.mjs"))
def test_step(results: dict[str, str | None], step: str) -> None:
    assert results[step] is None, results[step]
