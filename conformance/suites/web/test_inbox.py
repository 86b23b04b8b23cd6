"""R-ALERT, R-PHONE-4: the pages of alerts and conversations in a real browser, against the server's own.

A route goes down and comes back as its SMSC does; people write through simulators. With
`WEB_PICTURES=1` the pictures that the guide shows go into `docs/pictures`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from driven import drive, link_of, steps_of

from harness.server import LIVE_KEY, SIMULATED, TEST_KEY, Server, project, smpp_route
from harness.wait import free_port

#: A route is down, and up again, after a second and not after the usual half minute.
SOON = """
[alerts]
route_down = { after = "1s", resolve_after = "1s" }
"""


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, str | None]]:
    smsc = free_port()
    server = Server(project() + SIMULATED + smpp_route(smsc) + SOON)
    server.start()
    try:
        links = {"ana": link_of(server, "Ana", "admin"), "ion": link_of(server, "Ion", "agent")}
        yield drive("inbox.mjs", server, {"links": links, "smsc": smsc, "test": TEST_KEY, "live": LIVE_KEY})
    finally:
        server.close()


@pytest.mark.parametrize("step", steps_of("inbox.mjs"))
def test_step(results: dict[str, str | None], step: str) -> None:
    assert results[step] is None, results[step]
