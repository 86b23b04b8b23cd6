"""R-API-1: the SDK's own tests, from its source distribution, at the server through the proxy."""

from __future__ import annotations

import re
import time
from pathlib import Path

import proxy

from .heard import AtMeta
from .server import SIMULATED, Server, project
from .totals import Totals, cases, pytest_report

HERE = Path(__file__).resolve().parent.parent
KNOWN = HERE / "known_differences.txt"

#: The key that the tests have written into them.
KEY = "My API Key"
#: The tests of what Tandem serves now.
FILES = [
    "tests/api_resources/test_me.py",
    "tests/api_resources/test_balance.py",
    "tests/api_resources/test_messages.py",
    "tests/api_resources/test_contacts.py",
    "tests/api_resources/contacts/test_channels.py",
    "tests/api_resources/test_senders.py",
    "tests/api_resources/test_templates.py",
    "tests/api_resources/test_conversations.py",
    "tests/api_resources/test_introspect.py",
    "tests/api_resources/test_phone_numbers.py",
]
_LINE = re.compile(r"(\S+) — (\S.*)")


def known_differences() -> dict[str, str]:
    """The calls that are known to fail, each for its reason."""
    known = {}
    for number, line in enumerate(KNOWN.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if not found:
            raise ValueError(f"{KNOWN.name}:{number}: not `call — reason`: {line}")
        known[found.group(1)] = found.group(2)
    return known


#: A test of a call: plain, raw or streamed; by the client or its asynchronous twin; in variants.
_TEST = re.compile(
    r"tests\.api_resources\.(?P<file>[\w.]+)\.Test(Async)?(?P<resource>\w+)"
    r"::test_(method|raw_response|streaming_response)_(?P<call>\w+)(\[.*)?"
)


def _call(name: str) -> str:
    """`tests.api_resources.test_me.TestAsyncMe::test_raw_response_x[strict]` as `test_me.Me::x`."""
    found = _TEST.fullmatch(name)
    return f"{found['file']}.{found['resource']}::{found['call']}" if found else name


def run(work: Path) -> Totals:
    """Runs them, and holds the failures against the list of known differences, both ways."""
    started = time.monotonic()
    keys = f'{{ name = "sdk", key = "{KEY}", scopes = ["send", "read", "manage"] }}'
    at_meta = AtMeta()
    server = Server(project('idempotency = "replay"', keys) + SIMULATED + at_meta.config, called=True).start()
    try:
        url, stop = proxy.serve(server.url, KEY, "support", at_meta.heard(server, KEY))
        report = work / "reports" / "sdk-tests.xml"
        pytest_report(
            ["-q", "--tb=short", "-rN", "-n", "4", "-p", "unskip", *FILES],
            report=report,
            cwd=work / "sdk" / "zavudev-0.50.0",
            environment={"TEST_API_BASE_URL": url, "PYTHONPATH": str(HERE), "NO_PROXY": "127.0.0.1"},
            quiet=True,
        )
        table = stop()
        ran = cases(report) if report.exists() else []
        known = known_differences()
        failed = [it for it in ran if it.outcome != "passed"]
        unlisted = [it.name for it in failed if _call(it.name) not in known]
        mended = sorted({_call(it.name) for it in ran if it.outcome == "passed"} & known.keys())
        strange = sorted(known.keys() - {_call(it.name) for it in ran})
        print("Dummies that the proxy replaced, and how often:")
        for what, count in sorted(table.items()):
            print(f"  {count:4}  {what}")
        for name in unlisted:
            print(f"FAILED {name}")
        for name in mended:
            print(f"PASSES, AND STANDS IN {KNOWN.name}: {name}")
        for name in strange:
            print(f"NO SUCH CALL, AND STANDS IN {KNOWN.name}: {name}")
        good = bool(ran) and not unlisted and not mended and not strange
        if not good:
            print(report.with_suffix(".txt").read_text(errors="replace")[-8000:])
            print(f"log of the server, {server.log}:\n{server.tail()}")
        return Totals(
            suite="sdk-tests",
            passed=len(ran) - len(failed),
            failed=len(failed),
            seconds=time.monotonic() - started,
            notes=[f"{len(failed) - len(unlisted)} known differences", f"{len(unlisted)} others failed"],
            good=good,
        )
    finally:
        server.close()
        at_meta.close()
