"""R-API-1: the official TypeScript SDK. Its package has no tests, so the exercise is ours and the
shapes are the SDK's: the compiler reads its declarations, and every answer is held against them."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from .heard import AtMeta
from .server import LIVE_KEY, SIMULATED, TEST_KEY, Server, project
from .totals import Totals

HERE = Path(__file__).resolve().parent.parent
#: Longest that compiling or one run may take.
PATIENCE = 300


class CompileError(Exception):
    """What the compiler said."""


def built(work: Path) -> Path:
    """The compiled scripts, beside the packages that they use. Compiles what is new, by the strictest
    rules; suites that run at the same time wait for one another."""
    folder = work / "node" / "sdk_ts"
    sources = sorted((HERE / "suites" / "sdk_ts").iterdir())
    version = hashlib.sha256(b"".join(it.read_bytes() for it in sources)).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / "built"
        if not stamp.exists() or stamp.read_text() != version:
            for old in folder.glob("*.mts"):
                old.unlink()
            for source in sources:
                shutil.copy(source, folder)
            command = ["node", str(work / "node/node_modules/typescript/bin/tsc"), "-p", str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
            if done.returncode != 0:
                raise CompileError(done.stdout)
            stamp.write_text(version)
    return folder / "out"


def ran(script: Path, url: str, key: str, live_key: str, heard: str) -> tuple[list[dict[str, Any]], str]:
    """What a compiled script tells of its tests, line by line, and what else it says."""
    done = subprocess.run(
        ["node", str(script)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={
            **os.environ,
            "TANDEM_URL": url,
            "TANDEM_KEY": key,
            "TANDEM_LIVE_KEY": live_key,
            "TANDEM_HEARD": heard,
            "NO_PROXY": "127.0.0.1",
        },
    )
    lines = [json.loads(it) for it in done.stdout.splitlines() if it.startswith("{")]
    if done.returncode != 0 or not lines:
        lines.append({"test": "it runs to its end", "error": f"exit {done.returncode}\n{done.stderr}"})
    return lines, done.stderr


def run(work: Path) -> Totals:
    """Compiles the exercise and runs it."""
    started = time.monotonic()
    notes: list[str] = []
    try:
        scripts = built(work)
    except CompileError as error:
        tests: list[dict[str, Any]] = [{"test": "it compiles", "error": str(error)}]
    else:
        tests = [{"test": "it compiles"}]
        at_meta = AtMeta()
        server = Server(project() + SIMULATED + at_meta.config, called=True).start()
        try:
            heard = at_meta.heard(server, LIVE_KEY)
            more, said = ran(scripts / "exercise.mjs", server.url, TEST_KEY, LIVE_KEY, heard)
            tests += more
            missing = [it for it in said.splitlines() if it.startswith("not served: ")]
            notes.append(f"{len(missing)} methods not served")
            print("\n".join(missing))
            if any(it.get("error") for it in tests):
                print(f"log of the server, {server.log}:\n{server.tail()}")
        finally:
            server.close()
            at_meta.close()
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
