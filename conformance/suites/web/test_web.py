"""R-PHONE-2, R-SEC: the pages in a real browser: Debian's Chromium, driven by Playwright.

The claims on waiting messages are played by `stub.mjs`; everything else is the server's. With
`WEB_PICTURES=1` the pictures go into `docs/pictures`.
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

from harness.server import SIMULATED, WEBHOOKS_HERE, Server, program, project

HERE = Path(__file__).parent
STEPS = re.findall(r'^await step\("(\w+)"', (HERE / "browser.mjs").read_text(), re.MULTILINE)


def link_of(server: Server, name: str, role: str) -> str:
    """Adds somebody; the part of their link that is a page."""
    added = subprocess.run(
        [program(), "users", "add", "--email", f"{name}@example.com", "--name", name.title(), "--role", role,
         "--config", str(server.config), "--json"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    link = str(json.loads(added.stdout)["link"])
    return link[link.index("#") :]


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, str | None]]:
    server = Server(WEBHOOKS_HERE + project() + SIMULATED)
    server.start()
    try:
        pictures = server.folder / "pictures"
        pictures.mkdir()
        links = {name: link_of(server, name, role) for name, role in (("ana", "owner"), ("ion", "agent"))}
        ran = subprocess.run(
            ["node", str(HERE / "browser.mjs")],
            input=json.dumps({"url": server.url, "links": links, "pictures": str(pictures)}),
            capture_output=True, text=True, timeout=300, check=False,
            env={**os.environ, "CONFORMANCE_NODE": str(Path(os.environ["CONFORMANCE_WORK"]) / "node")},
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr + server.tail()
        if os.environ.get("WEB_PICTURES"):
            kept = HERE.parents[2] / "docs" / "pictures"
            kept.mkdir(exist_ok=True)
            for picture in pictures.glob("web-*.png"):
                shutil.copy(picture, kept)
        yield json.loads(ran.stdout)
    finally:
        server.close()


@pytest.mark.parametrize("step", STEPS)
def test_step(results: dict[str, str | None], step: str) -> None:
    assert results[step] is None, results[step]


def test_the_users_of_the_command_line(results: dict[str, str | None], tmp_path: Path) -> None:
    del results
    file = tmp_path / "tandem.toml"
    file.write_text(f'database = "sqlite:{tmp_path}/a.db"\npublic_url = "https://msg.example.com"\n' + project())

    def users(*words: str) -> subprocess.CompletedProcess[str]:
        command = [program(), "users", *words, "--config", str(file)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    nowhere = users("list")
    assert nowhere.returncode == 1 and "--create" in nowhere.stderr
    made = users("add", "--email", "Ana@Example.com", "--role", "owner", "--create")
    assert made.stdout.startswith("https://msg.example.com/#/welcome/"), made.stderr
    assert users("add", "--email", "ana@example.com", "--role", "agent").returncode == 1
    assert users("add", "--email", "ion@example.com", "--role", "agent").returncode == 0
    last = users("disable", "ana@example.com")
    assert last.returncode == 1
    assert "last owner" in last.stderr
    assert users("disable", "ion@example.com").returncode == 0
    listed = users("list")
    for word in ("ana@example.com", "has no password yet", "ion@example.com", "disabled"):
        assert word in listed.stdout
    assert users("enable", "ion@example.com").returncode == 0
    again = users("reset", "ion@example.com")
    assert again.stdout.startswith("https://msg.example.com/#/welcome/")
    assert users("reset", "nobody@example.com").returncode == 1
