"""A web server of a test: it keeps what it was asked, and answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .wait import PATIENCE, until


@dataclass
class Call:
    """One request as it came. Names of headers are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        """The body as a form, of which the last value of a name counts."""
        found = parse_qs(self.body.decode(), keep_blank_values=True, strict_parsing=bool(self.body))
        return {name: values[-1] for name, values in found.items()}


@dataclass
class Reply:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def json(value: Any, status: int = 200) -> Reply:
        """An answer in JSON."""
        return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


class Listener:
    """A web server on the loopback address, one thread a connection."""

    def __init__(self, answer: Callable[[Call], Reply]) -> None:
        self._answer = answer
        self._calls: list[Call] = []
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self.open()

    @property
    def url(self) -> str:
        """Where it listens; the same after it was closed and opened."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def calls(self) -> list[Call]:
        """What it was asked so far."""
        with self._lock:
            return list(self._calls)

    def wait(self, what: str, fits: Callable[[Call], bool], count: int = 1, patience: float = PATIENCE) -> list[Call]:
        """Such calls, once there are so many of them."""

        def look() -> list[Call] | None:
            found = [it for it in self.calls if fits(it)]
            return found if len(found) >= count else None

        return until(f"{count} x {what}", look, patience)

    def open(self) -> None:
        """Listens, on the same port as before."""
        assert self._server is None
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        self._server.daemon_threads = True
        self._port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Listens no longer: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _take(self) -> None:
                if self.server is not listener._server:
                    # A connection from before it was closed: it is cut, as a machine that is down would.
                    self.close_connection = True
                    return
                url = urlsplit(self.path)
                call = Call(
                    method=self.command,
                    path=url.path,
                    query={name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()},
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
                )
                with listener._lock:
                    listener._calls.append(call)
                reply = listener._answer(call)
                self.send_response_only(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _take

            def log_message(self, *_: object) -> None:
                """Says nothing: the calls are kept."""

        return Handler
