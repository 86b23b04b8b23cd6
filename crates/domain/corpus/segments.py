#!/usr/bin/env python3
"""Writes segments.jsonl: texts, and what independent libraries say they cost as SMS.

    python3 -m venv venv && venv/bin/pip install smsutil==1.1.3
    npm install sms-segments-calculator@1.3.0 split-sms@0.1.7
    venv/bin/python crates/domain/corpus/segments.py > crates/domain/corpus/segments.jsonl

Run it where node_modules is. A row is [text, encoding, units, parts, parts that keep clusters].
smsutil and split-sms must agree on encoding, units and parts, else the script stops. The last column
is sms-segments-calculator's, which differs by design where a cluster of several code points (an emoji
family, a flag, a letter with marks) would be cut: it moves the whole cluster to the next part.

The libraries do not normalise: they are fed the NFC form of each text, the row holds the text as
written. Left out: U+001B, which smsutil takes for a character of the alphabet, and the empty text,
for which the libraries count no, one and one part.
"""
import json
import pathlib
import random
import subprocess
import sys
import unicodedata

import smsutil

BASIC = ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
         "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")
EXTENDED = "\f^{}\\[~]|€"
FAMILY = "👨‍👩‍👧‍👦"
CLUSTERS = [FAMILY, "🏳️‍🌈", "🇷🇴", "👍🏽", "❤️", "é", "ñ", "각", "क्षि", "ท้"]
WORDS = ["Salut", "comanda", "livrată", "Grüße", "Müller", "déjà", "Привет", "код", "你好", "مرحبا", "שלום",
         "สวัสดี", "नमस्ते", "Ελλάδα", "ΑΘΗΝΑ", "ΩΔΣ", "€", "5 €", "[x]", "{a}", "C:\\dir", "a|b", "~", "^",
         "`", "ç", "ê", "“quoted”", "it’s", "–", "…", "\u00a0", "\f", "\t", "\r\n", "😀", FAMILY,
         "e\u0301", "A\u030a", "n\u0303", "o\u0308", "c\u0327", "\u212b", "\u2126", "\u212a", "\u037e", "\ufb01",
         "ẛ\u0323", "\u1100\u1161\u11a8", "\u0344", "\U0001d15e", "q\u0323\u0307", "\ufeff", "\u200b"]


def fixed():
    for n in (1, 2, 152, 153, 154, 159, 160, 161, 305, 306, 307, 458, 459, 460, 1530, 1531):
        yield "a" * n
    for n in (1, 75, 76, 77, 79, 80, 81, 152, 153, 154, 228, 229):
        yield "€" * n
    for n in (1, 66, 67, 68, 69, 70, 71, 133, 134, 135, 200, 201, 202, 670, 671):
        yield "я" * n
    for n in (1, 33, 34, 35, 36, 66, 67, 68, 99, 100):
        yield "😀" * n
    for n in (149, 150, 151, 152, 153, 154, 158, 159, 160):
        yield "a" * n + "€" + "a" * 152
        yield "a" * n + "€"
    for n in (64, 65, 66, 67, 68, 69):
        yield "я" * n + "😀" + "я" * 66
        yield "я" * n + "😀"
    yield "\r\n" * 80
    yield "\r\n" * 81
    yield "a\fb"
    yield "`"
    yield "a`b" * 30
    yield BASIC
    yield EXTENDED
    yield BASIC + EXTENDED
    for character in BASIC + EXTENDED:
        yield character + "x"
    for word in WORDS:
        yield word
        yield "a" * 159 + word
        yield "я" * 66 + word + "я" * 66
    for cluster in CLUSTERS:
        for n in (60, 64, 66, 67, 69):
            yield "a" * n + cluster + "b" * 10
    for code in list(range(0x1B)) + list(range(0x1C, 0x20)) + list(range(0x7F, 0x100)):
        yield "code " + chr(code)


def random_texts(rng):
    for _ in range(100):
        yield " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 60)))
    for _ in range(120):
        yield "".join(rng.choice(BASIC + EXTENDED * 3) for _ in range(rng.randint(1, 450)))
    for _ in range(60):
        yield "".join(rng.choice(BASIC + "😀") for _ in range(rng.randint(1, 300)))
    for _ in range(80):
        out = ""
        for _ in range(rng.randint(1, 120)):
            code = rng.choice([rng.randrange(0x20, 0x250), rng.randrange(0x20, 0xD800), rng.randrange(0xE000, 0x110000)])
            if not 0xFDD0 <= code <= 0xFDEF:
                out += chr(code)
        yield out


def main():
    rng = random.Random(20261122)
    texts = list(dict.fromkeys(t for t in [*fixed(), *random_texts(rng)] if t and "\x1b" not in t))
    normal = [unicodedata.normalize("NFC", t) for t in texts]
    here = pathlib.Path(__file__).with_name("segments.mjs")
    script = f"import({json.dumps(here.as_uri())})"
    answers = json.loads(subprocess.run(["node", "-e", script], input=json.dumps(normal), text=True,
                                        capture_output=True, check=True).stdout)
    clusters = 0
    for text, nfc, (encoding, units, parts, other_encoding, other_parts) in zip(texts, normal, answers):
        own = smsutil.split(nfc)
        own_encoding = "gsm7" if own.encoding == "gsm0338" else "ucs2"
        own_units = own.total_bytes if own_encoding == "gsm7" else own.total_bytes // 2
        assert (own_encoding, own_units, len(own.parts)) == (encoding, units, parts), nfc
        assert other_encoding == encoding, nfc
        clusters += parts != other_parts
        print(json.dumps([text, encoding, units, parts, other_parts]))
    print(len(texts), "rows,", clusters, "where keeping clusters costs another count", file=sys.stderr)


main()
