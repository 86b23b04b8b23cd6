"""What the tests of webhooks share: senders with a webhook, and messages that bring events."""

from __future__ import annotations

import itertools
from typing import Any

from harness.api import Api
from harness.receiver import Delivery, Receiver

_NUMBERS = itertools.count()
EVENTS = ["message.queued", "message.sent", "message.delivered", "message.read", "message.failed", "message.inbound"]
STEPS = ["message.queued", "message.sent", "message.delivered"]
#: What the server says of each delivery that failed.
FAILED = "a webhook did not take an event"


def sender(api: Api, receiver: Receiver, path: str = "/hook", **fields: Any) -> str:
    """Makes a sender with a webhook at this path of the receiver."""
    # Of its own number: what people write is for the sender that has the number that they wrote to.
    number = f"+4070002{next(_NUMBERS):04}"
    body = {"name": path, "phoneNumber": number, "webhookUrl": receiver.url(path), "webhookEvents": EVENTS, **fields}
    made = api.post("/v1/senders", body)
    receiver.secrets[path] = made["webhook"]["secret"]
    return str(made["id"])


def send(api: Api, by: str, count: int, first: int = 0) -> list[str]:
    """Sends messages and waits until each is delivered; their ids."""
    numbers = range(first, first + count)
    sent = [api.send(f"+4072260{it:04}", f"Number {it}", sender=by)["message"]["id"] for it in numbers]
    for message in sent:
        assert api.ended(message)["status"] == "delivered"
    return sent


def delivered(receiver: Receiver, messages: list[str], path: str = "/hook") -> list[Delivery]:
    """Everything that came at a path, once the end of each message is there, checked for its order."""

    def is_last(it: Delivery) -> bool:
        return it.type == "message.delivered" and it.data["messageId"] in messages

    receiver.wait("ends of messages", is_last, len(messages), path)
    found = receiver.unique(path)
    assert receiver.complaints == []
    for message in messages:
        steps = [it for it in found if it.data["messageId"] == message]
        # Within a message; two messages may be kept in another order than they were looked at.
        moments = [it.event["timestamp"] for it in steps]
        assert moments == sorted(moments)
        types = [it.type for it in steps]
        # One step may be passed over, where the next was learnt in the same moment; none comes twice.
        assert types == [it for it in STEPS if it in types]
        assert (types[0], types[-1]) == ("message.queued", "message.delivered")
    begun = [it.data["messageId"] for it in found if it.type == "message.queued"]
    assert [it for it in begun if it in messages] == messages
    return found
