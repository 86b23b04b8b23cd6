"""How deliveries are signed, and how a receiver changes over to another signature or secret."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from world import delivered, send, sender

from harness.api import Api
from harness.receiver import Receiver, signatures
from harness.server import SIMULATED, WEBHOOKS_HERE, Server, project


@pytest.fixture(scope="module")
def server(start: Callable[..., Server]) -> Server:
    """One for the file."""
    return start(WEBHOOKS_HERE + project() + SIMULATED)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Our application."""
    receiver = Receiver(time.time)
    yield receiver
    receiver.close()


def _versions(receiver: Receiver) -> list[set[str]]:
    """Which signatures each delivery carried; each was right."""
    found = [
        signatures(receiver.secrets[it.path], it.headers["x-zavu-signature"], it.body) for it in receiver.listener.calls
    ]
    assert all(all(it.values()) for it in found)
    return [set(it) for it in found]


def test_the_receiver_knows_the_published_signatures() -> None:
    header = (
        "t=1700000000,v1=51426af50a41dd7ff2cd3f116594734766d4018d15d6fb07169aee5d2959adf5,"
        "v2=38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789"
    )
    assert signatures("whsec_test", header, b'{"a":1}') == {"v1": True, "v2": True}
    assert signatures("whsec_test", header, b'{"a":2}') == {"v1": False, "v2": False}


@pytest.mark.parametrize(
    ("version", "carried"), [("v1", {"v1"}), ("v1+v2", {"v1", "v2"}), ("v2", {"v2"}), (None, {"v2"})]
)
def test_a_delivery_carries_the_signatures_that_were_asked_for(
    api: Api, receiver: Receiver, version: str | None, carried: set[str]
) -> None:
    by = sender(api, receiver, **({"webhookSignatureVersion": version} if version else {}))
    delivered(receiver, send(api, by, 1))
    assert all(it == carried for it in _versions(receiver))


def test_a_receiver_changes_over_by_way_of_both(api: Api, receiver: Receiver) -> None:
    by = sender(api, receiver, webhookSignatureVersion="v1")
    refused = api.http.patch(f"/v1/senders/{by}", json={"webhookSignatureVersion": "v2"})
    assert refused.status_code == 400
    for step in ("v1+v2", "v2"):
        answer = api.http.patch(f"/v1/senders/{by}", json={"webhookSignatureVersion": step})
        assert answer.json()["webhook"]["signatureVersion"] == step
    delivered(receiver, send(api, by, 1, first=100))
    assert all(it == {"v2"} for it in _versions(receiver))


def test_a_new_secret_is_used_at_once_and_shown_once(api: Api, receiver: Receiver) -> None:
    by = sender(api, receiver)
    old = receiver.secrets["/hook"]
    delivered(receiver, send(api, by, 1, first=200))
    fresh = api.post(f"/v1/senders/{by}/webhook/secret", None)["secret"]
    assert fresh.startswith("whsec_")
    assert fresh != old
    receiver.secrets["/hook"] = fresh
    delivered(receiver, send(api, by, 1, first=201))
    assert fresh not in api.http.get(f"/v1/senders/{by}").text


def test_what_is_not_ascii_is_signed_as_it_is_sent(api: Api, receiver: Receiver) -> None:
    by = sender(api, receiver)
    api.inbound("+40722700001", "Bună 😀 ț", "sms", to=by)
    [heard] = receiver.wait("inbound", lambda it: it.type == "message.inbound")
    assert heard.data["text"] == "Bună 😀 ț"
    [call] = [it for it in receiver.listener.calls if it.headers["x-zavu-event"] == "message.inbound"]
    # A receiver that reads and writes anew before it verifies gets the same bytes.
    assert "Bună 😀 ț".encode() in call.body


def test_only_the_events_that_were_asked_for_come(api: Api, receiver: Receiver) -> None:
    by = sender(api, receiver, webhookEvents=["message.delivered"])
    send(api, by, 2, first=300)
    receiver.wait("two ends", lambda it: it.type == "message.delivered", 2)
    assert set(receiver.types()) == {"message.delivered"}


def test_a_webhook_that_is_switched_off_gets_nothing(api: Api, receiver: Receiver) -> None:
    by = sender(api, receiver)
    delivered(receiver, send(api, by, 1, first=400))
    off = api.http.patch(f"/v1/senders/{by}", json={"webhookActive": False}).json()
    assert off["webhook"]["active"] is False
    before = len(receiver.listener.calls)
    send(api, by, 1, first=401)
    assert len(receiver.listener.calls) == before
    api.http.patch(f"/v1/senders/{by}", json={"webhookActive": True})
    delivered(receiver, send(api, by, 1, first=402))


def test_private_addresses_are_refused_where_they_are_not_allowed(start: Callable[..., Server], receiver: Receiver) -> None:
    strict = Api(start(project() + SIMULATED).url)
    addresses = ["https://127.0.0.1/x", "https://10.0.0.1/x", "https://[::1]/x", "https://2130706433/x", "https://localhost/x"]
    for url in (receiver.url(), *addresses, "ftp://example.com/", "no URL"):
        body = {"name": "x", "webhookUrl": url, "webhookEvents": ["message.queued"]}
        answer = strict.http.post("/v1/senders", json=body)
        assert answer.status_code == 400, url
        assert answer.json()["details"]["errors"][0]["path"] == ["webhookUrl"]
