"""Texts of the audit trail that came from a command line: all of them can be told of."""

from __future__ import annotations

import json

from job_orchestra.domain.audit import LONGEST_VALUE, shown_details, shown_target
from job_orchestra.domain.json import JsonObject

_NO_UTF_8 = b"caf\xe9".decode(errors="surrogateescape")


def test_bytes_that_are_no_utf_8_are_told_as_escapes() -> None:
    assert shown_target({"user": _NO_UTF_8}) == {"user": "caf\\udce9"}
    details: JsonObject = {"description": _NO_UTF_8, "roles": [_NO_UTF_8, "é", 1], "deep": {_NO_UTF_8: None}}
    shown = shown_details(details)
    assert shown == {"description": "caf\\udce9", "roles": ["caf\\udce9", "é", 1], "deep": {"caf\\udce9": None}}
    json.dumps(shown, ensure_ascii=False).encode()


def test_targets_are_bounded_and_no_secrets() -> None:
    shown = shown_target({"user": "x" * 1000, "token": "0f" * 32})
    assert shown["user"] == "x" * LONGEST_VALUE
    assert shown["token"] == "(looks like a secret)"
