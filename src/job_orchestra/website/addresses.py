"""What an address may ask for: a name that a page does not know is said to be wrong, not passed over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from starlette.requests import Request

from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.domain.similarity import most_similar
from job_orchestra.protocol.addresses import flaw_of_encoding, path_mistakes, query_items, shown_encoded
from job_orchestra.website.refusals import AddressInvalid, AddressTooLong

_LONGEST = 16 << 10
"""Bytes of path and query, which is room for the longest filter."""


def check_address(request: Request, known: Sequence[str] | None) -> None:
    """AddressInvalid with every mistake of path and query; any name may be in the query where `known` is None."""
    size = len(request.scope["raw_path"]) + len(request.scope["query_string"])
    if size > _LONGEST:
        raise AddressTooLong.at("", f"This address has {size} bytes, and may have {_LONGEST}.")
    mistakes = [
        *path_mistakes(request.scope["raw_path"], request.path_params),
        *_query_mistakes(request.scope["query_string"], known),
    ]
    if mistakes:
        raise AddressInvalid(mistakes)


def _query_mistakes(query: bytes, known: Sequence[str] | None) -> Iterator[Mistake]:
    seen: set[str] = set()
    for name, value in _items(query):
        if known is not None and name not in known:
            yield Mistake(shown_encoded(name), f"is nothing that this page can be asked for; {_hint(name, known)}")
        elif known is not None and name in seen:
            yield Mistake(name, "is given more than once")
        elif flaw := flaw_of_encoding(value):
            yield Mistake(shown_encoded(name), flaw)
        seen.add(name)


def _items(query: bytes) -> list[tuple[str, str]]:
    try:
        return query_items(query)
    except Invalid as error:
        raise AddressInvalid(error.mistakes) from None


def _hint(name: str, known: Sequence[str]) -> str:
    close = most_similar(name, known)
    return f"did you mean {close}?" if close else f"it takes {', '.join(known)}"
