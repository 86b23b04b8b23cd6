"""Tandem's Telegram route against our Telegram, and that under the eyes of python-telegram-bot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import telegram as ptb

from harness.api import Api
from harness.mock_telegram import TOKEN, Telegram
from harness.server import LIVE_KEY, Server, project
from harness.wait import until

ANA = 700_000_001


@pytest.fixture(scope="module")
def telegram() -> Iterator[Telegram]:
    """Telegram, which calls the server."""
    telegram = Telegram(time.time)
    yield telegram
    telegram.close()


@pytest.fixture(scope="module")
def server(start: Callable[..., Server], telegram: Telegram) -> Server:
    """Tandem with a route to it."""
    sender = '\n[[sender]]\nid = "support"\nname = "Acme"\ndefault = true\nroutes = ["tg"]\n'
    server = start(project() + telegram.route() + sender, called=True)
    until("the hook is registered", lambda: telegram.hook)
    return server


@pytest.fixture
def api(server: Server) -> Api:
    """The API, with the route up."""
    api = Api(server.url, LIVE_KEY)
    until("the route is up", lambda: api.get("/v1/routes")["items"][0]["condition"] == "up")
    return api


def _received(api: Api, text: str) -> list[Any]:
    return [it for it in api.everything("/v1/messages", status="received") if it["text"] == text]


def test_python_telegram_bot_sends_to_our_telegram_and_reads_what_it_tells(telegram: Telegram) -> None:
    async def talk() -> tuple[ptb.User, ptb.Message]:
        async with ptb.Bot(TOKEN, base_url=f"{telegram.listener.url}/bot") as bot:
            return await bot.get_me(), await bot.send_message(ANA, "Salut")

    me, sent = asyncio.run(talk())
    assert (me.is_bot, sent.chat.id, sent.text) == (True, ANA, "Salut")
    read = ptb.Update.de_json(telegram.update(message=telegram.message(ANA, "Bună")), None)
    assert (read.message.text, read.effective_user.first_name) == ("Bună", "Ana")
    with pytest.raises(ptb.error.Forbidden):
        telegram.refuse(403, "Forbidden: bot was blocked by the user")
        asyncio.run(talk())


def test_the_hook_is_ours_and_has_a_secret(server: Server, telegram: Telegram) -> None:
    assert telegram.hook["url"] == server.hook("tg")
    assert len(telegram.hook["secret_token"]) >= 16
    assert TOKEN not in telegram.hook["secret_token"]


def test_a_person_writes_and_is_answered(api: Api, telegram: Telegram) -> None:
    update = telegram.update(message=telegram.message(ANA, "Bună 😀"))
    for _ in range(2):
        assert telegram.tell(update).status_code == 200
    [heard] = until("it is received", lambda: _received(api, "Bună 😀"))
    assert heard["channel"] == "telegram"
    # A bare number could be a phone: the channel says what it is.
    sent = api.send(heard["from"], "Salut, Ana", channel="telegram")["message"]
    assert sent["channel"] == "telegram"
    api.reaches(sent["id"], "sent")
    assert (int(telegram.messages[-1]["chat_id"]), telegram.messages[-1]["text"]) == (ANA, "Salut, Ana")


def test_who_does_not_know_the_secret_is_not_heard(api: Api, telegram: Telegram) -> None:
    for secret in ("", "guess", telegram.hook["secret_token"] + "x"):
        answer = telegram.tell(telegram.update(message=telegram.message(ANA, "Forged")), secret)
        assert answer.status_code in (401, 403)
    assert _received(api, "Forged") == []


def test_a_pause_that_telegram_asks_for_is_made_and_a_block_is_final(api: Api, telegram: Telegram) -> None:
    telegram.refuse(429, "Too Many Requests: retry after 1", retry_after=1)
    api.reaches(api.send(str(ANA), "Patience", channel="telegram")["message"]["id"], "sent")
    telegram.refuse(403, "Forbidden: bot was blocked by the user")
    sent = api.send(str(ANA), "Hello?", channel="telegram")["message"]["id"]
    assert api.ended(sent)["status"] == "failed"
