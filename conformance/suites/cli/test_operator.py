"""What an operator types day by day: words over routes, alerts, the audit log, costs; and what the times say."""

from __future__ import annotations

import json
import os
import re
import subprocess
from datetime import datetime, timedelta, timezone

import pytest

from harness.api import Api
from harness.server import READ_KEY, TEST_KEY, Server, program


def _tandem(server: Server, *words: str, key: str = TEST_KEY, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a client command."""
    given = {**os.environ, "TANDEM_URL": server.url, "TANDEM_API_KEY": key, "NO_PROXY": "127.0.0.1", **environment}
    return subprocess.run([program(), *words], env=given, capture_output=True, text=True, timeout=60, check=False)


def _done(server: Server, *words: str, **environment: str) -> str:
    ran = _tandem(server, *words, **environment)
    assert ran.returncode == 0, (words, ran.stderr)
    return ran.stdout + ran.stderr


def test_a_word_over_a_route_stands_in_the_log_with_all_that_it_says(server: Server) -> None:
    said = _done(server, "route", "drain", "sim-gateway", "--reason", "maintenance", "--until", "2h", "--utc")
    until = re.search(r"until (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC)", said)
    assert until, said
    ends = datetime.strptime(until.group(1), "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=timezone.utc)
    assert abs(ends - datetime.now(timezone.utc) - timedelta(hours=2)) < timedelta(minutes=1)
    assert said == f"sim-gateway is drained until {until.group(1)}.\n"
    said = _done(server, "route", "pin", "sim-gateway", "--reason", "it is fine")
    assert said == "sim-gateway is pinned. Its state is up.\n"
    log = _done(server, "audit", "--subject", "route:sim-gateway", "--utc").splitlines()
    assert log[0].split() == ["WHEN", "WHO", "WHAT", "SUBJECT", "WHY"]
    assert re.search(r" UTC  test \(key\)  route\.controlled  route:sim-gateway  it is fine$", log[1]), log
    assert log[2] == "    mode: pin; was: drain"
    assert log[3].endswith("maintenance")
    assert log[4] == f"    mode: drain; until: {until.group(1)}; was: auto"
    _done(server, "route", "auto", "sim-gateway")


def test_alerts_are_silenced_for_a_while_listed_and_told_again(server: Server) -> None:
    assert "nothing is wrong now" in _done(server, "alerts")
    assert "nothing is silenced" in _done(server, "alerts", "--silences")
    said = _done(server, "alerts", "--silence", "90m", "--kind", "route_down", "--subject", "route:sim-wa", "--reason", "known", "--utc")
    silence = re.search(r"--unsilence (sil_\w+)", said)
    assert said.startswith("route_down of route:sim-wa silenced until ") and silence, said
    listed = _done(server, "alerts", "--silences")
    assert all(word in listed for word in (silence.group(1), "route_down of route:sim-wa", "known", "test"))
    assert "is over" in _done(server, "alerts", "--unsilence", silence.group(1))
    assert "nothing is silenced" in _done(server, "alerts", "--silences")
    again = _tandem(server, "alerts", "--unsilence", silence.group(1))
    assert again.returncode == 1 and "silence" in again.stderr
    log = _done(server, "audit", "--action", "alert.silenced")
    assert "known" in log and "kind: route_down; subject: route:sim-wa; until: 2" in log


def test_costs_are_of_one_class_and_what_is_unknown_is_named(server: Server) -> None:
    api = Api(server.url)
    for number, traffic in (("+40722700001", "direct"), ("+40722700002", "bulk")):
        api.ended(api.send(number, channel="sms", trafficClass=traffic)["message"]["id"])
    lines = _done(server, "costs", "--by", "class,channel").splitlines()
    assert [line.split()[:3] for line in lines[:3]] == [["CHANNEL", "CLASS", "SENT"], ["sms", "direct", "1"], ["sms", "bulk", "1"]]
    bulk = json.loads(_tandem(server, "costs", "--class", "bulk", "--json").stdout)
    assert bulk["total"]["sent"] == 1
    assert api.get("/v1/costs", clas="bulk")["warnings"][0]["path"] == ["clas"]
    wrong = _tandem(server, "costs", "--class", "gateway")
    assert wrong.returncode == 1 and "direct or bulk" in wrong.stderr


def test_times_are_told_in_the_zone_of_the_machine_with_their_offset(server: Server) -> None:
    api = Api(server.url)
    message = api.ended(api.send("+40722700003")["message"]["id"])
    created = datetime.fromisoformat(message["createdAt"].replace("Z", "+00:00"))
    # A zone that never changes its clocks.
    told = (created + timedelta(hours=5, minutes=30)).strftime("%Y-%m-%d %H:%M:%S +05:30")
    assert told in _done(server, "messages", TZ="Asia/Kolkata")
    assert told in _done(server, "explain", message["id"], TZ="Asia/Kolkata")
    assert created.strftime("%Y-%m-%d %H:%M:%S UTC") in _done(server, "messages", "--utc", TZ="Asia/Kolkata")
    assert " +05:30" in _done(server, "routes", TZ="Asia/Kolkata")
    listed = json.loads(_tandem(server, "messages", "--json", TZ="Asia/Kolkata").stdout)
    assert message["createdAt"] in [it["createdAt"] for it in listed["items"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("audit", "--action", "nothing"), "must be one of route.controlled"),
        (("route", "drain", "nowhere", "--reason", "x"), "route"),
        (("alerts", "--acknowledge", "alert_0000000000001"), "alert"),
        (("alerts", "--silence", "2h", "--kind", "rain", "--reason", "x"), "route_down"),
        (("costs", "--route", "nowhere"), "not a route"),
        (("costs", "--from", "yesterday"), "2026-11-22"),
        (("balance", "--deposit", "much"), "amount"),
    ],
    ids=lambda it: "-".join(it[:3]) if isinstance(it, tuple) else "",
)
def test_what_cannot_be_done_names_what_is_wrong(server: Server, words: tuple[str, ...], said: str) -> None:
    ran = _tandem(server, *words)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("error: ") and said in ran.stderr, ran.stderr


def test_a_key_that_may_not_is_told_which_scope_it_needs(server: Server) -> None:
    ran = _tandem(server, "audit", key=READ_KEY)
    assert ran.returncode == 1
    assert "manage" in ran.stderr, ran.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("route", "drain", "gw", "--reason", "x", "--until", "soon"),
        ("alerts", "--silence", "2h"),
        ("alerts", "--kind", "route_down"),
        ("send", "--to", "+40722000100", "--text", "x", "--at", "tomorrow"),
    ],
    ids=lambda words: "-".join(words[:2]),
)
def test_what_is_not_understood_ends_with_2_before_anything_is_asked(server: Server, words: tuple[str, ...]) -> None:
    ran = _tandem(server, *words, TANDEM_URL="http://127.0.0.1:1")
    assert ran.returncode == 2
    assert "--" in ran.stderr
