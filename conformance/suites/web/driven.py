"""Runs a script that drives a browser, and gives what came of each of its steps."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from harness.server import Server, program

HERE = Path(__file__).parent
DOCS = HERE.parents[2] / "docs"


def link_of(server: Server, name: str, role: str) -> str:
    """Adds somebody; the part of their link that is a page."""
    added = subprocess.run(
        [program(), "users", "add", "--email", f"{name.lower()}@example.com", "--name", name, "--role", role,
         "--config", str(server.config), "--json"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    link = str(json.loads(added.stdout)["link"])
    return link[link.index("#") :]


def steps_of(script: str) -> list[str]:
    """The names of a script's steps, in order."""
    return re.findall(r'^await step\("(\w+)"', (HERE / script).read_text(), re.MULTILINE)


def drive(script: str, server: Server, given: Mapping[str, object]) -> dict[str, str | None]:
    """Runs it: each step, and why it failed. With `WEB_PICTURES=1` the pictures that documents show are renewed."""
    pictures = server.folder / "pictures"
    pictures.mkdir()
    ran = subprocess.run(
        ["node", str(HERE / script)],
        input=json.dumps({"url": server.url, "pictures": str(pictures), **given}),
        capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "CONFORMANCE_NODE": str(Path(os.environ["CONFORMANCE_WORK"]) / "node")},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr + server.tail()
    if os.environ.get("WEB_PICTURES"):
        shown = {it.name for it in (DOCS / "pictures").glob("web-*.png")}
        shown |= set(re.findall(r"web-[\w-]+\.png", (DOCS / "guides" / "web-app.md").read_text()))
        for picture in pictures.glob("web-*.png"):
            if picture.name in shown:
                shutil.copy(picture, DOCS / "pictures")
    return dict(json.loads(ran.stdout))
