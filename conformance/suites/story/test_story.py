"""One customer, told with the official SDKs: a template opens the talk, WhatsApp carries it, SMS takes
over when the window has closed, STOP ends it and START begins it again.

Meta and Twilio are played by our mocks, which sign what they tell; the day passes by a movable clock;
every webhook is verified by code that shares nothing with Tandem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.api import Api
from harness.mock_meta import NUMBER, Meta
from harness.mock_twilio import Twilio
from harness.receiver import Receiver
from harness.sdk_clients import CLIENTS, PythonClient, Refused, TypeScriptClient
from harness.server import LIVE_KEY, WEBHOOKS_HERE, Server, project
from harness.wait import until

US = f"+{NUMBER}"
CUSTOMER = "+40722500001"
#: The steps that a message goes through, as events.
STEPS = ["message.queued", "message.sent", "message.delivered", "message.read"]
EVENTS = [*STEPS, "message.failed", "message.inbound", "conversation.new", "template.status_changed"]


class World:
    """A server with a route to WhatsApp and one to SMS, the providers behind them, and our application."""

    def __init__(self, start: Callable[..., Server], kind: str) -> None:
        # The providers and the receiver live in the server's time.
        self.meta = Meta(lambda: self.server.clock.now())  # type: ignore[union-attr]
        self.twilio = Twilio()
        self.receiver = Receiver(lambda: self.server.clock.now())  # type: ignore[union-attr]
        config = project() + self.meta.route() + self.twilio.route(settings="auto_replies_to_stop = false")
        self.server = start(WEBHOOKS_HERE + config, called=True, clock=True)
        self.meta.hook = self.server.hook("wa")
        self.twilio.hook = self.server.hook("tw")
        self.api = Api(self.server.url, LIVE_KEY)
        self.client: PythonClient | TypeScriptClient = CLIENTS[kind](self.server.url, LIVE_KEY)
        until("the routes are up", lambda: {it["condition"] for it in self.api.get("/v1/routes")["items"]} == {"up"})

    def send(self, **fields: Any) -> dict[str, Any]:
        """Sends a message to the customer."""
        message: dict[str, Any] = self.client.call("messages.send", to=CUSTOMER, **fields)["message"]
        return message

    def ends(self, message: dict[str, Any], status: str = "delivered") -> dict[str, Any]:
        """The message once it has this state, as the SDK reads it, and once our application was told."""

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.client.call("messages.retrieve", message["id"])["message"]
            return found if found["status"] == status else None

        found = until(f"{message['id']} is {status}", look)
        self.receiver.wait(status, lambda it: it.type == f"message.{status}" and it.data["messageId"] == message["id"])
        return found

    def told(self, text: str, count: int = 1) -> dict[str, Any]:
        """What our application is told of what the customer wrote."""
        found = self.receiver.wait(text, lambda it: it.type == "message.inbound" and it.data.get("text") == text, count)
        return found[-1].data

    def close(self) -> None:
        """Ends what is not the server."""
        self.client.close()
        self.receiver.close()
        self.meta.close()
        self.twilio.close()


@pytest.fixture(params=sorted(CLIENTS))
def world(start: Callable[..., Server], request: pytest.FixtureRequest) -> Iterator[World]:
    """The world, once for each SDK."""
    world = World(start, request.param)
    yield world
    world.close()


def test_the_story(world: World) -> None:
    # Our application makes its sender, with a webhook, and a template.
    sender = world.client.call(
        "senders.create", name="Acme", phoneNumber=US, setAsDefault=True,
        webhookUrl=world.receiver.url(), webhookEvents=EVENTS,
    )
    assert sender["webhook"]["signatureVersion"] == "v2"
    world.receiver.secrets["/hook"] = sender["webhook"]["secret"]
    template = world.client.call(
        "templates.create", name="order_shipped", language="en", whatsappCategory="UTILITY",
        body="Hi {{1}}, your order {{2}} is on its way.", variables=["name", "order"],
    )
    submitted = world.client.call("templates.submit", template["id"], senderId=sender["id"])
    assert submitted["status"] == "pending"
    assert [it["name"] for it in world.meta.templates] == ["order_shipped"]
    world.meta.approve("order_shipped")
    until("it is approved", lambda: world.client.call("templates.retrieve", template["id"])["status"] == "approved")
    world.receiver.wait(
        "the template's approval",
        lambda it: it.type == "template.status_changed" and it.data["templateId"] == template["id"],
    )

    # The window is closed: free text is refused on WhatsApp, the template goes.
    with pytest.raises(Refused) as refused:
        world.send(channel="whatsapp", text="Hi")
    assert (refused.value.kind, refused.value.status, refused.value.code) == ("BadRequestError", 400, "whatsapp_window_closed")
    first = world.send(
        messageType="template", content={"templateId": template["id"], "templateVariables": {"1": "Maria", "2": "A-17"}}
    )
    assert (first["status"], first["channel"]) == ("queued", "whatsapp")
    world.ends(first)
    [said] = world.meta.sent_to(CUSTOMER)
    assert said["template"]["name"] == "order_shipped"
    [body] = [it for it in said["template"]["components"] if it["type"] == "body"]
    assert [it["text"] for it in body["parameters"]] == ["Maria", "A-17"]

    # The customer answers on WhatsApp; the reply goes the same way, as free text, and is read.
    world.meta.inbound(CUSTOMER, "When will it come? 😀", name="Maria")
    question = world.told("When will it come? 😀")
    assert (question["from"], question["to"], question["channel"]) == (CUSTOMER, US, "whatsapp")
    reply = world.send(text="Tomorrow")
    assert reply["channel"] == "whatsapp"
    world.ends(reply)
    said = world.meta.sent_to(CUSTOMER, 2)[-1]
    assert (said["type"], said["text"]["body"]) == ("text", "Tomorrow")
    world.meta.status(said["wamid"], "read")
    world.ends(reply, "read")
    [thread] = world.client.call("conversations.list", search=CUSTOMER)
    assert (thread["messageCount"], thread["unreadCount"], thread["id"]) == (3, 1, question["conversationId"])
    assert world.client.call("conversations.markAsRead", thread["id"])["conversation"]["unreadCount"] == 0

    # A day later the window has closed, and auto goes by SMS.
    assert world.server.clock is not None
    world.server.clock.forward(hours=24, seconds=1)
    late = world.send(text="It is at your neighbour's")
    assert late["channel"] == "sms"
    assert world.ends(late)["channel"] == "sms"
    [submission] = world.twilio.sent_to(CUSTOMER)
    assert (submission["Body"], submission["From"]) == ("It is at your neighbour's", US)
    assert len(world.meta.sent_to(CUSTOMER)) == 2

    # STOP: one confirmation, and nothing else any more, on no channel.
    for _ in range(2):
        world.twilio.inbound(CUSTOMER, US, "Stop!")
    world.told("Stop!", 2)
    confirmation = world.twilio.sent_to(CUSTOMER, 2)[1]
    assert "Acme" in confirmation["Body"]
    for channel in ("auto", "sms", "whatsapp"):
        with pytest.raises(Refused) as refused:
            world.send(text="Buy", channel=channel)
        assert (refused.value.kind, refused.value.status, refused.value.code) == ("PermissionDeniedError", 403, "recipient_opted_out")

    # START: they are welcome again, and the next message is delivered.
    world.twilio.inbound(CUSTOMER, US, "start")
    world.told("start")
    again = until("they may be written to", lambda: _sent_if_allowed(world))
    world.ends(again)
    bodies = [it["Body"] for it in world.twilio.sent_to(CUSTOMER, 4)]
    assert len(bodies) == 4, bodies
    assert bodies[1] != bodies[2], "STOP and START are answered differently"
    assert bodies.index("Welcome back") > 1
    assert len(world.meta.sent_to(CUSTOMER)) == 2

    _check_webhooks(world, [first, reply, late, again])


def _sent_if_allowed(world: World) -> dict[str, Any] | None:
    try:
        return world.send(text="Welcome back")
    except Refused:
        return None


def _check_webhooks(world: World, messages: list[dict[str, Any]]) -> None:
    """Everything was signed rightly, once by id, and in the order in which it happened."""
    assert world.receiver.complaints == []
    deliveries = world.receiver.unique()
    assert len(deliveries) == len(world.receiver.deliveries), "nothing came twice: nothing failed"
    for message in messages:
        steps = [it for it in deliveries if it.data.get("messageId") == message["id"]]
        moments = [it.event["timestamp"] for it in steps]
        assert moments == sorted(moments)
        types = [it.type for it in steps]
        assert types == [it for it in STEPS if it in types]
        assert types[0] == "message.queued"
        assert types[-1] in ("message.delivered", "message.read")
    begun = [it.data["messageId"] for it in deliveries if it.type == "message.queued"]
    assert [it for it in begun if it in {m["id"] for m in messages}] == [it["id"] for it in messages]
    heard = [it.data["text"] for it in deliveries if it.type == "message.inbound"]
    assert heard == ["When will it come? 😀", "Stop!", "Stop!", "start"]
    assert "message.failed" not in {it.type for it in deliveries}
    # The conversation is one thread, whatever carried it.
    threads = {it.data["conversationId"] for it in deliveries if it.data.get("conversationId")}
    assert len(threads) == 1, threads
