"""A clock for the server that tests can put forward: Debian's libfaketime under it.

Real time and the monotonic clock move together, so timers that became due fire at once and the
server sees what it would see if the hours had passed.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

#: Where Debian puts it, on any architecture.
_LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"


def library() -> Path:
    """The library, which `conformance/run` has installed."""
    found = sorted(Path("/").glob(_LIBRARIES.removeprefix("/")))
    assert found, f"there is no {_LIBRARIES}: install Debian's package faketime"
    return found[0]


class Clock:
    """The time that a server sees: that of the machine, and what tests added to it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self._ahead = 0
        self._write()

    def environment(self) -> dict[str, str]:
        """What a process needs to see this time."""
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
        }

    def now(self) -> float:
        """The server's time, as seconds since 1970."""
        return time.time() + self._ahead

    def text(self, *, ago: float = 0) -> str:
        """The server's time, or so many seconds before it, as the API writes it."""
        return datetime.fromtimestamp(self.now() - ago, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def forward(self, *, days: int = 0, hours: int = 0, minutes: int = 0, seconds: int = 0) -> None:
        """Lets time pass for the server."""
        self._ahead += ((days * 24 + hours) * 60 + minutes) * 60 + seconds
        self._write()

    def _write(self) -> None:
        # In one step: the server reads the file with every look at its clock.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"+{self._ahead}\n")
        os.replace(fresh, self._file)
