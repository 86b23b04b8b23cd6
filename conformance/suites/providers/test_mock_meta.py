"""Our Meta under the eyes of pywa and whatsapp-api-js, which were written against the real one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from foreign import node, pywa_client
from pywa.errors import WhatsAppError
from pywa.types import CallbackButton, Message, MessageStatus, TemplateStatusUpdate
from pywa.types.templates import BodyText, Template, TemplateCategory, TemplateLanguage, TemplateStatus

from harness import mock_meta
from harness.mock_meta import Meta, signature

PERSON = "+40722100001"


@pytest.fixture
def meta() -> Iterator[Meta]:
    """One without a server to call."""
    meta = Meta(time.time)
    yield meta
    meta.close()


def _heard_by_pywa(meta: Meta, field: str, value: dict[str, Any]) -> Any:
    """What pywa's handlers get of a callback."""
    heard: list[Any] = []
    client = pywa_client(meta)
    client.on_message()(lambda _, it: heard.append(it))
    client.on_callback_button()(lambda _, it: heard.append(it))
    client.on_message_status()(lambda _, it: heard.append(it))
    client.on_template_status_update()(lambda _, it: heard.append(it))
    body = meta.callback(field, value)
    assert client.webhook_update_validator(body, signature(body)) is None
    assert client.webhook_update_validator(body, signature(body, "another secret")) is not None
    assert client.webhook_update_handler(body) == ("ok", 200)
    assert len(heard) == 1, heard
    return heard[0]


def test_pywa_sends_to_it(meta: Meta) -> None:
    sent = pywa_client(meta).send_message(to=PERSON, text="Salut")
    assert [it["text"]["body"] for it in meta.messages] == ["Salut"]
    assert sent.id == meta.messages[0]["wamid"]


def test_whatsapp_api_js_sends_to_it(meta: Meta) -> None:
    answer = node(meta, do="send", to=PERSON.removeprefix("+"), text="Salut")["ok"]
    assert answer["messages"][0]["id"] == meta.messages[0]["wamid"]
    assert answer["contacts"][0]["wa_id"] == PERSON.removeprefix("+")


def test_a_refusal_is_an_error_of_pywas(meta: Meta) -> None:
    meta.refuse(131047, "More than 24 hours have passed")
    with pytest.raises(WhatsAppError) as error:
        pywa_client(meta).send_message(to=PERSON, text="Late")
    assert error.value.code == 131047
    assert meta.messages == []


def test_pywa_reads_what_a_person_writes(meta: Meta) -> None:
    value = meta.inbound_value(PERSON, "wamid.x", {"type": "text", "text": {"body": "Bună 😀"}}, "Ană")
    heard = _heard_by_pywa(meta, "messages", value)
    assert isinstance(heard, Message)
    assert (heard.text, heard.from_user.wa_id, heard.from_user.name) == ("Bună 😀", PERSON.removeprefix("+"), "Ană")


def test_pywa_reads_a_pressed_button(meta: Meta) -> None:
    message = {"type": "button", "button": {"payload": "STOP", "text": "Stop"}, "context": {"from": mock_meta.NUMBER, "id": "wamid.y"}}
    heard = _heard_by_pywa(meta, "messages", meta.inbound_value(PERSON, "wamid.x", message, "Ana"))
    assert isinstance(heard, CallbackButton)
    assert heard.data == "STOP"


@pytest.mark.parametrize("status", ["sent", "delivered", "read", "failed"])
def test_pywa_reads_what_became_of_a_message(meta: Meta, status: str) -> None:
    pywa_client(meta).send_message(to=PERSON, text="Salut")
    wamid = meta.messages[0]["wamid"]
    errors = [{"code": 131026, "title": "Message undeliverable", "message": "Message undeliverable",
               "error_data": {"details": "No such account"}}] if status == "failed" else None
    heard = _heard_by_pywa(meta, "messages", meta.status_value(wamid, status, errors))
    assert isinstance(heard, MessageStatus)
    assert (heard.id, heard.status.value) == (wamid, status)
    assert (heard.error.code if heard.error else None) == (131026 if errors else None)


def test_whatsapp_api_js_reads_both_kinds_of_callback(meta: Meta) -> None:
    pywa_client(meta).send_message(to=PERSON, text="Salut")
    wamid = meta.messages[0]["wamid"]
    text = {"type": "text", "text": {"body": "Bună 😀"}}
    for value, expected in (
        (meta.inbound_value(PERSON, "wamid.x", text, "Ană"), {"from": PERSON.removeprefix("+"), "name": "Ană"}),
        (meta.status_value(wamid, "delivered"), {"id": wamid, "status": "delivered", "phone": PERSON.removeprefix("+")}),
    ):
        body = meta.callback("messages", value)
        heard = node(meta, do="callback", body=body.decode(), signature=signature(body))["ok"]
        assert [expected.items() <= it.items() for it in heard] == [True], heard
        wrong = node(meta, do="callback", body=body.decode(), signature=signature(body, "another secret"))
        assert "error" in wrong, wrong


def test_pywa_makes_templates_and_lists_them(meta: Meta) -> None:
    client = pywa_client(meta)
    body = BodyText("Hi {{1}}", "Ana")
    for number in range(3):
        made = client.create_template(
            Template(name=f"order_{number}", category=TemplateCategory.UTILITY, language=TemplateLanguage.ENGLISH_US, components=[body])
        )
        assert made.status == TemplateStatus.PENDING
    listed = client.get_templates()
    # A page has two; how it turns a page of templates is broken in pywa itself.
    assert ([it.name for it in listed], listed.has_next) == (["order_0", "order_1"], True)


def test_pywa_reads_that_a_template_was_approved(meta: Meta) -> None:
    meta.add_template("order", "Hi {{1}}", language="en_US")
    value = meta.decision_value(meta.templates[0], "APPROVED", "NONE")
    heard = _heard_by_pywa(meta, "message_template_status_update", value)
    assert isinstance(heard, TemplateStatusUpdate)
    assert (heard.template_name, heard.new_status) == ("order", TemplateStatus.APPROVED)
