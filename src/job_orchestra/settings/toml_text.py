"""TOML, with the line of whatever is wrong in it."""

from __future__ import annotations

import tomllib

_AT_THE_END = "(at end of document)"
_MOST_TRIES = 200


def parse_toml(text: str) -> dict[str, object]:
    """ValueError with what is wrong, and where."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(_with_line(str(error), text)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _with_line(message: str, text: str) -> str:
    if not message.endswith(_AT_THE_END):
        return message  # It names its line itself.
    lines = text.rstrip().split("\n")
    begin = _begin_of_last(lines)
    place = f"at line {len(lines)}" if begin in {None, len(lines)} else f"from line {begin} to line {len(lines)}"
    return f"{message.removesuffix(_AT_THE_END)}({place}, the end of the document)"


def _begin_of_last(lines: list[str]) -> int | None:
    """Where the statement begins that does not end: all before it is in order. None if that is too far above."""
    for count in range(len(lines) - 1, max(-1, len(lines) - 1 - _MOST_TRIES), -1):
        try:
            tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue
        return count + 1
    return None
