"""Runs the suites one after the other and prints their totals."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from . import prism, sdk_suite, ts_suite
from .totals import Totals, run_pytest

HERE = Path(__file__).resolve().parent.parent

#: Suites that are folders of our own tests, with how many processes run their files.
FOLDERS = {
    "sdk-scenario": 4,
    "providers": 4,
    "phones": 2,
    "story": 2,
    "webhooks": 2,
    "smsc-node": 1,
    "smsc-smpp34": 1,
    "hybrid": 1,
    "cli": 2,
    "web": 1,
    "bad-input": 2,
}
SUITES = [
    "sdk-scenario",
    "sdk-tests",
    "sdk-ts",
    "providers",
    "phones",
    "story",
    "webhooks",
    "smsc-node",
    "smsc-smpp34",
    "hybrid",
    "cli",
    "web",
    "bad-input",
]
#: Suites that run only where they are asked for.
OPTIONAL = {"prism": 1}


def run_suite(suite: str, work: Path) -> Totals:
    """Runs one suite to its end."""
    if suite == "sdk-tests":
        return sdk_suite.run(work)
    if suite == "sdk-ts":
        return ts_suite.run(work)
    if suite == "prism":
        prism.install(work)
    folder = HERE / "suites" / suite.replace("-", "_")
    return run_pytest(suite, [str(folder)], processes={**FOLDERS, **OPTIONAL}[suite], work=work)


def main() -> int:
    """Exit code 0 when every suite is as it should be."""
    parser = argparse.ArgumentParser(prog="conformance/run", description=__doc__)
    parser.add_argument("--server", required=True, type=Path, help="the tandem program to test")
    parser.add_argument("--work", required=True, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("suite", nargs="*", choices=[*SUITES, *OPTIONAL, []], help=f"of: {', '.join([*SUITES, *OPTIONAL])}")
    args = parser.parse_args()
    server = args.server.resolve()
    if not os.access(server, os.X_OK):
        parser.error(f"{server} is not a program")
    os.environ["TANDEM_PROGRAM"] = str(server)
    os.environ["CONFORMANCE_WORK"] = str(args.work)
    shutil.rmtree(args.work / "runs", ignore_errors=True)

    started = time.monotonic()
    totals = []
    for suite in args.suite or SUITES:
        print(f"\n== {suite}", flush=True)
        totals.append(run_suite(suite, args.work))
        print(totals[-1].line(), flush=True)
    print(f"\n== conformance, {time.monotonic() - started:.0f} s")
    for total in totals:
        print(total.line())
    return 0 if all(it.good for it in totals) else 1


if __name__ == "__main__":
    sys.exit(main())
