"""Clients of providers that others wrote, pointed at our mocks."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
from pywa import WhatsApp
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from harness import mock_meta, mock_twilio
from harness.mock_meta import Meta
from harness.mock_twilio import Twilio

__all__ = ["TwilioRestException", "node", "pywa_client", "twilio_client"]


class _Elsewhere(httpx.HTTPTransport):
    """Carries what is for Meta to the mock."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = httpx.URL(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme=self._url.scheme, host=self._url.host, port=self._url.port)
        return super().handle_request(request)


def pywa_client(meta: Meta, **options: Any) -> WhatsApp:
    """pywa, whose answers come from the mock."""
    return WhatsApp(
        phone_id=mock_meta.NUMBER_ID,
        token=mock_meta.TOKEN,
        waba_id=mock_meta.ACCOUNT,
        app_secret=mock_meta.APP_SECRET,
        verify_token=mock_meta.VERIFY_TOKEN,
        server=None,
        api_version=23.0,
        session=httpx.Client(transport=_Elsewhere(meta.listener.url)),
        **options,
    )


class _TwilioElsewhere(TwilioHttpClient):
    """Carries what is for Twilio to the mock."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.session.trust_env = False
        self._url = url

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
        return super().request(method, url.replace("https://api.twilio.com", self._url), *args, **options)


def twilio_client(twilio: Twilio) -> Client:
    """Twilio's own client, whose answers come from the mock."""
    return Client(mock_twilio.ACCOUNT, mock_twilio.TOKEN, http_client=_TwilioElsewhere(twilio.listener.url))


def node(meta: Meta, **command: Any) -> dict[str, Any]:
    """One answer of whatsapp-api-js."""
    command = {
        "token": mock_meta.TOKEN,
        "appSecret": mock_meta.APP_SECRET,
        "verifyToken": mock_meta.VERIFY_TOKEN,
        "host": meta.listener.url,
        "number": mock_meta.NUMBER_ID,
        **command,
    }
    ran = subprocess.run(
        ["node", str(Path(__file__).with_name("wa.mjs"))],
        input=json.dumps(command),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "CONFORMANCE_NODE": str(Path(os.environ["CONFORMANCE_WORK"]) / "node")},
    )
    assert ran.returncode == 0, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer
