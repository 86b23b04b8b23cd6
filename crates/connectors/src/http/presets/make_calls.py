"""Writes the callbacks that the tests of the presets read, signed by the providers' own packages.

Made with, and to be run again in a virtual environment that has:
  messagebird==2.2.0 plivo==4.63.0 sinch==2.3.0 telnyx==4.189.0 vonage==4.9.1 cryptography PyJWT PyNaCl

Each file is a request as it arrives: method and URL, headers, an empty line, the body. All keys in
here were made up for it. Shapes of the bodies follow the providers' references (see the presets).
"""

import base64
import hashlib
import json
import pathlib
from unittest import mock
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from messagebird.request_validator import RequestValidator
from plivo.utils import signature_v3 as plivo
from sinch.domains.authentication.sinch_events.v1 import authentication_validation as sinch
from telnyx.lib.webhook_verification import verify_webhook_signature
from vonage_http_client.auth import Auth

HERE = pathlib.Path(__file__).parent
NOW = 1795300000
REF = "msg_0000000000007.1"
HOOK = "https://router.example/hooks/r"
FORM = "application/x-www-form-urlencoded"


def write(name, method, url, headers, body=""):
    lines = [f"{method} {url}"] + [f"{k.lower()}: {v}" for k, v in headers.items()]
    (HERE / name).parent.mkdir(exist_ok=True)
    (HERE / name).write_text("\n".join(lines) + "\n\n" + body)


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


# --- Vonage: sig parameter, HMAC-SHA256
def vonage(name, fields, how):
    auth = Auth(api_key="k", api_secret="s", signature_secret="sigsecret", signature_method="sha256")
    fields = {"api-key": "abcd1234", "timestamp": str(NOW), "nonce": "n-1", **fields}
    fields["sig"] = auth.sign_params(dict(fields))
    assert auth.check_signature(dict(fields))
    if how == "GET":
        write(name, "GET", f"{HOOK}?{urlencode(fields)}", {})
    elif how == "FORM":
        write(name, "POST", HOOK, {"Content-Type": FORM}, urlencode(fields))
    else:
        write(name, "POST", HOOK, {"Content-Type": "application/json"}, compact(fields))


def vonage_receipt(status, err, message="0A0000000123ABCD1"):
    return {"msisdn": "40712345678", "to": "ACME", "network-code": "22601", "messageId": message,
            "price": "0.03330000", "status": status, "scts": "2611212226", "err-code": err,
            "message-timestamp": "2026-11-21 22:26:40", "client-ref": REF}


vonage("vonage/delivered.http", vonage_receipt("delivered", "0"), "GET")
vonage("vonage/failed.http", vonage_receipt("failed", "9", "0A0000000123ABCD2"), "FORM")
vonage("vonage/expired.http", vonage_receipt("expired", "1"), "JSON")
vonage("vonage/buffered.http", vonage_receipt("buffered", "0"), "JSON")
vonage("vonage/inbound.http", {"msisdn": "40712345678", "to": "40700000001", "type": "unicode",
       "messageId": "0B0000004B65F62F", "text": "Da & nu = é", "keyword": "DA",
       "message-timestamp": "2026-11-21 22:26:40"}, "FORM")

# --- Telnyx: Ed25519 over time and body
KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"a key for tests").digest())
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
print("telnyx public key", PUBLIC)


def telnyx(name, event, payload, query=f"?ref={REF}"):
    body = compact({"data": {"event_type": event, "id": "b301ed3f-1490-491f-995f-6e64e69674d4",
                             "occurred_at": "2026-11-21T22:26:40.000+00:00", "payload": payload,
                             "record_type": "event"},
                    "meta": {"attempt": 1, "delivered_to": HOOK}})
    signature = base64.b64encode(KEY.sign(f"{NOW}|{body}".encode())).decode()
    headers = {"Telnyx-Timestamp": str(NOW), "Telnyx-Signature-Ed25519": signature}
    with mock.patch("time.time", return_value=NOW):
        verify_webhook_signature(body, headers, PUBLIC)
    write(name, "POST", HOOK + query, {"Content-Type": "application/json", **headers}, body)


def telnyx_sent(status, errors=(), cost="0.0080"):
    return {"id": "40385f64-5717-4562-b3fc-2c963f66afa6", "direction": "outbound", "type": "SMS",
            "from": {"phone_number": "+40700000001"}, "parts": 2,
            "to": [{"phone_number": "+40712345678", "status": status, "carrier": "C"}],
            "text": "a secret text", "cost": {"amount": cost, "currency": "USD"},
            "errors": [{"code": c, "title": t} for c, t in errors], "record_type": "message"}


telnyx("telnyx/delivered.http", "message.finalized", telnyx_sent("delivered"))
telnyx("telnyx/failed.http", "message.finalized",
       telnyx_sent("delivery_failed", [("40012", "Invalid destination number")]))
telnyx("telnyx/expired.http", "message.finalized", telnyx_sent("expired"))
telnyx("telnyx/stop.http", "message.finalized",
       telnyx_sent("sending_failed", [("40300", "Blocked due to STOP message")]))
telnyx("telnyx/inbound.http", "message.received", {
    "id": "7ee4241c-f127-47e5-9c34-3aac291f8058", "direction": "inbound", "type": "SMS",
    "from": {"phone_number": "+40712345678"}, "text": "Hello, World!", "media": [], "parts": 1,
    "to": [{"phone_number": "+40700000001", "status": "webhook_delivered"}],
    "received_at": "2026-11-21T22:26:40.000+00:00", "record_type": "message"}, query="")
telnyx("telnyx/other.http", "messaging-profile.spend-limit-reached", {"id": "p"}, query="")

# --- Plivo: third version, over the URL and the form
def plivo_call(name, fields, query=f"?ref={REF}"):
    url = HOOK + query
    signed = plivo.construct_post_url(url, fields).decode()
    signature = plivo.get_signature_v3("authtoken", signed, "nonce1").decode()
    assert plivo.validate_v3_signature("POST", url, "nonce1", "authtoken", signature, dict(fields))
    write(name, "POST", url, {"Content-Type": FORM, "X-Plivo-Signature-V3": signature,
          "X-Plivo-Signature-V3-Nonce": "nonce1"}, urlencode(fields))


def plivo_receipt(status, error):
    return {"From": "40700000001", "To": "40712345678", "Status": status, "ErrorCode": error,
            "MessageUUID": "1f8cdd1a-7b1f-11ea-8ee5-0242ac110004", "PartInfo": "2 of 2",
            "ParentMessageUUID": "db3ce55a-7f1d-11e1-8ea7-1231380bc196", "Units": "2", "Type": "sms",
            "TotalRate": "0.0050", "TotalAmount": "0.0100"}


plivo_call("plivo/delivered.http", plivo_receipt("delivered", "000"))
plivo_call("plivo/failed.http", plivo_receipt("undelivered", "80"))
plivo_call("plivo/stop.http", plivo_receipt("rejected", "200"))
plivo_call("plivo/inbound.http", {"From": "40712345678", "To": "40700000001", "Type": "sms",
           "Text": "Hi & bye", "MessageUUID": "5e3c9b1a-7b1f-11ea-8ee5-0242ac110004",
           "TotalRate": "0", "TotalAmount": "0", "Units": "1"}, query="")

# --- MessageBird: a token by HS256 with the hashes of URL and body
def messagebird(name, method, url, fields=None):
    body = urlencode(fields) if fields else ""
    claims = {"iss": "MessageBird", "nbf": NOW - 1, "exp": 4102444800, "jti": "j-1",
              "url_hash": hashlib.sha256(url.encode()).hexdigest()}
    if body:
        claims["payload_hash"] = hashlib.sha256(body.encode()).hexdigest()
    key = "a signing key of 32 bytes, or so"
    token = jwt.encode(claims, key, algorithm="HS256")
    assert RequestValidator(key).validate_signature(token, url, body.encode()) == claims
    headers = {"MessageBird-Signature-JWT": token}
    if body:
        headers["Content-Type"] = FORM
    write(name, method, url, headers, body)


def messagebird_receipt(status, reason="", code=""):
    fields = {"id": "e8077d803532c0b5937c639b60216938", "reference": REF, "recipient": "40712345678",
              "status": status, "statusReason": reason, "statusErrorCode": code,
              "statusDatetime": "2026-11-21T22:26:40+00:00", "mccmnc": "22601", "messageLength": "20"}
    return f"{HOOK}?{urlencode(fields)}"


messagebird("messagebird/delivered.http", "GET", messagebird_receipt("delivered", "successfully delivered"))
messagebird("messagebird/failed.http", "GET", messagebird_receipt("delivery_failed", "unknown subscriber", "1"))
messagebird("messagebird/expired.http", "GET", messagebird_receipt("expired", "expired"))
messagebird("messagebird/inbound.http", "POST", HOOK, {
    "id": "96a0b5faa986453dbe5c3117f989f025", "originator": "40712345678", "recipient": "40700000001",
    "body": "Hallo é", "createdDatetime": "2026-11-21T22:26:40+00:00"})

# --- Infobip: a secret in the URL
def infobip(name, result):
    write(name, "POST", f"{HOOK}?token=tok%201", {"Content-Type": "application/json"},
          compact({"results": result}))


def infobip_receipt(group, status, error, to="40712345678", reference=REF):
    return {"bulkId": "2034072219640523072", "messageId": reference, "to": to,
            "sentAt": "2026-11-21T22:26:39.000+0000", "doneAt": "2026-11-21T22:26:40.000+0000",
            "messageCount": 2, "mccMnc": "22601", "callbackData": reference,
            "price": {"pricePerMessage": 0.01, "currency": "EUR"},
            "status": {"groupId": 3, "groupName": group, "id": 5, "name": status},
            "error": {"groupId": 0, "groupName": "OK", "id": 0, "name": error, "permanent": False}}


infobip("infobip/delivered_and_failed.http", [
    infobip_receipt("DELIVERED", "DELIVERED_TO_HANDSET", "NO_ERROR"),
    infobip_receipt("UNDELIVERABLE", "UNDELIVERABLE_NOT_DELIVERED", "EC_ABSENT_SUBSCRIBER",
                    "40712345679", "msg_0000000000008.2")])
infobip("infobip/expired.http", [infobip_receipt("EXPIRED", "EXPIRED_EXPIRED", "NO_ERROR")])
infobip("infobip/inbound.http", [{
    "messageId": "817790313235066447", "from": "40712345678", "to": "40700000001",
    "text": "QUIZ Correct answer", "cleanText": "Correct answer", "keyword": "QUIZ", "smsCount": 1,
    "receivedAt": "2026-11-21T22:26:40.000+0000", "price": {"pricePerMessage": 0, "currency": "EUR"}}])

# --- Sinch: a secret in the URL, or HMAC where the account has it
def sinch_call(name, body, is_signed=False):
    body = compact(body)
    headers = {"Content-Type": "application/json"}
    if is_signed:
        data = sinch.compute_signed_data(body, "nonce1", str(NOW))
        headers |= {"x-sinch-webhook-signature-nonce": "nonce1",
                    "x-sinch-webhook-signature-timestamp": str(NOW),
                    "x-sinch-webhook-signature-algorithm": "HmacSHA256",
                    "x-sinch-webhook-signature": sinch.calculate_sinch_event_signature(data, "hushhush")}
        assert sinch.validate_sinch_event_signature_with_nonce("hushhush", headers, body)
    query = "" if is_signed else "?token=tok%201"
    write(name, "POST", HOOK + query, headers, body)


def sinch_receipt(status, code):
    return {"type": "recipient_delivery_report_sms", "batch_id": "01FC66621XXXXX119Z8PMV1QPQ",
            "recipient": "40712345678", "code": code, "status": status,
            "at": "2026-11-21T22:26:40.000Z", "operator_status_at": "2026-11-21T22:26:20.000Z",
            "client_reference": REF, "number_of_message_parts": 2}


sinch_call("sinch/delivered.http", sinch_receipt("Delivered", 0))
sinch_call("sinch/failed.http", sinch_receipt("Failed", 404))
sinch_call("sinch/expired.http", sinch_receipt("Expired", 406))
sinch_call("sinch/inbound.http", {
    "type": "mo_text", "id": "01FC66621XXXXX119Z8PMV1QPR", "from": "40712345678",
    "to": "40700000001", "body": "Hello", "operator_id": "22601",
    "sent_at": "2026-11-21T22:26:40.000Z", "received_at": "2026-11-21T22:26:41.000Z"})
sinch_call("sinch/delivered_signed.http", sinch_receipt("Delivered", 0), is_signed=True)
