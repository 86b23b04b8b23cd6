#!/usr/bin/env python3
"""Writes phones.tsv: numbers, and what Google's plan says of them.

    python3 -m venv venv && venv/bin/pip install phonenumbers==9.0.43
    venv/bin/python crates/domain/corpus/phones.py > crates/domain/corpus/phones.tsv

A row is input, what the library says of its length (`possible`, else the reason), `valid` or `-`,
E.164, country or `-`. Inputs are example numbers of every country and type, whole and damaged. Where
the library strips a national prefix, the row holds the form at which it strips no more.
"""
import random
import sys

import phonenumbers as lib

REASONS = {0: "possible", 4: "local", 1: "code", 2: "short", 5: "length", 3: "long"}


def damaged(number, rng):
    code, national = str(number.country_code), lib.national_significant_number(number)
    whole = "+" + code + national
    yield whole
    yield lib.format_number(number, lib.PhoneNumberFormat.INTERNATIONAL)
    at = rng.randrange(len(national))
    tricks = [
        lambda: whole[:-1],
        lambda: whole + rng.choice("0123456789"),
        lambda: f"+{code}{national[:at]}{rng.choice('0123456789')}{national[at + 1:]}",
        lambda: f"+{code} (0){national}",
        lambda: f"+{code}{rng.choice(['0', '1', '8', '06', '00', '9'])}{national}",
        lambda: "+" + code + "".join(rng.choice("0123456789") for _ in national),
        lambda: whole[: rng.randrange(3, len(whole))],
    ]
    for trick in rng.sample(tricks, 3):
        yield trick()


def settled(text):
    """The number at which the library strips no more."""
    number = lib.parse(text)
    while True:
        again = lib.parse(lib.format_number(number, lib.PhoneNumberFormat.E164))
        if again == number:
            return number
        number = again


def main():
    rng = random.Random(20261122)
    seen = set()
    for region in sorted(lib.SUPPORTED_REGIONS) + sorted(lib.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        for kind in range(11):
            if isinstance(region, int):
                number = lib.example_number_for_non_geo_entity(region) if kind == 0 else None
            else:
                number = lib.example_number_for_type(region, kind)
            if number is None:
                continue
            for text in damaged(number, rng):
                if text in seen or (kind > 1 and rng.random() < 0.4):
                    continue
                seen.add(text)
                try:
                    number = settled(text)
                except lib.NumberParseException as error:
                    print(text, f"error{error.error_type}", "-", "-", "-", sep="\t")
                    continue
                country = lib.region_code_for_number(number)
                print(text, REASONS[lib.is_possible_number_with_reason(number)],
                      "valid" if lib.is_valid_number(number) else "-",
                      lib.format_number(number, lib.PhoneNumberFormat.E164),
                      "-" if country in (None, "001") else country, sep="\t")
    print(len(seen), "rows", file=sys.stderr)


main()
