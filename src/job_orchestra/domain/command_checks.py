"""What can be known of format strings before there are values: their form, and whether their fields exist."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from string import Formatter

from job_orchestra.domain.checking import nearest
from job_orchestra.domain.formatting import FormatError, split_field

PLAIN_FIELDS = ("project", "job", "run", "attempt", "result_file_path")
"""Fields that are one text or number."""
TABLE_FIELDS = ("parameters", "environment", "results")
"""Fields that are read by key."""
_FIELDS = (*PLAIN_FIELDS, *TABLE_FIELDS)
_FORMATTER = Formatter()


def flaw_of_format(text: str, parameters: Collection[str]) -> str:
    """What is wrong with the format string of a job that has these parameters; empty if nothing is."""
    try:
        for name in _fields(text, depth=2):
            _check_field(name, parameters)
    except FormatError as error:
        return str(error)
    except ValueError as error:
        return f"is no format string ({error}); a literal brace is written twice: {{{{ or }}}}"
    return ""


def _fields(text: str, depth: int) -> Iterator[str]:
    for _, name, specification, conversion in _FORMATTER.parse(text):
        if name is None:
            continue
        if depth == 0:
            raise FormatError("nests fields too deep")
        if conversion not in {None, "r", "s", "a"}:
            raise FormatError(f"has an unknown conversion !{conversion}; known are !r, !s and !a")
        yield name
        yield from _fields(specification or "", depth - 1)


def _check_field(field: str, parameters: Collection[str]) -> None:
    name, keys = split_field(field)
    if name not in _FIELDS:
        hint = nearest(name, _FIELDS) or f"; known are {', '.join(_FIELDS)}"
        raise FormatError(f"has an unknown field {{{field}}}{hint}; a literal brace is written twice: {{{{ or }}}}")
    if keys and name in PLAIN_FIELDS:
        raise FormatError(f"reads {{{field}}}, but {name} is a plain value")
    if keys and name == "parameters" and keys[0] not in parameters:
        known = sorted(parameters)
        raise FormatError(f"names the unknown parameter {keys[0]!r}{nearest(keys[0], known) or _known(known)}")


def _known(parameters: list[str]) -> str:
    return f"; the job has {', '.join(parameters)}" if parameters else "; the job has no parameters"
