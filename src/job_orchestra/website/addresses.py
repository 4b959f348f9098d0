"""What an address may ask for: a name that a page does not know is said to be wrong, not passed over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from starlette.requests import Request

from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.domain.similarity import most_similar
from job_orchestra.protocol.addresses import flaw_of_encoding, path_mistakes, query_items, shown_encoded


def check_address(request: Request, known: Sequence[str] | None) -> None:
    """Invalid with every mistake of path and query; any name may be in the query where `known` is None."""
    mistakes = [
        *path_mistakes(request.scope["raw_path"], request.path_params),
        *_query_mistakes(request.scope["query_string"], known),
    ]
    if mistakes:
        raise Invalid(mistakes)


def _query_mistakes(query: bytes, known: Sequence[str] | None) -> Iterator[Mistake]:
    seen: set[str] = set()
    for name, value in query_items(query):
        if known is not None and name not in known:
            yield Mistake(shown_encoded(name), f"is nothing that this page can be asked for; {_hint(name, known)}")
        elif known is not None and name in seen:
            yield Mistake(name, "is given more than once")
        elif flaw := flaw_of_encoding(value):
            yield Mistake(shown_encoded(name), flaw)
        seen.add(name)


def _hint(name: str, known: Sequence[str]) -> str:
    close = most_similar(name, known)
    return f"did you mean {close}?" if close else f"it takes {', '.join(known)}"
