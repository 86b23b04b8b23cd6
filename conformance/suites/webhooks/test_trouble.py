"""A receiver that is down, refuses, or hangs: it misses nothing, and nobody else waits for it (R-MON-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from world import FAILED, delivered, send, sender

from harness.api import Api
from harness.receiver import Receiver
from harness.server import SIMULATED, WEBHOOKS_HERE, Server, project
from harness.wait import until


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    """A server of its own for each test: the tests put its clock forward."""
    return start(WEBHOOKS_HERE + project() + SIMULATED, clock=True)


@pytest.fixture
def receiver(server: Server) -> Iterator[Receiver]:
    """Our application, in the server's time."""
    assert server.clock is not None
    receiver = Receiver(server.clock.now)
    yield receiver
    receiver.close()


@pytest.fixture
def api(server: Server) -> Api:
    """The API."""
    return Api(server.url)


def _fails(server: Server, times: int) -> None:
    until(f"{times} deliveries failed", lambda: server.said(FAILED) >= times)


def test_a_receiver_that_was_down_gets_everything_in_order_and_once(server: Server, api: Api, receiver: Receiver) -> None:
    assert server.clock is not None
    by = sender(api, receiver)
    before = send(api, by, 3)
    taken = len(delivered(receiver, before))
    receiver.listener.close()
    missed = send(api, by, 20, first=3)
    _fails(server, 1)
    server.clock.forward(minutes=1, seconds=2)
    _fails(server, 2)
    receiver.listener.open()
    # The second wait is five minutes: one minute is too early.
    server.clock.forward(minutes=1, seconds=2)
    after = send(api, by, 1, first=23)
    assert len(receiver.deliveries) == taken
    server.clock.forward(minutes=4)
    found = delivered(receiver, before + missed + after)
    assert len(receiver.deliveries) == len(found), "what was taken does not come again"


def test_a_refused_event_is_repeated_under_its_id_and_holds_back_the_later_ones(
    server: Server, api: Api, receiver: Receiver
) -> None:
    assert server.clock is not None
    by = sender(api, receiver)
    receiver.answer(500, 404, 302)
    sent = send(api, by, 2)
    for tries, minutes in ((1, 1), (2, 5), (3, 15)):
        _fails(server, tries)
        assert (len(receiver.refused), receiver.deliveries) == (tries, [])
        server.clock.forward(minutes=minutes, seconds=2)
    found = delivered(receiver, sent)
    assert set(receiver.refused) == {found[0].id}
    assert not [it for it in receiver.listener.calls if it.path == "/elsewhere"], "redirects are not followed"


def test_a_back_off_outlives_the_server(server: Server, api: Api, receiver: Receiver) -> None:
    assert server.clock is not None
    by = sender(api, receiver)
    receiver.answer(503)
    sent = send(api, by, 3)
    _fails(server, 1)
    server.kill()
    server.start()
    more = send(api, by, 1, first=3)
    assert receiver.deliveries == []
    server.clock.forward(minutes=1, seconds=2)
    delivered(receiver, sent + more)


def test_a_server_that_is_killed_while_it_delivers_loses_no_event(server: Server, api: Api, receiver: Receiver) -> None:
    by = sender(api, receiver)
    first = send(api, by, 5)
    delivered(receiver, first)
    receiver.hang()
    sent = send(api, by, 10, first=5)
    until("a delivery is under way", lambda: receiver.waiting() >= 1)
    server.kill()
    receiver.go_on()
    server.start()
    # What was under way may come twice, under one id.
    found = delivered(receiver, first + sent)
    assert len(receiver.deliveries) - len(found) <= 2


def test_what_was_given_up_is_kept_and_can_be_had_again(server: Server, api: Api, receiver: Receiver) -> None:
    assert server.clock is not None
    by = sender(api, receiver, webhookEvents=["message.delivered"])
    receiver.answer(*[500] * 6)
    [lost] = send(api, by, 1)
    for tries, minutes in enumerate((1, 5, 15, 60, 240), 1):
        _fails(server, tries)
        server.clock.forward(minutes=minutes, seconds=2)
    _fails(server, 6)
    [dead] = until("it is given up", lambda: api.get(f"/v1/senders/{by}/webhook/dead")["items"])
    assert set(receiver.refused) == {dead["id"]}
    # What comes after it is not held back for ever.
    [later] = send(api, by, 1, first=1)
    server.clock.forward(hours=4, seconds=2)
    receiver.wait("the later one", lambda it: it.data["messageId"] == later)
    assert api.post(f"/v1/senders/{by}/webhook/replay", {"dead": True})["queued"] == 1
    [again] = receiver.wait("the lost one", lambda it: it.data["messageId"] == lost)
    assert again.id == dead["id"]


def test_events_are_posted_again_under_their_ids(server: Server, api: Api, receiver: Receiver) -> None:
    assert server.clock is not None
    by = sender(api, receiver)
    # A few seconds early: the server's clock and this one may differ by some milliseconds.
    begun = server.clock.text(ago=5)
    found = delivered(receiver, send(api, by, 3))
    assert api.post(f"/v1/senders/{by}/webhook/replay", {"since": begun})["queued"] == len(found)
    until("all came again", lambda: len(receiver.deliveries) == 2 * len(found))
    assert [it.id for it in receiver.deliveries] == [it.id for it in found] * 2
    assert [it.event for it in receiver.deliveries[len(found) :]] == [it.event for it in found]


def test_a_receiver_that_hangs_slows_no_other(server: Server, api: Api, receiver: Receiver) -> None:
    assert server.clock is not None
    healthy = Receiver(server.clock.now)
    try:
        slow, quick = sender(api, receiver), sender(api, healthy, "/other")
        receiver.hang()
        stuck = send(api, slow, 10)
        until("a delivery hangs", lambda: receiver.waiting() >= 1)
        delivered(healthy, send(api, quick, 10, first=10), "/other")
        assert receiver.waiting() == 1, "one delivery at a time"
        assert receiver.deliveries == []
        receiver.go_on()
        delivered(receiver, stuck)
    finally:
        healthy.close()
