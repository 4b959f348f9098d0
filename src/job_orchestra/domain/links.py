"""Addresses that become links on pages, which lead to other sites: of projects' services and of results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

from job_orchestra.domain.checking import Reader, shown

_MOST = 50
_LONGEST_NAME = 60
_LONGEST = 2000


def is_link(text: str) -> bool:
    """Whether a link to it is harmless: http and https only, and a host that is the one that it seems to be."""
    # Browsers take a backslash for a slash, and what stands before an @ for a user.
    if not text.startswith(("http://", "https://")) or any(ord(one) <= 0x20 or one in "\\\x7f" for one in text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.hostname) and "@" not in parts.netloc


def read_services(reader: Reader) -> dict[str, str]:
    """What a project needs elsewhere, such as its tracker: names and addresses in their order."""
    value = reader.value
    if not isinstance(value, Mapping):
        reader.expected("a table of names and addresses")
        return {}
    if len(cast("Mapping[object, object]", value)) > _MOST:
        reader.wrong(f"has more than {_MOST} services")
        return {}
    services: dict[str, str] = {}
    for key, item in cast("Mapping[object, object]", value).items():
        name = Reader(key, reader.mistakes, reader.place).text()
        if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
            reader.wrong(f"{shown(key)} is no name of 1 to {_LONGEST_NAME} characters")
            continue
        services[name] = _read_address(Reader(item, reader.mistakes, reader.place.field(name)))
    return services


def _read_address(reader: Reader) -> str:
    text = reader.text()
    if text or reader.value == "":
        if not is_link(text):
            reader.wrong(f"{shown(text)} is no address that begins with http:// or https://")
        elif len(text) > _LONGEST:
            reader.wrong(f"has {len(text)} characters, and may have {_LONGEST}")
    return text
