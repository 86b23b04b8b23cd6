"""Quotas, the ledger and the SMSC count the same (R-QUOTA-1, R-COST-1), whatever a price counts and whenever it is
charged, where parts of long messages are refused and receipts say failed."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from harness.api import Api
from harness.server import LIVE_KEY, Server, project
from harness.smsc import Smsc, smsc_script
from harness.wait import free_port, until

MESSAGES = 24
#: What a unit costs: one at which a third is no whole number of millionths.
PRICE = "0.10"
#: Refused for good: an invalid destination.
INVALID = 0x0B

_ROUTE = """
[[route]]
id = "r"
channel = "sms"
provider = "smpp"
prices = [{{ prefix = "*", price = "{price}", per = "{per}", on = "{on}" }}]
quota = [{{ per = "month", spend = "500" }}, {{ per = "month", messages = 5000 }}, {{ per = "month", segments = 5000 }}]
smpp = {{ host = "127.0.0.1", port = {port}, system_id = "acme", password = "secret", window = 5, reconnect_min = "50ms", reconnect_max = "500ms" }}

[[sender]]
id = "s"
name = "S"
phone_number = "+40700000009"
default = true
routes = ["r"]
"""


@pytest.mark.parametrize("stat", ["DELIVRD", "UNDELIV"])
@pytest.mark.parametrize("on", ["submit", "delivery"])
@pytest.mark.parametrize("per", ["segment", "message"])
def test_what_is_used_is_what_was_taken_and_what_was_charged(
    start: Callable[..., Server], tmp_path: Path, per: str, on: str, stat: str
) -> None:
    port = free_port()
    smsc = Smsc([sys.executable, str(smsc_script("smsc_smpp34/smsc.py")), str(port), str(tmp_path / "journal")])
    try:
        dice = random.Random(f"{per} {on} {stat}")
        smsc.do("receipts", stat=stat)
        smsc.do("answer", statuses=[INVALID if dice.random() < 0.2 else 0 for _ in range(MESSAGES * 5)])
        server = start(project() + _ROUTE.format(price=PRICE, per=per, on=on, port=port), log="warn")
        api = Api(server.url, LIVE_KEY)
        until("the route is up", lambda: api.get("/v1/routes")["items"][0]["condition"] == "up")
        texts = ["n" * dice.choice([5, 5, 200, 400]) for _ in range(MESSAGES)]
        sent = [api.send(f"+40722{300_000 + no}", text)["message"]["id"] for no, text in enumerate(texts)]
        for message in sent:
            api.ended(message)

        taken = [it for it in smsc.of("submit") if it["status"] == 0]

        def used() -> dict[str, tuple[Decimal, Decimal]] | None:
            quotas = [it for it in api.get("/v1/quotas")["items"] if it.get("route") == "r"]
            found = {it["unit"]: (Decimal(str(it["used"])), Decimal(str(it["reserved"]))) for it in quotas}
            # The last receipts may be on their way.
            return found if all(reserved == 0 for _, reserved in found.values()) else None

        use = until("nothing is reserved any more", used)
        assert use["segments"][0] == len(taken)
        assert use["messages"][0] == len({it["to"] for it in taken})
        ledger = sum(Decimal(it["amount"]) for it in api.everything("/v1/balance/ledger"))
        assert use["spend"][0] == ledger
        if on == "delivery" and stat == "UNDELIV":
            assert ledger == 0
        if (per, on) == ("segment", "submit"):
            assert ledger == len(taken) * Decimal(PRICE)
    finally:
        smsc.close()
