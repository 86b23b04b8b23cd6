"""The server as an operator runs it: without a file, with a wrong file, with keys, and to its end."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from harness.api import Api
from harness.server import SIMULATED, Server, program, project
from harness.wait import until


def _tandem(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program(), *words], capture_output=True, text=True, timeout=60, check=False, cwd=cwd)


def test_a_good_file_is_summed_up(tmp_path: Path) -> None:
    file = tmp_path / "good.toml"
    file.write_text(project() + SIMULATED)
    checked = _tandem("check", str(file))
    assert checked.returncode == 0, checked.stderr
    for word in ("main", "sim-wa", "sim-gateway", "support", "no errors"):
        assert word in checked.stdout


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("not toml at all", "not TOML"),
        ("", "project"),
        ('[[project]]\nid = "a"\ncurrancy = "EUR"', "currency"),
        ('[[project]]\nid = "a"\ntimezone = "Mars/Olympus"', "timezone"),
        ('[[project]]\nid = "a"\n[[sender]]\nid = "s"\nroutes = ["nowhere"]', "nowhere"),
        ('[[project]]\nid = "a"\n[[route]]\nid = "r"\nchannel = "pigeon"\nprovider = "simulator"', "channel"),
        ('[[project]]\nid = "a"\n[[route]]\nid = "r"\nchannel = "sms"\nprovider = "smpp"', "smpp"),
        ('[[project]]\nid = "a"\n[[route]]\nid = "r"\nchannel = "sms"\nprovider = "simulator"\n'
         'prices = [{ prefix = "*", price = 0.05 }]', "price"),
        ('listen = "everywhere"\n[[project]]\nid = "a"', "listen"),
        ('[[project]]\nid = "a"\napi_keys = [{ name = "k", key = { env = "NOT_SET_ANYWHERE" } }]', "NOT_SET_ANYWHERE"),
    ],
)
def test_a_wrong_file_is_refused_with_place_and_name(tmp_path: Path, wrong: str, said: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(wrong)
    checked = _tandem("check", str(file))
    assert checked.returncode == 1
    assert said in checked.stderr, checked.stderr
    assert "panicked" not in checked.stderr
    served = _tandem("serve", "--config", str(file), "--listen", "127.0.0.1:0")
    assert served.returncode == 1
    assert said in served.stderr


def test_all_errors_of_a_file_are_told_at_once_and_no_secret_with_them(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text('[[project]]\nid = "a"\nidempotency = "maybe"\nnonsense = 1\n'
                    'api_keys = [{ name = "k", key = "zv_live_very_secret_key_1", scopes = ["all"] }]\n')
    checked = _tandem("check", str(file))
    for word in ("idempotency", "nonsense", "scopes"):
        assert word in checked.stderr
    assert "very_secret" not in checked.stdout + checked.stderr
    assert re.search(r"wrong\.toml:3:\d+", checked.stderr)


def test_a_file_that_is_not_there_is_named() -> None:
    checked = _tandem("check", "/nowhere/tandem.toml")
    assert checked.returncode == 1
    assert "/nowhere/tandem.toml" in checked.stderr


def test_keys_are_made_listed_and_revoked_while_the_server_runs(start: Callable[..., Server]) -> None:
    server = start(project() + SIMULATED)
    config = ("--config", str(server.config))
    made = _tandem("keys", "create", "--name", "app", "--scope", "send", "--scope", "read", "--test", "--json", *config)
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)
    api = Api(server.url, key["key"])
    message = api.ended(api.send("+40722800001")["message"]["id"])
    assert message["status"] == "delivered"
    assert api.get("/v1/me")["isTestMode"] is True

    listed = _tandem("keys", "list", *config)
    assert key["id"] in listed.stdout
    assert "app" in listed.stdout
    assert key["key"] not in listed.stdout
    database = server.folder / "tandem.db"
    assert key["key"].encode() not in database.read_bytes()

    revoked = _tandem("keys", "revoke", key["id"], *config)
    assert revoked.returncode == 0, revoked.stderr
    until("the key is refused", lambda: api.http.get("/v1/me").status_code == 401)
    assert _tandem("keys", "revoke", "key_nonsense", *config).returncode != 0


def test_without_a_file_it_makes_a_key_and_keeps_it(tmp_path: Path) -> None:
    def serve() -> tuple[subprocess.Popen[bytes], Path]:
        output = tmp_path / f"output-{len(list(tmp_path.glob('output-*')))}.txt"
        with output.open("wb") as sink:
            command = [program(), "serve", "--listen", "127.0.0.1:0"]
            process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, cwd=tmp_path)
        return process, output

    def url(output: Path) -> str:
        found = until("it listens", lambda: re.search(r"listening on (http://\S+)", output.read_text()))
        return found.group(1)

    process, output = serve()
    first = url(output)
    said = re.search(r"API key: +(\S+)", output.read_text())
    assert said
    api = Api(first, said.group(1))
    sent = api.send("+40722800101")["message"]["id"]
    api.ended(sent)
    process.terminate()
    assert process.wait(30) == 0

    process, output = serve()
    again = Api(url(output), said.group(1))
    assert again.message(sent)["status"] == "delivered"
    assert "API key:" not in output.read_text(), "it is shown once"
    process.terminate()
    assert process.wait(30) == 0


def test_it_stops_gracefully_with_exit_code_0_and_carries_on(start: Callable[..., Server]) -> None:
    server = start(project() + SIMULATED)
    api = Api(server.url)
    early = [api.send(f"+4072280020{number}")["message"]["id"] for number in range(10)]
    assert server.terminate() == 0
    server.start()
    # What a simulator had in hand it has forgotten, with its receipts; nothing is lost or repeated by us.
    assert {api.reaches(it, "sent", "delivered", "failed")["status"] for it in early} <= {"sent", "delivered"}
    assert api.ended(api.send("+40722800301")["message"]["id"])["status"] == "delivered"


def test_probes_need_no_key(start: Callable[..., Server]) -> None:
    server = start(project() + SIMULATED)
    assert httpx.get(f"{server.url}/healthz").json()["status"] == "ok"
    ready = httpx.get(f"{server.url}/readyz")
    assert ready.status_code == 200
    assert ready.json()["store"]["synchronous"] == "FULL"
    metrics = httpx.get(f"{server.url}/metrics")
    assert metrics.status_code == 200
    assert "# TYPE" in metrics.text


def test_the_document_that_is_printed_is_the_one_that_is_served(start: Callable[..., Server]) -> None:
    server = start(project() + SIMULATED)
    printed = json.loads(_tandem("openapi").stdout)
    assert printed["openapi"].startswith("3.1")
    assert printed == httpx.get(f"{server.url}/openapi.json").json()


def test_a_second_server_on_the_same_port_says_what_is_wrong(start: Callable[..., Server]) -> None:
    server = start(project() + SIMULATED)
    other = _tandem("serve", "--config", str(server.config), "--listen", server.url.removeprefix("http://"),
                    "--database", f"sqlite:{server.folder}/other.db")
    assert other.returncode not in (0, 101)
    assert server.url.removeprefix("http://") in other.stderr
