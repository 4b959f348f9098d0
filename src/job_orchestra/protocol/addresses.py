"""What stands in the address of a request, as both servers take it: percent-encoded UTF-8, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, unquote_to_bytes

from job_orchestra.domain.errors import Invalid, Mistake

_MOST_PARAMETERS = 200
_SHOWN = 60
_ESCAPES = "surrogateescape"


def query_items(query: bytes) -> list[tuple[str, str]]:
    """Names and values in their order; bytes that are no UTF-8 are escaped, for `flaw_of_encoding` to find."""
    fields = [field for field in query.split(b"&", _MOST_PARAMETERS) if field]
    if len(fields) > _MOST_PARAMETERS:
        raise Invalid.at("query", f"has more than {_MOST_PARAMETERS} parameters")
    return [(_decoded(name), _decoded(value)) for name, _, value in (field.partition(b"=") for field in fields)]


def flaw_of_encoding(text: str) -> str:
    """What is wrong with a name or value of a query or form; empty if it is UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"'{shown_encoded(text)}' is not UTF-8"
    return ""


def shown_encoded(text: str) -> str:
    """A name for a message: as it is, or percent-encoded where it is no UTF-8."""
    shown = text[:_SHOWN]
    return shown if shown.isprintable() else quote(shown, safe=" ", errors=_ESCAPES)


def path_mistakes(raw_path: bytes, values: Mapping[str, str]) -> list[Mistake]:
    """One for each value in the path whose bytes are no UTF-8: servers put the replacement character there."""
    try:
        unquote_to_bytes(raw_path).decode()
    except UnicodeDecodeError:
        return [
            Mistake(name, f"{value[:_SHOWN]!r} is not UTF-8") for name, value in values.items() if "\ufffd" in value
        ]
    return []


def _decoded(encoded: bytes) -> str:
    return unquote_to_bytes(encoded.replace(b"+", b" ")).decode(errors=_ESCAPES)
