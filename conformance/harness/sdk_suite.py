"""R-API-1: the SDK's own tests, from its source distribution, at the server through the proxy."""

from __future__ import annotations

import re
import time
from pathlib import Path

import proxy

from .server import SIMULATED, Server, project
from .totals import Totals, cases, pytest_report

HERE = Path(__file__).resolve().parent.parent
KNOWN = HERE / "known_differences.txt"

#: The key that the tests have written into them.
KEY = "My API Key"
#: The tests of what Tandem serves now.
FILES = [
    "tests/api_resources/test_me.py",
    "tests/api_resources/test_messages.py",
    "tests/api_resources/test_contacts.py",
    "tests/api_resources/contacts/test_channels.py",
]
_LINE = re.compile(r"(\S+) — (\S.*)")


def known_differences() -> dict[str, str]:
    """The tests that are known to fail, each for its reason. A name stands for all its variants."""
    known = {}
    for number, line in enumerate(KNOWN.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if not found:
            raise ValueError(f"{KNOWN.name}:{number}: not `test — reason`: {line}")
        known[found.group(1)] = found.group(2)
    return known


def _test_id(name: str) -> str:
    """`tests.api_resources.test_me.TestMe::test_x[strict]` as `test_me.TestMe::test_x`."""
    return name.removeprefix("tests.api_resources.").split("[")[0]


def run(work: Path) -> Totals:
    """Runs them, and holds the failures against the list of known differences, both ways."""
    started = time.monotonic()
    keys = f'{{ name = "sdk", key = "{KEY}", scopes = ["send", "read", "manage"] }}'
    server = Server(project('idempotency = "replay"', keys) + SIMULATED).start()
    try:
        url, stop = proxy.serve(server.url, KEY, "support")
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
        unlisted = [it.name for it in failed if _test_id(it.name) not in known]
        mended = sorted({_test_id(it.name) for it in ran if it.outcome == "passed"} & known.keys())
        strange = sorted(known.keys() - {_test_id(it.name) for it in ran})
        print("Dummies that the proxy replaced, and how often:")
        for what, count in sorted(table.items()):
            print(f"  {count:4}  {what}")
        for name in unlisted:
            print(f"FAILED {name}")
        for name in mended:
            print(f"PASSES, AND STANDS IN {KNOWN.name}: {name}")
        for name in strange:
            print(f"NO SUCH TEST, AND STANDS IN {KNOWN.name}: {name}")
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
