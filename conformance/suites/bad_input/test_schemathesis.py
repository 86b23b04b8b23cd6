"""Requests made up by Schemathesis from the document that the server itself gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from harness.api import Api
from harness.server import TEST_KEY, Server

#: Examples for each operation: with every phase together this stays under a minute.
EXAMPLES = 10


def test_no_made_up_request_meets_a_fault(server: Server, tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{server.url}/openapi.json",
        "--header", f"Authorization: Bearer {TEST_KEY}",
        "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        "--phases", "examples,coverage,fuzzing",
        "--max-examples", str(EXAMPLES), "--seed", "1", "--no-color",
        # Two would be quicker; in Python 3.11 two threads that compile at once disturb each other.
        "--workers", "1",
        "--exclude-path", "/metrics",
        # A stream without end, whose events Schemathesis takes for bodies; the suite `webhooks` reads it.
        "--exclude-path", "/v1/events",
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout[-12_000:] + ran.stderr[-2_000:]
    assert Api(server.url).get("/v1/me")["isTestMode"] is True
    assert server.alive()
    print(ran.stdout[-1_500:])
