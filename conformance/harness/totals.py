"""How a suite went: runs pytest and counts from its JUnit report."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent


@dataclass
class Totals:
    """The outcome of one suite."""

    suite: str
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0
    #: Further words, such as known differences.
    notes: list[str] = field(default_factory=list)
    good: bool = True

    def line(self) -> str:
        """One line for people."""
        total = self.passed + self.failed
        words = [f"{self.passed} of {total} passed", *self.notes, f"{self.seconds:.0f} s"]
        return f"{'ok  ' if self.good else 'FAIL'} {self.suite}: {', '.join(words)}"


@dataclass
class Case:
    """One test and how it went: `passed`, `failed` or `skipped`."""

    name: str
    outcome: str


def cases(report: Path) -> list[Case]:
    """The tests of a JUnit report."""
    found = []
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        found.append(Case(name, outcome))
    return found


def pytest_report(args: list[str], *, report: Path, cwd: Path, environment: dict[str, str], quiet: bool) -> int:
    """Runs pytest, in our own environment, and leaves its JUnit report; answers its exit code."""
    report.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}", *args]
    output = report.with_suffix(".txt")
    with output.open("wb") as sink:
        return subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **environment},
            stdout=sink if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
            check=False,
        ).returncode


def run_pytest(suite: str, paths: list[str], *, processes: int, work: Path) -> Totals:
    """Runs a suite of our own: everything has to pass, and nothing may be skipped."""
    started = time.monotonic()
    report = work / "reports" / f"{suite}.xml"
    args = ["-q", "--tb=short", "-rN", "-p", "no:asyncio", "-p", "harness.fixtures", "--rootdir", str(HERE), *paths]
    if processes > 1:
        args += ["-n", str(processes), "--dist", "loadfile"]
    code = pytest_report(args, report=report, cwd=HERE, environment={"PYTHONPATH": str(HERE)}, quiet=False)
    ran = cases(report) if report.exists() else []
    passed = sum(it.outcome == "passed" for it in ran)
    return Totals(
        suite=suite,
        passed=passed,
        failed=len(ran) - passed,
        seconds=time.monotonic() - started,
        good=code == 0 and bool(ran) and passed == len(ran),
    )
