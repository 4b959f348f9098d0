"""What a browser shows of the HTML of a log: lines with their numbers, pieces of text with their classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

OPENING = '<pre class="log lines" id="log">'

_ALLOWED = {"span": {"class", "role"}, "a": {"id", "href", "tabindex"}, "time": {"datetime"}}


@dataclass
class _Element:
    tag: str
    name: str
    content: list[_Element | str] = field(default_factory=list["_Element | str"])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [_Element("pre", "")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        assert values.keys() <= _ALLOWED[tag], (tag, attrs)
        element = _Element(tag, values.get("class") or "")
        self.open[-1].content.append(element)
        self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].content.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


@dataclass(frozen=True)
class Shown:
    pieces: list[tuple[str, str]]
    """Text and its classes; neighbours of the same classes are one."""
    numbers: list[int]
    times: list[str]

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.pieces)


def read_shown(html: str) -> Shown:
    """AssertionError for elements that are none of ours, or not balanced."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert len(reader.open) == 1
    shown = Shown([], [], [])
    _read(reader.open[0], "", shown)
    return shown


def _read(element: _Element, name: str, shown: Shown) -> None:
    for one in _unhidden(element):
        if isinstance(one, str):
            if shown.pieces and shown.pieces[-1][1] == name:
                one = shown.pieces.pop()[0] + one
            shown.pieces.append((one, name))
        elif one.tag == "a":
            shown.numbers.append(int("".join(map(str, one.content))))
        elif one.tag == "time":
            shown.times.append("".join(map(str, one.content)))
        elif "now" not in one.name.split():
            _read(one, name if one.name in {"", "p", "n"} else one.name, shown)


def _unhidden(element: _Element) -> list[_Element | str]:
    """As the style sheet has it: `.p > :not(.now):has(~ .n)`."""
    if element.name != "p":
        return element.content
    states = [number for number, one in enumerate(element.content) if isinstance(one, _Element) and one.name == "n"]
    assert all(isinstance(one, _Element) for one in element.content)
    return element.content[states[-1] if states else 0 :]
