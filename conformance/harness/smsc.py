"""A foreign SMSC as a process: commands and events are JSON lines (suites/smsc_*/smsc.*)."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path
from typing import Any

from .wait import PATIENCE, until


class Smsc:
    """An SMSC process. It can be killed, and started again on the same port."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self.events: list[dict[str, Any]] = []
        self.start()

    def start(self) -> None:
        """Starts it and waits until it listens."""
        before = self.count("listening")
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        until("the SMSC listens", lambda: self.count("listening") > before)

    def do(self, command: str, **fields: Any) -> None:
        """Gives a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": command, **fields}) + "\n")
        self._process.stdin.flush()

    def of(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        """The events of this kind so far, with these fields."""
        wanted = {"event": event, **fields}
        return [it for it in list(self.events) if wanted.items() <= it.items()]

    def count(self, event: str, **fields: Any) -> int:
        """How many such events there were so far."""
        return len(self.of(event, **fields))

    def wait(self, event: str, count: int = 1, **fields: Any) -> list[dict[str, Any]]:
        """Such events, once there are so many of them."""

        def look() -> list[dict[str, Any]] | None:
            found = self.of(event, **fields)
            return found if len(found) >= count else None

        return until(f"{count} x {event} {fields or ''}", look)

    def kill(self) -> None:
        """Kills it as a crash would."""
        self._process.kill()
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)

    def close(self) -> None:
        """Ends it."""
        if self._process.poll() is None:
            self.kill()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if line.endswith("\n"):
                self.events.append(json.loads(line))


def smsc_script(name: str) -> Path:
    """Path of a suite's SMSC."""
    return Path(__file__).resolve().parent.parent / "suites" / name


def joined(parts: list[dict[str, Any]]) -> str:
    """The text of submissions that are the parts of one message, by their headers."""
    if len(parts) == 1 and not parts[0]["udh"]:
        return str(parts[0]["text"])
    numbered = {}
    references = set()
    for part in parts:
        header = bytes.fromhex(part["udh"])
        # With or without its own length in front.
        header = header[1:] if header[0] == len(header) - 1 else header
        assert header[0] in (0x00, 0x08), header
        reference, total, number = header[2:-2], header[-2], header[-1]
        assert total == len(parts), (total, len(parts))
        references.add(reference)
        numbered[number] = part["text"]
    assert len(references) == 1
    assert sorted(numbered) == list(range(1, len(parts) + 1))
    return "".join(numbered[number] for number in sorted(numbered))
