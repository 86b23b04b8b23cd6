"""The server under test: its configuration, its process, its log."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

from .clock import Clock
from .wait import PATIENCE, free_port, until

TEST_KEY = "zv_test_conformance_key_0001"
READ_KEY = "zv_test_conformance_read_0002"
SEND_KEY = "zv_test_conformance_send_0003"
LIVE_KEY = "zv_live_conformance_key_0004"

_LISTENING = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")

#: Two channels over simulators, as most suites want them. `alerts` has SMS only.
SIMULATED = """
[[route]]
id = "sim-wa"
channel = "whatsapp"
provider = "simulator"
prices = [{ prefix = "*", price = "0.01", per = "message" }]

[[route]]
id = "sim-gateway"
channel = "sms"
class = "gateway"
provider = "simulator"
prices = [{ prefix = "*", price = "0.05" }]

[[route]]
id = "sim-platform"
channel = "sms"
class = "platform"
provider = "simulator"
prices = [{ prefix = "*", price = "0.035" }]

[[sender]]
id = "support"
name = "Support"
phone_number = "+40700000001"
default = true
routes = ["sim-wa", "sim-gateway", "sim-platform"]

[[sender]]
id = "alerts"
name = "Alerts"
phone_number = "+40700000002"
routes = ["sim-gateway", "sim-platform"]
"""


def project(extra: str = "", extra_keys: str = "") -> str:
    """The `[[project]]` of a configuration, with keys of every kind; `extra` are more settings."""
    return f"""
[[project]]
id = "main"
name = "Conformance"
currency = "EUR"
{extra}
api_keys = [
    {{ name = "test", key = "{TEST_KEY}", scopes = ["send", "read", "manage"] }},
    {{ name = "read", key = "{READ_KEY}", scopes = ["read"] }},
    {{ name = "send", key = "{SEND_KEY}", scopes = ["send"], traffic_class = false }},
    {{ name = "live", key = "{LIVE_KEY}", scopes = ["send", "read", "manage"] }},
    {extra_keys}
]
"""


def smpp_route(port: int, extra: str = "", settings: str = "", route: str = "gw") -> str:
    """A route to an SMSC on this port, and a sender that has only it."""
    return f"""
[[route]]
id = "{route}"
channel = "sms"
class = "gateway"
provider = "smpp"
prices = [{{ prefix = "*", price = "0.05" }}]
{settings}
smpp = {{ host = "127.0.0.1", port = {port}, system_id = "acme", password = "secret", reconnect_min = "50ms", reconnect_max = "500ms"{extra} }}

[[sender]]
id = "sms"
name = "SMS"
phone_number = "+40700000009"
routes = ["{route}"]
"""


#: Before everything else: lets webhooks go to this machine.
WEBHOOKS_HERE = """
webhooks = { allow_http = true, allow_private = true }
"""


class Server:
    """A tandem process with its own folder. It can be killed and started again on its data.

    `called` gives it a public URL, its own, so that providers on this machine can call it; `clock`
    lets its time be put forward, in `Server.clock`.
    """

    def __init__(self, config: str, *, log: str = "info", called: bool = False, clock: bool = False) -> None:
        runs = Path(os.environ["CONFORMANCE_WORK"]) / "runs"
        runs.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="server-", dir=runs))
        self.config = self.folder / "tandem.toml"
        self.url = f"http://127.0.0.1:{free_port()}" if called else ""
        head = f'database = "sqlite:{self.folder}/tandem.db"\nlog = {{ level = "{log}" }}\n'
        if called:
            head += f'public_url = "{self.url}"\n'
        self.config.write_text(head + config)
        self.log = self.folder / "log.txt"
        self.clock = Clock(self.folder) if clock else None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Server:
        """Starts it, on the same port as before where it ran before."""
        listen = self.url.removeprefix("http://") or f"127.0.0.1:{free_port()}"
        before = len(self._output())
        with self.log.open("ab") as sink:
            self._process = subprocess.Popen(
                [program(), "serve", "--config", str(self.config), "--listen", listen],
                stdout=sink,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                env={**os.environ, "NO_COLOR": "1", **(self.clock.environment() if self.clock else {})},
            )

        def listening() -> str | None:
            if self._process is not None and self._process.poll() is not None:
                raise AssertionError(f"the server ended at once:\n{self.tail()}")
            found = _LISTENING.search(self._output()[before:])
            return found.group(1) if found else None

        self.url = until("the server listens", listening)
        return self

    def hook(self, route: str) -> str:
        """Where the provider of this route calls."""
        return f"{self.url}/hooks/{route}"

    def kill(self) -> None:
        """As a power cut would: nothing is finished, nothing is said."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE)

    def terminate(self) -> int:
        """Asks it to stop; its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE)

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """Ends it, however it stands."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(PATIENCE)

    def said(self, words: str) -> int:
        """How often it said this in its log."""
        return self._output().count(words)

    def tail(self, lines: int = 40) -> str:
        """The end of its log."""
        return "\n".join(self._output().splitlines()[-lines:])

    def _output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def program() -> str:
    """Path of the tandem under test."""
    return os.environ["TANDEM_PROGRAM"]
