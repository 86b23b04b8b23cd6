"""Phones that do not come for what they are offered, and phones that only poll: the first get nothing while others are
there, the second get what waits when they come (R-PHONE-1, R-PHONE-3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.api import Api
from harness.phone import Phone
from harness.wait import until


@pytest.fixture
def people() -> Iterator[str]:
    """Numbers that nobody has written to."""
    return iter(f"+4072100{no:04}" for no in range(5_000, 6_000))


def _standing(api: Api, phone: Phone) -> Any:
    assert phone.device is not None
    [standing] = [it for it in api.get("/v1/phones")["items"] if it["id"] == phone.device["id"]]
    return standing


def _closes(api: Api, phone: Phone) -> None:
    """Its stream closes; it was heard just now."""
    phone.stop()
    until("its stream is closed", lambda: not _standing(api, phone)["connected"])


def _condition(api: Api) -> str:
    condition: str = api.get("/v1/routes")["items"][0]["condition"]
    return condition


def _only_polls(api: Api, phone: Phone) -> None:
    """It looks for messages at its start, and then when it is told to."""
    _closes(api, phone)
    phone.habits.listens = False
    pulls = len(phone.pulls)
    phone.start()
    until("it pulled", lambda: len(phone.pulls) > pulls)


def test_messages_to_new_people_go_to_the_phone_that_listens_and_none_to_one_that_is_gone(
    api: Api, paired: Callable[..., Phone], people: Iterator[str]
) -> None:
    gone, listens = paired(name="Google/gone"), paired(name="Google/listens")
    _closes(api, gone)
    sent = [api.send(next(people), f"to new people {no}")["message"]["id"] for no in range(4)]
    for message in sent:
        assert api.reaches(message, "delivered")
    assert (len(listens.sent), gone.sent, gone.messages) == (4, [], {})


def test_what_a_phone_that_is_gone_does_not_fetch_waits_without_it_and_goes_to_the_next_that_comes(
    api: Api, paired: Callable[..., Phone], people: Iterator[str]
) -> None:
    gone = paired(name="Google/gone")
    _closes(api, gone)
    message = api.send(next(people), "for whoever comes")["message"]["id"]
    until("no phone of the pool is there", lambda: _condition(api) == "down")
    assert (_standing(api, gone)["present"], _standing(api, gone)["holds"]) == (False, 0)
    comes = paired(name="Google/comes")
    assert api.reaches(message, "delivered")
    assert ([it.text for it in comes.sent], gone.messages) == (["for whoever comes"], {})


@pytest.mark.parametrize("says_how_it_is", [True, False])
def test_a_phone_that_only_polls_gets_what_waits_when_it_comes(
    api: Api, paired: Callable[..., Phone], people: Iterator[str], says_how_it_is: bool
) -> None:
    phone = paired(name="Google/polls")
    _only_polls(api, phone)
    sent = [api.send(next(people), f"at its poll {no}")["message"]["id"] for no in range(3)]
    until("it did not come for them in time", lambda: _condition(api) == "down")
    assert phone.messages == {}
    pulls = len(phone.pulls)
    phone.ping() if says_how_it_is else phone.wake()
    for message in sent:
        assert api.reaches(message, "delivered")
    # One pull brought them all: the next may be a quarter of an hour away.
    assert [len(it) for it in phone.pulls[pulls:]] == [3]
    assert len(phone.sent) == 3
