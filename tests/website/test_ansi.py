from __future__ import annotations

import random
import re
from html.parser import HTMLParser

import pytest

from job_orchestra.website.ansi import AnsiRenderer


def render(data: bytes) -> str:
    return AnsiRenderer().feed(data, is_last=True)


@pytest.mark.parametrize(
    ("data", "html"),
    [
        (b"plain\ntext\twith tab", "plain\ntext\twith tab"),
        (b"<script>alert('&amp;')</script>", "&lt;script&gt;alert('&amp;amp;')&lt;/script&gt;"),
        (b"\x1b[31mred\x1b[0m plain", '<span class="f1">red</span> plain'),
        (b"\x1b[1;92;44mx\x1b[m", '<span class="f10 g4 bo">x</span>'),
        (b"\x1b[1mb\x1b[22;3mi\x1b[23;4mu\x1b[24;9ms\x1b[29m.",
         '<span class="bo">b</span><span class="it">i</span><span class="un">u</span><span class="st">s</span>.'),
        (b"\x1b[7mx\x1b[31my\x1b[27mz",
         '<span class="fd gd">x</span><span class="fd g1">y</span><span class="f1">z</span>'),
        # 256 colours and true colours become the nearest of sixteen.
        (b"\x1b[38;5;9mx", '<span class="f9">x</span>'),
        (b"\x1b[38;5;196mx", '<span class="f9">x</span>'),
        (b"\x1b[38;5;22mx", '<span class="f2">x</span>'),
        (b"\x1b[32;40mx", '<span class="f2">x</span>'),
        (b"\x1b[48;5;232mx", '<span class="g0">x</span>'),
        (b"\x1b[38;2;250;10;10mx", '<span class="f9">x</span>'),
        (b"\x1b[38:2::0:0:200mx", '<span class="f4">x</span>'),
        (b"\x1b[38:5:2mx\x1b[39my", '<span class="f2">x</span>y'),
        (b"\x1b[38;2;250;10;10;1mx", '<span class="f9 bo">x</span>'),
        (b"\x1b[58;5;9;4:3mx\x1b[4:0my", '<span class="un">x</span>y'),
        # What is wrong in a sequence changes nothing.
        (b"\x1b[38;5;300mx\x1b[38mx\x1b[38;2;1mx\x1b[999999999999999mx\x1b[>4;2mx", "xxxxx"),
        # Other sequences disappear: cursor movements, titles, links, character sets.
        (b"a\x1b[2K\x1b[1;1H\x1b[?25lb", "ab"),
        (b"a\x1b]0;title\x07b\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\c", "ablinkc"),
        (b"a\x1b(B\x1b)0\x1b=b\x1b7c\x1bP1$q\x1b\\d", "abcd"),
        (b"a\x1b]0;never closed\nnext", "a\nnext"),
        (b"a\x1b[12", "a"),
        (b"a\x1b", "a"),
        (b"a\x1b\nb", "a\nb"),
        (b"a\x1b\x1b[31mb", 'a<span class="f1">b</span>'),
        # Control characters are harmless, and seen where they may matter.
        (b"\x00\x08\x0b|\x07\x0e|\x7f", "␀␈␋||"),
        (b"one\r\ntwo\rthree\r\r\nfour", "one\ntwo\nthree\n\nfour"),
        ("abc\u202edef\u2066\u200f\ufeff\u0085".encode(), "abc\ufffddef\ufffd\ufffd"),
        # Bytes that are no UTF-8.
        (b"a\xff\xc3(b\xe2\x82", "a\ufffd\ufffd(b\ufffd"),
        ("grün €".encode(), "grün €"),
    ],
)  # fmt: skip
def test_bytes_become_html(data: bytes, html: str) -> None:
    assert render(data) == html


def test_a_string_that_never_ends_hides_little() -> None:
    html = render(b"a\x1b]0;" + b"x" * 100_000)
    assert len(html) > 90_000


def test_a_sequence_that_never_ends_is_kept_within_bounds() -> None:
    renderer = AnsiRenderer()
    shown = "".join(renderer.feed(b"\x1b[" + b"1;" * 1000) for _ in range(10))
    assert len(shown) > 10_000


class _Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag == "span"
        assert [name for name, _ in attrs] == ["class"]
        self.open += 1

    def handle_endtag(self, tag: str) -> None:
        self.open -= 1


def _text(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)


def test_however_bytes_are_split_the_same_is_shown() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    pieces = [
        b"text ", b"\n", b"\r", b"\r\n", b"\x1b[31m", b"\x1b[38;5;123m", b"\x1b[38;2;1;2;3;1m", b"\x1b[0m", b"\x1b[7m",
        b"\x1b]0;t\x07", b"\x1b]8;;u\x1b\\", b"\x1b", b"\x1b[", b"\x1b]", b"<b>", b"&", "€".encode(), b"\xff",
        b"\xe2\x82",
        b"\x00", b"\x07", b"m", b"\\", b"\x1b(", b"0", "\u202e".encode(), b"\x1bP", b"\x1b[999",
    ]  # fmt: skip
    for _ in range(300):
        data = b"".join(chance.choices(pieces, k=chance.randrange(40)))
        renderer, shown, position = AnsiRenderer(), [""], 0
        while position < len(data):
            size = chance.randrange(1, 6)
            part = renderer.feed(data[position : position + size])
            balance = _Balance()
            balance.feed(part)
            assert balance.open == 0
            shown.append(part)
            position += size
        shown.append(renderer.feed(b"", is_last=True))
        whole = render(data)
        assert _merged("".join(shown)) == _merged(whole), data
        assert _text("".join(shown)) == _text(whole)


def _merged(html: str) -> str:
    """Neighbouring pieces of one style as one."""
    previous = ""
    while previous != html:
        previous, html = (
            html,
            re.sub(r'<span class="([^"]*)">([^<]*)</span><span class="\1">', r'<span class="\1">\2', html),
        )
    return html


def test_random_bytes_are_harmless() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(100):
        html = render(chance.randbytes(500))
        balance = _Balance()
        balance.feed(html)
        balance.close()
        assert balance.open == 0
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", html)
