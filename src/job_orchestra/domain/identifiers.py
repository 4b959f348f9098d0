"""Identifiers: what names may look like, and those of runs, which sort by the time of their creation."""

from __future__ import annotations

import re
from datetime import datetime

from job_orchestra.domain.moments import from_microseconds

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?")
NAME_RULE = "1 to 64 letters, digits, '_', '-' or '.', first and last a letter or digit"

USER_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{1,30}[A-Za-z0-9])")
USER_NAME_RULE = "3 to 32 letters, digits, '_', '-' or '.', first and last a letter or digit"

# Crockford's base 32 in lower case: no letter is taken for a digit, and the order of the characters is that of ASCII.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_DIGITS = 10
_RANDOM_DIGITS = 8

RUN_IDENTIFIER = re.compile(rf"[{_ALPHABET}]{{{_TIME_DIGITS + _RANDOM_DIGITS}}}")


def new_run_identifier(milliseconds: int, random_bits: int) -> str:
    """18 characters: 50 bits of Unix time in milliseconds, then 40 bits of `random_bits`; sorts by time."""
    return _encode(milliseconds, _TIME_DIGITS) + _encode(random_bits, _RANDOM_DIGITS)


def first_run_identifier(milliseconds: int) -> str:
    """The smallest identifier of a run created at that time: a lower bound for queries by date."""
    return new_run_identifier(milliseconds, 0)


def run_identifier_milliseconds(identifier: str) -> int:
    number = 0
    for character in identifier[:_TIME_DIGITS]:
        number = number * 32 + _ALPHABET.index(character)
    return number


def run_identifier_date(identifier: str) -> datetime:
    """When the run was triggered, to the millisecond."""
    return from_microseconds(run_identifier_milliseconds(identifier) * 1000)


def _encode(number: int, digits: int) -> str:
    characters: list[str] = []
    for _ in range(digits):
        characters.append(_ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(characters))
