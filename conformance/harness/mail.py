"""A mail server that keeps what it takes: aiosmtpd, on a thread of its own."""

from __future__ import annotations

import email
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from .wait import free_port, until

USER = "tandem"
PASSWORD = "conformance-password"


@dataclass
class Mail:
    """A message as it was handed over."""

    sender: str
    recipients: list[str]
    message: EmailMessage


class MailServer:
    """Takes mail from whoever logs in, and refuses the recipients it is told to refuse."""

    def __init__(self) -> None:
        #: What was taken.
        self.taken: list[Mail] = []
        #: Recipients, each with the line that answers it.
        self.refused: dict[str, str] = {}
        self.port = free_port()
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, authenticator=self._login, auth_require_tls=False
        )
        self._controller.start()

    def route(self) -> str:
        """The `[[route]]` to it."""
        return f"""
[[route]]
id = "mail"
channel = "email"
provider = "email"
receipts = false
prices = [{{ prefix = "*", price = "0.001", per = "message" }}]

[route.email]
host = "127.0.0.1"
port = {self.port}
security = "none"
username = "{USER}"
password = "{PASSWORD}"
from = "shop@acme.example"
from_name = "ACME"
"""

    def to(self, recipient: str) -> Mail:
        """The message to this recipient, once it is there."""
        return until(
            f"a mail to {recipient}", lambda: next((it for it in self.taken if recipient in it.recipients), None)
        )

    def close(self) -> None:
        """Ends it."""
        self._controller.stop()

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Answers one recipient."""
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Takes a message."""
        content = envelope.content
        assert isinstance(content, bytes)
        message = email.message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(Mail(str(envelope.mail_from), list(envelope.rcpt_tos), message))
        return "250 OK"

    def _login(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=True)
