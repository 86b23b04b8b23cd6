"""Makes vectors.json: signatures of callbacks by Twilio's own library, for signature_tests.rs.

    python3 -m venv venv && venv/bin/pip install twilio==9.13.0
    venv/bin/python vectors.py > vectors.json
"""

import json
from importlib.metadata import version
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

TOKEN = "12345"
SHARED = "shared-key-secret"
SETTINGS = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
HOOK = "https://msg.example.com/hooks/twilio"
STATUS = [
    ("MessageSid", "SM1"),
    ("SmsSid", "SM1"),
    ("AccountSid", "AC0123"),
    ("MessageStatus", "delivered"),
    ("SmsStatus", "delivered"),
    ("To", "+14155551212"),
    ("From", "+14155550000"),
    ("ApiVersion", "2010-04-01"),
]
INBOUND = [
    ("SmsStatus", "received"),
    ("MessageSid", "SM2"),
    ("From", "whatsapp:+4917012345678"),
    ("To", "whatsapp:+14155550000"),
    ("Body", "Grüße & mehr = 😀\r\n zweite Zeile + plus"),
    ("NumMedia", "0"),
    ("Empty", ""),
]


class Multi(dict):
    """What web frameworks give: several values under one name."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self.pairs = pairs

    def getlist(self, name):
        return [value for key, value in self.pairs if key == name]


def port(url, number):
    return url.replace("example.com", f"example.com:{number}")


def vector(about, url, pairs, signed_url=None, settings=None, secret=TOKEN, good=True):
    """`url` is the one that is configured; `signed_url` the one that was signed."""
    algorithm = "HMAC_SHA256" if settings else None
    validator = RequestValidator(secret)
    signature = validator.compute_signature(signed_url or url, Multi(pairs), algorithm)
    if not good:
        signature = RequestValidator("wrong").compute_signature(url, Multi(pairs), algorithm)
    own = validator.validate(url, Multi(pairs), signature, algorithm)
    assert own == good, about
    return {
        "about": about,
        "url": url,
        "body": urlencode(pairs),
        "settings": settings,
        "signature": signature,
        "good": own,
    }


def body_vector(about, body, signed_body):
    """A body that is no form: its hash is in the query."""
    validator = RequestValidator(TOKEN)
    url = f"{HOOK}?bodySHA256={validator.compute_hash(signed_body)}"
    signature = validator.compute_signature(url, {})
    return {
        "about": about,
        "url": url,
        "body": body,
        "content_type": "application/json",
        "settings": None,
        "signature": signature,
        "good": validator.validate(url, body, signature),
    }


REPEATED = [("b", "2"), ("a", "y"), ("a", "x"), ("a", "x"), ("B", "1")]
QUERY = HOOK + "?ref=msg_0000000000011.1"
ODD = port(HOOK, 8443)
vectors = [
    vector("a status", HOOK, STATUS),
    vector("a status with our reference", QUERY, STATUS),
    vector("an inbound message with more than ASCII", HOOK, INBOUND),
    vector("several values of a name", HOOK, REPEATED),
    vector("no parameters", HOOK, []),
    vector("signed with the default port", QUERY, STATUS, port(QUERY, 443)),
    vector("configured with the default port", port(QUERY, 443), STATUS, QUERY),
    vector("another port", ODD, STATUS),
    vector("another port, signed without", ODD, STATUS, HOOK),
    vector("plain HTTP, signed with the port", "http://msg.example.com/h", STATUS, "http://msg.example.com:80/h"),
    vector("second scheme", QUERY, STATUS, None, SETTINGS, SHARED),
    vector("second scheme, signed with the port", QUERY, INBOUND, port(QUERY, 443), SETTINGS, SHARED),
    vector("another token", HOOK, STATUS, good=False),
    vector("second scheme, another key", HOOK, STATUS, None, SETTINGS, SHARED, good=False),
    body_vector("JSON", '{"k":"é"}', '{"k":"é"}'),
    body_vector("JSON that was changed", '{"k":"e"}', '{"k":"é"}'),
]
made = f"twilio {version('twilio')} (PyPI), RequestValidator; see vectors.py"
print(
    json.dumps(
        {"made_with": made, "token": TOKEN, "shared_key": SHARED, "vectors": vectors},
        indent=1,
        ensure_ascii=False,
    )
)
