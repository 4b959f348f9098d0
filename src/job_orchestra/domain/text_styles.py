"""How text of a log looks, and what a "select graphic rendition" sequence changes in it.

There are sixteen colours, so that each suits light and dark; any other becomes the nearest of them.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple


class Style(NamedTuple):
    foreground: int | None = None
    """0 to 15; None is the page's own."""
    background: int | None = None
    is_bold: bool = False
    is_dim: bool = False
    is_italic: bool = False
    is_underlined: bool = False
    is_struck: bool = False
    is_inverse: bool = False


PLAIN = Style()

_FLAGS = {1: "is_bold", 2: "is_dim", 3: "is_italic", 4: "is_underlined", 7: "is_inverse", 9: "is_struck"}
_OFF = {
    21: ("is_bold",),
    22: ("is_bold", "is_dim"),
    23: ("is_italic",),
    24: ("is_underlined",),
    27: ("is_inverse",),
    29: ("is_struck",),
}


@lru_cache(maxsize=1024)
def sgr_of(style: Style) -> str:
    """The parameters that make this style of plain text; empty for plain text."""
    codes = [str(code) for code, flag in _FLAGS.items() if getattr(style, flag)]
    if style.foreground is not None:
        codes.append(str(style.foreground + (30 if style.foreground < 8 else 82)))
    if style.background is not None:
        codes.append(str(style.background + (40 if style.background < 8 else 92)))
    return ";".join(codes)


@lru_cache(maxsize=1024)
def apply_sgr(style: Style, parameters: str) -> Style:
    """The style after the sequence; what is not understood changes nothing."""
    if parameters[:1] in {"<", "=", ">", "?"}:
        return style
    codes = iter(parameters.split(";"))
    for code in codes:
        number, *details = (_number(part) for part in code.split(":"))
        if number in {38, 48, 58}:
            colour = _colour(iter(details) if details else (_number(one) for one in codes), len(details) > 4)
            if colour is not None and number != 58:
                style = style._replace(foreground=colour) if number == 38 else style._replace(background=colour)
        elif number == 4 and details:
            style = style._replace(is_underlined=details[0] != 0)
        else:
            style = _simple(style, number)
    return style


def _simple(style: Style, number: int) -> Style:
    if number == 0:
        return PLAIN
    if number in _FLAGS:
        return style._replace(**{_FLAGS[number]: True})
    if number in _OFF:
        return style._replace(**dict.fromkeys(_OFF[number], False))
    if 30 <= number <= 37 or 90 <= number <= 97:
        return style._replace(foreground=number - 30 if number < 90 else number - 82)
    if 40 <= number <= 47 or 100 <= number <= 107:
        return style._replace(background=number - 40 if number < 100 else number - 92)
    if number == 39:
        return style._replace(foreground=None)
    if number == 49:
        return style._replace(background=None)
    return style


def _colour(numbers: Iterator[int], has_space: bool) -> int | None:
    """After 38 or 48: `5;n`, or `2;r;g;b` (with colons `2::r:g:b`, where a colour space may stand)."""
    kind = next(numbers, -1)
    if kind == 5:
        return _indexed(next(numbers, -1))
    if kind == 2:
        if has_space:
            next(numbers, -1)
        red, green, blue = next(numbers, -1), next(numbers, -1), next(numbers, -1)
        if all(0 <= part <= 255 for part in (red, green, blue)):
            return _nearest(red, green, blue)
    return None


def _indexed(index: int) -> int | None:
    if 0 <= index < 16:
        return index
    if 16 <= index < 232:
        steps = (0, 95, 135, 175, 215, 255)
        cube = index - 16
        return _nearest(steps[cube // 36], steps[cube // 6 % 6], steps[cube % 6])
    if 232 <= index < 256:
        grey = 8 + 10 * (index - 232)
        return _nearest(grey, grey, grey)
    return None


_HUES = (1, 3, 2, 6, 4, 5)
"""Red, yellow, green, cyan, blue, magenta: the colours around the circle, a sixth of it apart."""


@lru_cache(maxsize=4096)
def _nearest(red: int, green: int, blue: int) -> int:
    """By hue, so that a dark green is a green; greys by their lightness."""
    strongest, weakest = max(red, green, blue), min(red, green, blue)
    if strongest - weakest < 40:
        return 0 if strongest < 64 else 8 if strongest < 160 else 7 if strongest < 240 else 15
    hue, _, _ = colorsys.rgb_to_hsv(red, green, blue)
    return _HUES[round(hue * 6) % 6] + (8 if strongest >= 230 else 0)


def _number(text: str) -> int:
    """Empty is 0, as the standard says; what is no number is -1, which means nothing."""
    if not text:
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1
