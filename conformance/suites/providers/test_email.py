"""Tandem's e-mail route against aiosmtpd; what arrives is read by the standard library."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

import pytest

from harness.api import Api
from harness.mail import PASSWORD, USER, MailServer
from harness.server import LIVE_KEY, Server, project
from harness.wait import until


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    """The mail server."""
    mail = MailServer()
    yield mail
    mail.close()


@pytest.fixture(scope="module")
def server(start: Callable[..., Server], mail: MailServer) -> Server:
    """Tandem with a route to it."""
    return start(project() + mail.route() + '\n[[sender]]\nid = "support"\nname = "Acme"\ndefault = true\nroutes = ["mail"]\n')


@pytest.fixture
def api(server: Server) -> Api:
    """The API, with the route up."""
    api = Api(server.url, LIVE_KEY)
    until("the route is up", lambda: api.get("/v1/routes")["items"][0]["condition"] == "up")
    return api


def test_text_and_html_arrive_as_alternatives(api: Api, mail: MailServer) -> None:
    sent = api.post("/v1/messages", {
        "to": "maria@example.com", "channel": "email", "subject": "Comanda ta e pe drum 😀",
        "text": "Bună, Maria", "htmlBody": "<p>Bună, <b>Maria</b></p>", "replyTo": "help@acme.example",
    })["message"]["id"]
    taken = mail.to("maria@example.com")
    # A mail server says nothing after it took a message.
    assert api.reaches(sent, "sent")["status"] == "sent"
    message = taken.message
    assert (taken.sender, message["Reply-To"]) == ("shop@acme.example", "help@acme.example")
    assert message["Subject"] == "Comanda ta e pe drum 😀"
    assert message["From"] == "ACME <shop@acme.example>"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == "Bună, Maria"
    assert html.get_content().strip() == "<p>Bună, <b>Maria</b></p>"
    assert message["Message-ID"]
    assert message["Date"].datetime is not None


def test_attachments_arrive_byte_by_byte(api: Api, mail: MailServer) -> None:
    octets = bytes(range(256))
    attachment = {"filename": "datele mele.bin", "content": base64.b64encode(octets).decode(), "content_type": "application/octet-stream"}
    api.post("/v1/messages", {
        "to": "ana@example.com", "channel": "email", "subject": "File", "text": "Here", "attachments": [attachment],
    })
    [part] = mail.to("ana@example.com").message.iter_attachments()
    assert (part.get_filename(), part.get_content()) == ("datele mele.bin", octets)


def test_a_recipient_that_does_not_exist_fails_the_message(api: Api, mail: MailServer) -> None:
    mail.refused["nobody@example.com"] = "550 5.1.1 No such user"
    sent = api.send("nobody@example.com", "Hello", channel="email", subject="Hi")["message"]["id"]
    assert api.ended(sent)["status"] == "failed"
    assert not [it for it in mail.taken if "nobody@example.com" in it.recipients]


def test_headers_cannot_be_smuggled_in(api: Api, mail: MailServer) -> None:
    body = {"to": "eve@example.com", "channel": "email", "subject": "Hi\r\nBcc: all@example.com", "text": "x\r\n.\r\nMAIL FROM:<x>"}
    answer = api.http.post("/v1/messages", json=body)
    if answer.status_code == 202:
        taken = mail.to("eve@example.com")
        assert taken.recipients == ["eve@example.com"]
        assert "Bcc" not in taken.message
    else:
        assert answer.status_code == 400, answer.text
