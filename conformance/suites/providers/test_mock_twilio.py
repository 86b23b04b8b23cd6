"""Our Twilio under the eyes of Twilio's own package."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from foreign import TwilioRestException, twilio_client
from twilio.request_validator import RequestValidator

from harness import mock_twilio
from harness.mock_twilio import Twilio, signature

PERSON = "+40722200001"
US = "+40700000001"


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    """One without a server to call."""
    twilio = Twilio()
    yield twilio
    twilio.close()


def test_its_own_client_sends_to_it_and_looks(twilio: Twilio) -> None:
    client = twilio_client(twilio)
    sent = client.messages.create(to=PERSON, from_=US, body="Salut")
    assert (sent.status, sent.to, sent.body, sent.num_segments) == ("queued", PERSON, "Salut", "1")
    assert client.messages(sent.sid).fetch().sid == sent.sid
    assert [it["sid"] for it in twilio.messages] == [sent.sid]


def test_a_refusal_is_an_error_of_its_client(twilio: Twilio) -> None:
    twilio.refuse(21610, "Attempt to send to unsubscribed recipient")
    with pytest.raises(TwilioRestException) as error:
        twilio_client(twilio).messages.create(to=PERSON, from_=US, body="Salut")
    assert (error.value.code, error.value.status) == (21610, 400)


@pytest.mark.parametrize(
    "url", ["https://msg.example.com/hooks/tw", "http://127.0.0.1:8080/hooks/tw?message=msg_1&attempt=2"]
)
def test_its_validator_and_our_signature_agree(twilio: Twilio, url: str) -> None:
    form = twilio.inbound_form(PERSON, US, "Bună 😀 & more=less", ProfileName="Ană")
    validator = RequestValidator(mock_twilio.TOKEN)
    assert validator.compute_signature(url, form) == signature(url, form)
    assert validator.validate(url, form, signature(url, form))
    assert not validator.validate(url, {**form, "Body": "Other"}, signature(url, form))
    assert not validator.validate(url, form, signature(url, form, "another token"))
