"""What a newcomer types first: the demo, and what it says to copy."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.api import Api
from harness.server import program
from harness.wait import PATIENCE, until

README = Path(__file__).resolve().parents[3] / "README.md"


class Demo:
    """A running `tandem demo`."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.output = folder / "demo.txt"
        with self.output.open("wb") as sink:
            command = [program(), "demo", "--listen", "127.0.0.1:0", *more]
            self.process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, cwd=folder)
        said = until("the demo says its URL and key", self._said)
        self.url, self.key = said.group(1), said.group(2)

    def _said(self) -> re.Match[str] | None:
        return re.search(r"URL +(http://\S+)\n +key +(\S+)\n", self.output.read_text())

    def environment(self) -> dict[str, str]:
        """The environment that its words tell to set."""
        return {**os.environ, "TANDEM_URL": self.url, "TANDEM_API_KEY": self.key, "NO_PROXY": "127.0.0.1"}

    def tandem(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs a client command."""
        command = [program(), *words]
        return subprocess.run(command, env=self.environment(), capture_output=True, text=True, timeout=90, check=False)

    def stop(self) -> int:
        """Ends it as Ctrl-C does; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo with its traffic."""
    demo = Demo(tmp_path_factory.mktemp("demo"))
    yield demo
    demo.stop()


def _commands(text: str) -> list[str]:
    """The commands with curl in a text, lines that go on joined."""
    joined = re.sub(r"\\\n\s*", "", text)
    return [line.strip().removeprefix("$ ") for line in joined.splitlines() if re.match(r"\s*(\$ )?curl ", line)]


def test_it_prints_commands_that_work_as_they_are(demo: Demo) -> None:
    commands = _commands(demo.output.read_text())
    assert len(commands) >= 2
    for command in commands:
        ran = subprocess.run(["sh", "-c", command.replace("curl", "curl -f", 1)], capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, (command, ran.stdout, ran.stderr)
        assert ran.stdout.startswith("{")


def test_the_commands_of_the_readme_work(demo: Demo) -> None:
    commands = _commands(README.read_text())
    assert commands, "the README shows a request"
    for command in commands:
        here = re.sub(r"http://(127\.0\.0\.1|localhost):8080", demo.url, command)
        here = re.sub(r"Bearer [^\s\"'$]+", f"Bearer {demo.key}", here)
        environment = {**demo.environment(), "KEY": demo.key, "TANDEM_KEY": demo.key, "URL": demo.url}
        ran = subprocess.run(
            ["sh", "-c", here.replace("curl", "curl -f", 1)], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert ran.returncode == 0, (here, ran.stdout, ran.stderr)


def test_the_configuration_of_the_readme_is_checked_with_the_words_that_it_shows(tmp_path: Path) -> None:
    file, shown = re.search(
        r"```toml\n([^`]*?public_url[^`]*?)```\s+```\n\$ export [^\n]*\n\$ tandem check tandem.toml\n(.*?)```",
        README.read_text(),
        re.DOTALL,
    ).groups()  # type: ignore[union-attr]
    (tmp_path / "tandem.toml").write_text(file)
    secrets = {name: f"zv_live_0123456789_{name}" for name in re.findall(r'env = "(\w+)"', file)}
    ran = subprocess.run(
        [program(), "check", "tandem.toml"], cwd=tmp_path, env={**os.environ, **secrets}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    said = [line for line in (ran.stdout + ran.stderr).splitlines() if line]
    assert said == [line for line in shown.splitlines() if line]


def test_it_shows_traffic_on_both_channels(demo: Demo) -> None:
    api = Api(demo.url, demo.key)

    def shown() -> bool:
        messages = api.everything("/v1/messages")
        return {it["channel"] for it in messages} >= {"sms", "whatsapp"} and any(
            it["status"] == "delivered" for it in messages
        )

    assert until("there is traffic", shown)
    assert len(api.everything("/v1/contacts")) >= 8


def test_a_message_is_sent_followed_and_explained(demo: Demo) -> None:
    sent = demo.tandem("send", "--to", "+40722000100", "--text", "Hello from a shell", "--wait")
    assert sent.returncode == 0, sent.stderr
    assert sent.stdout.splitlines()[-1].endswith("delivered")
    message_id = sent.stdout.split()[0]
    explained = demo.tandem("explain", message_id)
    assert explained.returncode == 0, explained.stderr
    for word in ("Hello from a shell", "+40722000100", "SMS", "delivered"):
        assert word.lower() in explained.stdout.lower(), explained.stdout
    listed = demo.tandem("messages", "--to", "+40722000100")
    assert message_id in listed.stdout
    assert message_id in demo.tandem("messages", "--json", "--limit", "100").stdout


def test_a_failed_message_fails_the_command(demo: Demo) -> None:
    sent = demo.tandem("send", "--to", "+40733000003", "--text", "Nobody there", "--channel", "sms", "--wait")
    assert sent.returncode == 1
    assert "failed" in sent.stdout


def test_routes_are_listed_with_their_state(demo: Demo) -> None:
    listed = demo.tandem("routes")
    assert listed.returncode == 0
    lines = {line.split()[0]: line for line in listed.stdout.splitlines()}
    for route in ("sim-whatsapp", "sim-gateway", "sim-platform"):
        assert " up " in lines[route]


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "msg_0000000000001"),
        ("explain", "nonsense"),
        ("send", "--to", "12", "--text", "x"),
        ("send", "--to", "+40722000100", "--text", "x", "--channel", "pigeon"),
        ("messages", "--status", "gone"),
        ("messages", "--key", "zv_test_wrong_key_0000000"),
        ("messages", "--url", "http://127.0.0.1:1"),
    ],
    ids=lambda words: "-".join(words[:3]),
)
def test_what_cannot_be_done_is_said_in_one_clear_line(demo: Demo, words: tuple[str, ...]) -> None:
    ran = demo.tandem(*words)
    assert ran.returncode not in (0, 101)
    assert ran.stderr.strip()
    assert "panicked" not in ran.stderr


def test_it_stops_when_interrupted_and_leaves_nothing(tmp_path: Path) -> None:
    demo = Demo(tmp_path, "--key", "zv_test_my_own_demo_key_1", "--no-traffic")
    assert demo.key == "zv_test_my_own_demo_key_1"
    assert Api(demo.url, demo.key).everything("/v1/messages") == []
    assert demo.stop() == 0
    assert [it.name for it in tmp_path.iterdir()] == ["demo.txt"]
