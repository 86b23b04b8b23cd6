"""Waiting for a condition, never for a time."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: How long anything that should happen may take, on a busy machine.
PATIENCE = 45.0
_PAUSE = 0.03


def until(what: str, look: Callable[[], T | None], patience: float = PATIENCE) -> T:
    """Looks again and again until `look` answers something true, and gives it."""
    deadline = time.monotonic() + patience
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:.0f} s in vain: {what}; last seen: {found!r}")
        time.sleep(_PAUSE)


def free_port() -> int:
    """A port of the loopback address on which nothing listens.

    Below the ports that the system gives to outgoing connections: one of those could take it
    before the server does.
    """
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
