"""A message that a person wrote on WhatsApp, through a route to our Meta: what reactions and the sign
that somebody types are answers to. Simulated routes have no such sign."""

from __future__ import annotations

import time

from .api import Api
from .mock_meta import Meta
from .server import Server
from .wait import until

SENDER = """
[[sender]]
id = "at-meta"
name = "At Meta"
routes = ["wa-meta"]
"""


class AtMeta:
    """A route to our Meta, with a sender that has only it."""

    def __init__(self) -> None:
        self.meta = Meta(time.time)
        self.config = self.meta.route("wa-meta") + SENDER

    def heard(self, server: Server, key: str) -> str:
        """The id of the message, which is made here."""
        self.meta.hook = server.hook("wa-meta")
        self.meta.inbound("+40722990001", "Look at this")
        api = Api(server.url, key)
        [found] = until("it is received", lambda: api.everything("/v1/messages", status="received"))
        return str(found["id"])

    def close(self) -> None:
        """Ends it."""
        self.meta.close()
