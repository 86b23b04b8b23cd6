"""Gets Prism, and Twilio's description of itself, which a package of Twilio's carries. Too large to
be had by everybody who runs the tests, so only the suite `prism` asks for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

PACKAGES = ["@stoplight/prism-cli@5.16.0", "@twilio/cli-core@9.0.0", "js-yaml@4.1.1"]


def install(work: Path) -> None:
    """Installs what is missing."""
    folder = work / "prism"
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == "\n".join(PACKAGES):
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private":true}')
    command = ["npm", "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([*command, *PACKAGES], check=True)
    stamp.write_text("\n".join(PACKAGES))
