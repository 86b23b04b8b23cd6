"""The acceptance list of phones with the stock app, point by point, against the program (R-PHONE-1).

Each point has its heading: 1 to 5 and 7 here, 6 and 9 in `test_moving.py`, 8 here and in `test_interrupted.py`.
Point 10 is about the app's API for third parties, which is not offered: `test_there_is_no_third_party_api` says so.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from harness.api import Api
from harness.phone import Phone
from harness.server import LIVE_KEY, READ_KEY, Server
from harness.wait import until

ANA = "+40721000001"
_MILLIS = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def _received(api: Api, text: str) -> list[Any]:
    return [it for it in api.everything("/v1/messages", status="received") if it["text"] == text]


# 1. Registration, by each way in; the race of the first start.


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "Code"])
def test_a_phone_registers_by_each_way_and_has_webhooks_and_settings_within_seconds(
    server: Server, api: Api, paired: Callable[..., Phone], scheme: str
) -> None:
    phone = paired(scheme=scheme)
    assert phone.device is not None
    assert ("POST", "/device", 201) in phone.statuses
    assert len(phone.device["id"]) <= 21
    assert phone.crashes == []
    assert phone.settings["messages"]["processing_order"] == "FIFO"
    [listed] = [it for it in api.get("/v1/phones")["items"] if it["id"] == phone.device["id"]]
    assert (listed["connected"], listed["present"], listed["webhooksInstalled"]) == (True, True, True)
    assert listed["sims"][0]["phoneNumber"].startswith("****")


def test_who_has_no_token_is_refused_and_a_token_is_for_one_phone(server: Server, api: Api) -> None:
    pairing = api.post("/v1/phones/pairings", {})["pairing"]
    assert pairing["qrSvg"].lstrip().startswith("<?xml") and pairing["token"] in pairing["qrText"]
    url = f"{server.url}/phone/v1/device"
    body = {"name": "Google/panther", "simCards": []}
    for auth in ("", "Bearer wrong", "Code 000000x", "Basic d3Jvbmc6d3Jvbmc=", "Nonsense"):
        assert httpx.post(url, json=body, headers={"Authorization": auth}, trust_env=False).status_code == 401
    right = {"Authorization": f"Bearer {pairing['token']}"}
    first = httpx.post(url, json=body, headers=right, trust_env=False)
    # The same phone again, whose answer was lost: the same device, with a new token.
    again = httpx.post(url, json=body, headers=right, trust_env=False)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert first.json()["token"] != again.json()["token"]
    other = httpx.post(url, json={**body, "name": "Samsung/a52"}, headers=right, trust_env=False)
    assert other.status_code == 401
    # It was let in: whoever says the same of itself now may be another, and takes no place.
    mine = {"Authorization": f"Bearer {again.json()['token']}"}
    assert httpx.get(f"{server.url}/phone/v1/message", headers=mine, trust_env=False).status_code == 200
    assert httpx.post(url, json=body, headers=right, trust_env=False).status_code == 401
    assert httpx.get(f"{server.url}/phone/v1/message", headers=mine, trust_env=False).status_code == 200
    api.http.delete(f"/v1/phones/{first.json()['id']}")
    assert httpx.post(url, json=body, headers=right, trust_env=False).status_code == 401
    # Before it is registered the app asks for its address, and takes nothing but success.
    assert httpx.get(url, trust_env=False).json()["externalIp"]
    assert api.http.post("/v1/phones/pairings", json={}, headers={"Authorization": f"Bearer {READ_KEY}"}).status_code == 403


# 2. A restart of the app; a token that was revoked.


def test_a_restarted_app_says_so_and_a_revoked_one_is_refused_everywhere_and_can_come_back(
    api: Api, paired: Callable[..., Phone]
) -> None:
    phone = paired()
    assert phone.device is not None
    phone.stop()
    phone.start()
    until("it said that it is back", lambda: ("PATCH", "/device", 204) in phone.statuses)
    assert api.http.delete(f"/v1/phones/{phone.device['id']}").status_code == 204
    for method, path in (("GET", "/message"), ("PATCH", "/message"), ("GET", "/webhooks"), ("GET", "/settings"),
                         ("GET", "/events"), ("PATCH", "/device")):
        with pytest.raises(httpx.HTTPStatusError, match="401"):
            phone.ask(method, path, [] if method == "PATCH" else None)
    phone.stop()
    phone.token = api.post("/v1/phones/pairings", {})["pairing"]["token"]
    before, streams = phone.device["id"], phone.streams
    phone.start()
    until("it is another phone", lambda: phone.device is not None and phone.device["id"] != before)
    until("it listens", lambda: phone.streams > streams)


# 3. The stream: an event within a second, few of them.


def test_a_message_wakes_the_phone_within_a_second_and_many_do_so_seldom(
    api: Api, paired: Callable[..., Phone]
) -> None:
    phone = paired()
    until("it is quiet", lambda: not phone.events or time.monotonic() - phone.events[-1][0] > 2)
    started = time.monotonic()
    api.send(ANA, "one")
    woken = until("it is woken", lambda: [it for it in phone.events if it[0] > started and it[1] == "MessageEnqueued"])
    assert woken[0][0] - started < 1.5
    assert woken[0][2] == "null"
    sent = [api.send(ANA, f"burst {no}")["message"]["id"] for no in range(6)]
    for message in sent:
        api.ended(message)
    times = [at for at, name, _ in phone.events if name == "MessageEnqueued" and at > started]
    # What one pull brings needs one wake-up; the next comes when that pull is over.
    assert all(b - a > 0.25 for a, b in zip(times, times[1:], strict=False)), times
    assert len(times) < 7, times


def test_the_stream_is_one_that_the_app_takes_and_is_kept_alive(api: Api, paired: Callable[..., Phone]) -> None:
    phone = paired()
    assert phone.device is not None
    headers = {"Authorization": f"Bearer {phone.device['token']}", "Accept": "text/event-stream"}
    with httpx.stream("GET", f"{phone.url}/events", headers=headers, timeout=20, trust_env=False) as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in stream.headers
        began = time.monotonic()
        # Comments begin with a colon; the app takes no notice of them.
        next(line for line in stream.iter_lines() if line.startswith(":"))
        assert time.monotonic() - began < 20
    # A phone may hold two streams for a moment, and is woken by each.
    message = api.send(ANA, "two streams")["message"]["id"]
    assert api.reaches(message, "delivered")


# 4. The pull.


def test_a_pull_gives_messages_in_order_to_one_recipient_each_with_dates_of_three_decimals(
    api: Api, paired: Callable[..., Phone]
) -> None:
    phone = paired()
    sent = [api.send(ANA, f"in order {no}")["message"]["id"] for no in range(8)]
    for message in sent:
        assert api.ended(message)["status"] == "delivered"
    assert [it.text for it in phone.sent] == [f"in order {no}" for no in range(8)]
    listed = [it for pull in phone.pulls for it in pull]
    assert max(len(pull) for pull in phone.pulls) <= 100
    for entry in listed:
        assert len(entry["phoneNumbers"]) == 1
        assert len(entry["id"]) <= 36
        for name in ("validUntil", "createdAt"):
            assert _MILLIS.match(entry[name]), entry[name]
        assert not [name for name, value in entry.items() if value is None]


# 5. Reports.


@pytest.mark.parametrize("habits", [{"disorder": True}, {"regress": True}, {"disorder": True, "regress": True}])
def test_reports_in_any_order_and_backwards_end_in_the_right_state(
    api: Api, paired: Callable[..., Phone], habits: dict[str, Any]
) -> None:
    phone = paired(**habits)
    sent = [api.send(ANA, f"any order {no}")["message"]["id"] for no in range(5)]
    for message in sent:
        assert api.reaches(message, "delivered")
    assert len(phone.sent) == 5
    unknown = [{"id": "nobody-knows-this", "state": "Sent", "recipients": [], "states": {}}]
    assert phone.ask("PATCH", "/message", unknown).status_code == 204
    for sms in phone.messages.values():
        phone.ask("PATCH", "/message", [{"id": sms.id, "state": "Processed", "recipients": [], "states": {}}])
    assert all(api.message(it)["status"] == "delivered" for it in sent)


def test_a_carrier_without_reports_leaves_a_message_sent_and_a_failure_has_its_code(
    api: Api, paired: Callable[..., Phone]
) -> None:
    phone = paired(outcome="Sent")
    message = api.send(ANA, "no report")["message"]["id"]
    api.reaches(message, "sent")
    phone.habits.outcome = "Failed: RESULT_ERROR_SHORT_CODE_NOT_ALLOWED"
    failed = api.ended(api.send(ANA, "to a short code")["message"]["id"])
    assert (failed["status"], failed["errorCode"]) == ("failed", "short_code_refused")


# 6. Cancelling; 9. a phone that is away past the validity: in test_moving.py.

# 7. Inbound messages.


def test_an_inbound_message_is_heard_once_however_often_it_comes_and_only_when_it_is_signed(
    api: Api, paired: Callable[..., Phone]
) -> None:
    phone = paired()
    entry = phone.receive(ANA, "Salut și mulțumesc")
    until("it is heard", lambda: _received(api, "Salut și mulțumesc"))
    phone.emit_again(entry)
    phone.emit_again(entry, new_id=False)
    [hook] = [it for it in phone.hooks if it["event"] == "sms:received"]
    forged = {"id": "forged", "event": "sms:received", "payload": {**entry["payload"], "message": "Forged", "messageId": "f"}}
    assert phone.post_hook(forged, hook, key="wrong") == 401
    assert phone.post_hook(forged, {**hook, "url": hook["url"] + "x"}) == 401
    # The queue of a phone may be two days old, and its clock may be wrong: it is the customer's message.
    old = {"id": "old", "event": "sms:received", "payload": {**entry["payload"], "message": "Old", "messageId": "o"}}
    assert phone.post_hook(old, hook, stamp=time.time() - 3 * 3600) == 200
    last = phone.receive(ANA, "The last")
    until("the queue is empty", lambda: _received(api, "The last"))
    assert len(_received(api, "Salut și mulțumesc")) == 1
    assert _received(api, "Forged") == []
    assert len(_received(api, "Old")) == 1
    # The same words again are another message.
    phone.receive(ANA, "The last", at=phone.now() + 1)
    until("both are there", lambda: len(_received(api, "The last")) == 2)
    assert last["payload"]["messageId"]


def test_a_person_is_answered_by_the_phone_that_they_wrote_to(api: Api, paired: Callable[..., Phone]) -> None:
    phones = [paired(name="Google/one"), paired(name="Google/two")]
    for no, phone in enumerate([*phones, *reversed(phones)]):
        person = f"+4072100010{no}"
        phone.receive(person, f"Hello {no}")
        [heard] = until("it is heard", lambda text=f"Hello {no}": _received(api, text))
        answer = api.send(person, f"Answer {no}", inReplyTo=heard["id"])["message"]["id"]
        assert api.ended(answer)["status"] == "delivered"
        assert phone.sent[-1].text == f"Answer {no}"


def test_a_person_is_known_however_the_phone_shows_their_number(api: Api, paired: Callable[..., Phone]) -> None:
    phone = paired()
    person = "+40721000777"
    phone.receive("40721000777", "without a plus")
    until("it is heard", lambda: _received(api, "without a plus"))
    api.ended(api.send(person, "Salut")["message"]["id"])
    phone.receive("0721000777", "as dialled at home")
    [heard] = until("it is heard", lambda: _received(api, "as dialled at home"))
    assert heard["from"] == person


def test_a_phone_says_how_it_is(api: Api, paired: Callable[..., Phone]) -> None:
    phone = paired()
    assert phone.device is not None
    phone.ping(battery=14)

    def look() -> Any:
        [it] = [it for it in api.get("/v1/phones")["items"] if it["id"] == phone.device["id"]]
        return it if it.get("health") else None

    assert until("it said how it is", look)["health"]["battery"] == 14


# 8. The server is away.


def test_while_the_server_is_down_nothing_is_lost_and_nothing_doubled(
    server: Server, api: Api, paired: Callable[..., Phone]
) -> None:
    phone = paired(outcome="Sent")
    before = api.send(ANA, "before")["message"]["id"]
    api.reaches(before, "sent")
    phone.habits.holds = True
    held = api.send(ANA, "held")["message"]["id"]
    until("the phone has it", lambda: any(it.text == "held" for it in phone.messages.values()))
    server.kill()
    phone.receive(ANA, "while it was down")
    phone.habits.outcome = "Delivered"
    phone.let_go()
    server.start()
    until("it is heard", lambda: _received(api, "while it was down"))
    assert api.reaches(held, "delivered")
    after = api.send(ANA, "after")["message"]["id"]
    api.reaches(after, "delivered")
    assert [it.text for it in phone.sent] == ["before", "held", "after"]
    assert len(_received(api, "while it was down")) == 1


# Limits.


def test_a_phone_that_may_send_no_more_is_left_alone(api: Api, paired: Callable[..., Phone]) -> None:
    phone = paired()
    assert phone.device is not None
    path = f"/v1/phones/{phone.device['id']}"
    changed = api.http.patch(path, json={"name": "Front desk", "perHour": 2, "maySend": [1]}).json()["phone"]
    assert (changed["name"], changed["perHour"], changed["maySend"]) == ("Front desk", 2, [1])
    sent = [api.send(ANA, f"limited {no}")["message"]["id"] for no in range(4)]
    for message in until("two are sent", lambda: [it for it in sent if len(phone.sent) == 2])[:2]:
        api.reaches(message, "delivered")
    route = until("the route is down", lambda: [it for it in api.get("/v1/routes")["items"] if it["condition"] == "down"])
    assert "all that they may" in route[0]["reason"]
    # A status goes forward only: what was planned and taken back says `sending` while it waits.
    assert sorted(api.message(it)["status"] in ("queued", "sending") for it in sent) == [False, False, True, True]
    assert len(phone.sent) == 2
    api.http.patch(path, json={"perHour": None})
    for message in sent:
        api.reaches(message, "delivered")


# 10. The app's API for third parties.


def test_there_is_no_third_party_api(server: Server, paired: Callable[..., Phone]) -> None:
    phone = paired()
    assert phone.device is not None
    headers = {"Authorization": f"Bearer {phone.device['token']}"}
    for path in ("/phone/3rdparty/v1/messages", "/3rdparty/v1/messages", "/phone/v1/3rdparty/v1/messages"):
        answer = httpx.post(f"{server.url}{path}", json={}, headers=headers, trust_env=False)
        assert answer.status_code in (401, 404, 405), path
