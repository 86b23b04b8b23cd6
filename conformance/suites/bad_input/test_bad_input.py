"""Requests that no client would make: each is answered by a clear 4xx and leaves nothing (R-API-3)."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from harness.api import Api
from harness.server import TEST_KEY, Server

TO = "+40722900001"
GOOD = {"to": TO, "text": "x"}
POSTS = ["/v1/messages", "/v1/contacts", "/v1/routing/preview", "/v1/simulator/inbound"]


def _post(api: Api, path: str, content: bytes, **headers: str) -> Any:
    return api.http.post(path, content=content, headers={"Content-Type": "application/json", **headers})


def _paths(answer: Any) -> list[str]:
    return [".".join(it["path"]) for it in answer.json().get("details", {}).get("errors", [])]


@pytest.fixture(autouse=True)
def nothing_is_left(api: Api) -> Any:
    """After each test the server lives, and has neither message nor contact that it had not before."""
    before = _kept(api)
    yield
    assert _kept(api) == before


def _kept(api: Api) -> list[str]:
    return [it["id"] for path in ("/v1/messages", "/v1/contacts") for it in api.everything(path)]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"{",
        b'{"to":',
        b"nonsense",
        b"[]",
        b'"text"',
        b"17",
        b"null",
        b"{} {}",
        b'{"to": "+40722900001", "text": "x",}',
        b"{'to': 'x'}",
        b'{"to": "\xff\xfe", "text": "x"}',
        b'{"text": "\xc3\x28"}',
        b'{"text": "\\ud800"}',
        b'{"text": "\x01"}',
        b"\xef\xbb\xbf{}",
        b"{" * 100_000,
        b"[" * 100_000,
        b'{"content":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"unknown":' * 50_000 + b"1" + b"}" * 50_000,
    ],
    ids=lambda it: repr(it[:24]) + ("…" if len(it) > 24 else ""),
)
def test_what_is_no_request_is_refused_in_our_own_shape(api: Api, path: str, content: bytes) -> None:
    answer = _post(api, path, content)
    assert answer.status_code in (400, 413), answer.text
    body = answer.json()
    assert body["code"] in ("invalid_json", "invalid_request", "payload_too_large")
    assert body["message"]
    assert "X-RateLimit-Limit" in answer.headers


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (field, value)
        for field, values in {
            "to": [1, True, {}, [], ["+40722900001"], 1e400],
            "text": [1, False, {}, ["x"]],
            "channel": [1, {}, "SMS", "", "auto "],
            "messageType": [1, "TEXT", ""],
            "content": [1, "x", [], True],
            "metadata": ["x", [], {"a": 1}, {"a": None}, {"a": {"b": "c"}}],
            "idempotencyKey": [1, {}],
            "fallbackEnabled": ["yes", 1, {}],
            "trafficClass": [1, "DIRECT"],
            "category": [True, "OTP"],
            "speed": [1.5, "Fast"],
            "inReplyTo": [1, {}],
            "conversationId": [[], "conv_"],
            "scheduledAt": [1, "2026-13-01T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00", ""],
            "validity": ["60", 60.5, -1, 0, 2**63, 10**30, 1e308],
            "fallbackAfter": ["60", -1, 2**64],
        }.items()
        for value in values
    ],
    ids=lambda it: str(it)[:20],
)
def test_a_field_of_the_wrong_kind_is_named(api: Api, field: str, value: object) -> None:
    content = json.dumps({**GOOD, field: value}).encode()
    answer = _post(api, "/v1/messages", content)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] in ("invalid_request", "invalid_json")
    if answer.json()["code"] == "invalid_request":
        assert [it.split(".")[0] for it in _paths(answer)] == [field]


@pytest.mark.parametrize(
    "number",
    ["", "+", "0722900001", "40722900001x", "+0722900001", "+999123456789", "+4072290000", "+407229000011",
     "+40722900001;ext=5", "+40" + "7" * 1000, "\u0000+40722900001", "🙂", "+40 722"],
)
def test_what_is_no_phone_number_is_refused(api: Api, number: str) -> None:
    answer = _post(api, "/v1/messages", json.dumps({"to": number, "text": "x"}).encode())
    assert answer.status_code == 400, answer.text
    assert _paths(answer) == ["to"]


def test_a_field_given_twice_is_refused(api: Api) -> None:
    answer = _post(api, "/v1/messages", b'{"to":"+40722900001","text":"a","text":"b"}')
    assert answer.status_code == 400
    assert "text" in answer.text


def test_texts_and_data_over_their_bounds_are_refused_by_name(api: Api) -> None:
    for field, value in (
        ("text", "x" * 4097),
        ("text", "😀" * 4097),
        ("text", "x" * 200_000),
        ("metadata", {"k": "v" * 20_000}),
        ("metadata", {"k" * 20_000: "v"}),
    ):
        answer = _post(api, "/v1/messages", json.dumps({**GOOD, field: value}).encode())
        assert answer.status_code == 400, answer.text
        assert [it.split(".")[0] for it in _paths(answer)] == [field]
        assert len(answer.content) < 10_000, "what was sent is not sent back"


def test_a_text_of_a_megabyte_is_too_large(api: Api) -> None:
    answer = _post(api, "/v1/messages", json.dumps({**GOOD, "text": "x" * 1_100_000}).encode())
    assert answer.status_code == 413
    assert answer.json()["code"] == "payload_too_large"
    assert answer.headers["Connection"] == "close", "what follows on it would be lost"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic eDp5", "bearer", TEST_KEY, f"Bearer {TEST_KEY}x", f"Bearer {TEST_KEY[:-1]}",
     "Bearer " + "k" * 4000, "Bearer \u00e9".encode("latin-1").decode("latin-1")],
)
def test_a_wrong_key_is_refused_everywhere(server: Server, header: str) -> None:
    bare = Api(server.url, "")
    headers = [(b"Authorization", header.encode("latin-1"))] if header else []
    for method, path in (("GET", "/v1/me"), ("GET", "/v1/messages"), ("POST", "/v1/messages"), ("GET", "/v1/contacts")):
        answer = bare.http.request(method, path, headers=headers)
        assert answer.status_code == 401, answer.text
        assert answer.json()["code"] == "unauthorized"


def test_huge_headers_are_refused_and_the_server_lives(server: Server, api: Api) -> None:
    for name, value in (("X-Long", "x" * 200_000), ("Zavu-Sender", "s" * 200_000), ("Idempotency-Key", "k" * 200_000)):
        answer = _raw(server, f"POST /v1/messages HTTP/1.1\r\nHost: x\r\n{name}: {value}\r\n\r\n".encode())
        assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5")), answer[:200]
    for name, value in (("Zavu-Sender", "s" * 5000), ("Zavu-Sender", "?"), ("Idempotency-Key", "k" * 5000)):
        answer = _post(api, "/v1/messages", json.dumps(GOOD).encode(), **{name: value})
        assert answer.status_code in (400, 404), answer.text
        assert _paths(answer)[0] in (name, "idempotencyKey")


@pytest.mark.parametrize(
    "request_text",
    [
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=lambda it: repr(it[:30]),
)
def test_what_is_hardly_http_gets_no_success(server: Server, request_text: bytes) -> None:
    answer = _raw(server, request_text)
    assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5")), answer[:200]


def test_a_request_that_breaks_off_leaves_nothing(server: Server) -> None:
    head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TEST_KEY}\r\nContent-Length: 100\r\n\r\n"
    _raw(server, head.encode() + b'{"to":"+40722900001","text":"half', until_end=False)


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=101", "limit=1e3", "limit=99999999999999999999", "cursor=%00", "cursor=" + "x" * 5000,
     "status=gone", "status=QUEUED", "channel=pigeon", "to=nobody", "to=%FF%FE", "cursor=msg_0000000000001"],
)
def test_a_wrong_query_is_refused_by_name(api: Api, query: str) -> None:
    answer = api.http.get(f"/v1/messages?{query}")
    assert answer.status_code == 400, answer.text
    assert _paths(answer) == [query.split("=")[0]]


@pytest.mark.parametrize("path", ["/v1/messages/", "/v1/contacts/"])
@pytest.mark.parametrize("name", ["x", "%00", "%FF", "..%2F..%2Fetc", "msg_" + "z" * 3000, "msg_zzzzzzzzzzzzz", "'--", "%F0%9F%99%82"])
def test_a_path_that_names_nothing_is_not_found(api: Api, path: str, name: str) -> None:
    answer = api.http.get(path + name)
    assert answer.status_code in (400, 404), answer.text
    assert answer.json()["code"] in ("not_found", "invalid_request")


def _raw(server: Server, octets: bytes, *, until_end: bool = True) -> bytes:
    """What the server answers to these octets, as far as it answers before it closes."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        try:
            connection.sendall(octets)
            if not until_end:
                return b""
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := connection.recv(65_536):
                answer += chunk
        except OSError:
            return b""
        return answer
