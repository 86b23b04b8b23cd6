"""R-PHONE-2: the pages against the server's own list of what waits, from waiting to sent."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from driven import HERE, link_of

from harness.api import Api
from harness.server import LIVE_KEY, Server, project, smpp_route
from harness.wait import free_port


def test_a_person_sends_what_no_route_can_take() -> None:
    # Nobody listens there: the only route is down.
    server = Server(project() + smpp_route(free_port()))
    server.start()
    try:
        ran = subprocess.run(
            ["node", str(HERE / "real.mjs")],
            input=json.dumps({"url": server.url, "link": link_of(server, "Ana", "agent"), "key": LIVE_KEY}),
            capture_output=True, text=True, timeout=180, check=False,
            env={**os.environ, "CONFORMANCE_NODE": str(Path(os.environ["CONFORMANCE_WORK"]) / "node")},
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr + server.tail()
        seen = json.loads(ran.stdout)
        # Which sign joins number and text differs by system; browser.mjs tries each.
        assert seen["href"].startswith("sms:+40721000001")
        assert seen["href"].endswith("body=Your%20table%20for%20four%20is%20confirmed%3A%2019%3A30%2C%20100%25%20sure.")
        api = Api(server.url, LIVE_KEY)
        assert api.reaches(seen["id"], "sent")
        routing = api.get(f"/v1/messages/{seen['id']}/routing")
        assert routing["attempts"][0]["route"] == "phone:ana"
    finally:
        server.close()
