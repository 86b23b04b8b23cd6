"""R-API-1: the official TypeScript SDK. Its package has no tests, so the exercise is ours and the
shapes are the SDK's: the compiler reads its declarations, and every answer is held against them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from .server import SIMULATED, TEST_KEY, Server, project
from .totals import Totals

HERE = Path(__file__).resolve().parent.parent
#: Longest that compiling or one run may take.
PATIENCE = 300


def compiled(work: Path, suite: str) -> subprocess.CompletedProcess[str]:
    """Compiles the TypeScript of a suite beside the packages that it uses, by the strictest rules."""
    folder = work / "node" / suite
    shutil.rmtree(folder, ignore_errors=True)
    # `sdk_ts` is the kit of every suite in TypeScript.
    for source in ("sdk_ts", suite):
        shutil.copytree(HERE / "suites" / source, folder, dirs_exist_ok=True)
    command = ["node", str(work / "node/node_modules/typescript/bin/tsc"), "-p", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def ran(work: Path, suite: str, script: str, url: str, key: str, **environment: str) -> tuple[list[dict[str, Any]], str]:
    """What a compiled script tells of its tests, line by line, and what else it says."""
    done = subprocess.run(
        ["node", str(work / "node" / suite / "out" / f"{script}.mjs")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "TANDEM_URL": url, "TANDEM_KEY": key, "NO_PROXY": "127.0.0.1", **environment},
    )
    lines = [json.loads(it) for it in done.stdout.splitlines() if it.startswith("{")]
    if done.returncode != 0 or not lines:
        lines.append({"test": f"{script} runs to its end", "error": f"exit {done.returncode}\n{done.stderr}"})
    return lines, done.stderr


def run(work: Path) -> Totals:
    """Compiles the exercise and runs it."""
    started = time.monotonic()
    build = compiled(work, "sdk_ts")
    tests: list[dict[str, Any]] = [{"test": "it compiles", "error": build.stdout if build.returncode else None}]
    notes: list[str] = []
    if build.returncode == 0:
        server = Server(project() + SIMULATED).start()
        try:
            more, said = ran(work, "sdk_ts", "exercise", server.url, TEST_KEY)
            tests += more
            missing = [it for it in said.splitlines() if it.startswith("not served: ")]
            notes.append(f"{len(missing)} methods not served")
            print("\n".join(missing))
            if any(it.get("error") for it in tests):
                print(f"log of the server, {server.log}:\n{server.tail()}")
        finally:
            server.close()
    failed = [it for it in tests if it.get("error")]
    for it in failed:
        print(f"FAILED {it['test']}\n{it['error']}")
    return Totals(
        suite="sdk-ts",
        passed=len(tests) - len(failed),
        failed=len(failed),
        seconds=time.monotonic() - started,
        notes=notes,
        good=not failed,
    )
