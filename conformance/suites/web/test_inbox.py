"""R-ALERT, R-PHONE-4: the pages of alerts and conversations in a real browser, against the server's own.

A route goes down and comes back as its SMSC does; people write through simulators. With
`WEB_PICTURES=1` the pictures that the guide shows go into `docs/pictures`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.server import LIVE_KEY, SIMULATED, TEST_KEY, Server, program, project, smpp_route
from harness.wait import free_port

HERE = Path(__file__).parent
STEPS = re.findall(r'^await step\("(\w+)"', (HERE / "inbox.mjs").read_text(), re.MULTILINE)
#: A route is down, and up again, after a second and not after the usual half minute.
SOON = """
[alerts]
route_down = { after = "1s", resolve_after = "1s" }
"""


def link_of(server: Server, name: str, role: str) -> str:
    """Adds somebody; the part of their link that is a page."""
    added = subprocess.run(
        [program(), "users", "add", "--email", f"{name.lower()}@example.com", "--name", name, "--role", role,
         "--config", str(server.config), "--json"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    link = str(json.loads(added.stdout)["link"])
    return link[link.index("#") :]


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, str | None]]:
    smsc = free_port()
    server = Server(project() + SIMULATED + smpp_route(smsc) + SOON)
    server.start()
    try:
        pictures = server.folder / "pictures"
        pictures.mkdir()
        links = {"ana": link_of(server, "Ana", "admin"), "ion": link_of(server, "Ion", "agent")}
        given = {"url": server.url, "links": links, "smsc": smsc, "test": TEST_KEY, "live": LIVE_KEY, "pictures": str(pictures)}
        ran = subprocess.run(
            ["node", str(HERE / "inbox.mjs")], input=json.dumps(given),
            capture_output=True, text=True, timeout=300, check=False,
            env={**os.environ, "CONFORMANCE_NODE": str(Path(os.environ["CONFORMANCE_WORK"]) / "node")},
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr + server.tail()
        if os.environ.get("WEB_PICTURES"):
            docs = HERE.parents[2] / "docs"
            shown = (docs / "guides" / "web-app.md").read_text()
            for picture in pictures.glob("web-*.png"):
                if picture.name in shown:
                    shutil.copy(picture, docs / "pictures")
        yield json.loads(ran.stdout)
    finally:
        server.close()


@pytest.mark.parametrize("step", STEPS)
def test_step(results: dict[str, str | None], step: str) -> None:
    assert results[step] is None, results[step]
