"""Texts as boxes and rows show them: how wide they are, and names short enough for their room."""

from __future__ import annotations

NAME_CHARACTER = 7.25
"""Width of one in the font of names, which gives all of them the same."""
TEXT_CHARACTER = 6.2
"""Of the small text of pictures, on the average of words."""


def shortened(name: str, most: int) -> str:
    """The name, or so many characters of it: beginning and end, since names of a family differ at the end."""
    if len(name) <= most:
        return name
    end = most // 3
    return f"{name[: most - end - 1]}…{name[-end:]}"
