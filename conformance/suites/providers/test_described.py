"""A provider that is described in the configuration: the example of docs/reference/http-provider.md,
taken from that file, at a gateway made from the same words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from harness.api import Api
from harness.listener import Call, Listener, Reply
from harness.server import LIVE_KEY, Server, project
from harness.wait import PATIENCE, until

DOCS = Path(__file__).resolve().parents[3] / "docs/reference/http-provider.md"
KEY = "cellar-key"


def _example() -> str:
    """The first block of TOML after the heading."""
    found = re.search(r"## A gateway of your own.*?```toml\n(.*?)```", DOCS.read_text(), re.S)
    assert found
    return found[1]


class Gateway:
    """Takes a form, answers `OK` or `ERR` and a number."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.sent: list[dict[str, str]] = []
        self.listener = Listener(self._answer)

    def _answer(self, call: Call) -> Reply:
        if (call.method, call.path, call.query.get("key")) != ("POST", "/api/send", KEY):
            return Reply(404)
        words = self.answers.pop(0) if self.answers else "OK"
        if words == "OK":
            self.sent.append(call.form())
        return Reply(200, words.encode(), {"Content-Type": "text/plain"})


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """The gateway in the cellar."""
    gateway = Gateway()
    yield gateway
    gateway.listener.close()


@pytest.fixture(scope="module")
def server(start: Callable[..., Server], gateway: Gateway) -> Server:
    """Tandem with a route to it."""
    route = _example().replace("http://sms.cellar.example", gateway.listener.url).replace('{ env = "CELLAR_KEY" }', f'"{KEY}"')
    sender = '\n[[sender]]\nid = "support"\nphone_number = "+40700000001"\ndefault = true\nroutes = ["cellar"]\n'
    return start(project() + route + sender, called=True)


@pytest.fixture
def api(server: Server) -> Api:
    """The API, with the route up."""
    api = Api(server.url, LIVE_KEY)
    until("the route is up", lambda: api.get("/v1/routes")["items"][0]["condition"] == "up")
    return api


def _report(server: Server, **query: str) -> httpx.Response:
    return httpx.get(server.hook("cellar"), params=query, timeout=PATIENCE, trust_env=False)


@pytest.mark.parametrize(("state", "status"), [("D", "delivered"), ("F", "failed")])
def test_a_message_goes_and_its_report_is_believed(
    api: Api, server: Server, gateway: Gateway, state: str, status: str
) -> None:
    sent = api.send("+40722600001", f"Bună, {state}")["message"]["id"]
    form = until("it is there", lambda: next((it for it in gateway.sent if it["msg"] == f"Bună, {state}"), None))
    assert (form["to"], form["from"]) == ("0040722600001", "0040700000001")
    assert _report(server, token="guess", id=form["id"], st=state).status_code in (401, 403)
    answer = _report(server, token=KEY, id=form["id"], st=state)
    assert (answer.status_code, answer.text) == (200, "ACK")
    assert api.ended(sent)["status"] == status


def test_a_refusal_is_sorted_by_its_number(api: Api, gateway: Gateway) -> None:
    gateway.answers.append("ERR 5")
    ended = api.ended(api.send("+40722600002", "Nobody")["message"]["id"])
    assert (ended["status"], ended["errorCode"]) == ("failed", "5")
