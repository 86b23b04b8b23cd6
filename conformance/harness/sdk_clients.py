"""Both official SDKs behind one face, so that one story is told with either.

Fields go in and come out by their names on the wire; each SDK still writes and reads them itself.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from zavudev import APIStatusError

from .sdk import client
from .server import TEST_KEY
from .ts_suite import built


class Refused(Exception):
    """The server refused a call."""

    def __init__(self, kind: str, status: int, body: Any) -> None:
        super().__init__(f"{kind}: {status} {body}")
        self.kind, self.status, self.code = kind, status, body.get("code")


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).replace("-", "_").lower()


class PythonClient:
    """The Python SDK, strict."""

    def __init__(self, url: str, key: str = TEST_KEY) -> None:
        self._sdk = client(url, key)

    def call(self, method: str, *ids: str, **fields: Any) -> Any:
        """Calls a method, such as `messages.send`; of a page, its items."""
        member: Any = self._sdk
        for step in method.split("."):
            member = getattr(member, _snake(step))
        try:
            answer = member(*ids, **{_snake(name): value for name, value in fields.items()})
        except APIStatusError as error:
            raise Refused(type(error).__name__, error.status_code, error.body) from error
        return None if answer is None else self._plain(answer)

    def _plain(self, answer: Any) -> Any:
        value = answer.model_dump(by_alias=True, mode="json", exclude_unset=True)
        return value["items"] if "nextCursor" in value else value

    def close(self) -> None:
        """Ends it."""
        self._sdk.close()


class TypeScriptClient:
    """The TypeScript SDK, in a process of its own."""

    def __init__(self, url: str, key: str = TEST_KEY) -> None:
        script = built(Path(os.environ["CONFORMANCE_WORK"])) / "driver.mjs"
        self._process = subprocess.Popen(
            ["node", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TANDEM_URL": url, "TANDEM_KEY": key, "NO_PROXY": "127.0.0.1"},
        )

    def call(self, method: str, *ids: str, **fields: Any) -> Any:
        """Calls a method, such as `messages.send`; of a page, its items."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        args = [*ids, *([fields] if fields else [])]
        self._process.stdin.write(json.dumps({"method": method, "args": args}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "refused" in answer:
            raise Refused(**answer["refused"])
        assert "failed" not in answer, answer["failed"]
        return answer["value"]

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()


CLIENTS: dict[str, type[PythonClient] | type[TypeScriptClient]] = {"python": PythonClient, "typescript": TypeScriptClient}
