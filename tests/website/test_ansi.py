from __future__ import annotations

import asyncio
import random
import re
import threading
import time

import pytest

from job_orchestra.website.ansi import AnsiRenderer, LineRenderer
from job_orchestra.website.log_view import rendered
from tests.website.shown_log import Shown, read_shown


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
        (b"a\x1b[1;1H\x1b[?25lb\x1b[?2K", "ab"),
        (b"a\x1b]0;title\x07b\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\c", "ablinkc"),
        (b"a\x1b(B\x1b)0\x1b=b\x1b7c\x1bP1$q\x1b\\d", "abcd"),
        (b"a\x1b]0;never closed\nnext", "a\nnext"),
        (b"a\x1b[12", "a"),
        (b"a\x1b", "a"),
        (b"a\x1b\nb", "a\nb"),
        (b"a\x1b\x1b[31mb", 'a<span class="f1">b</span>'),
        # Control characters are harmless, and seen where they may matter.
        (b"\x00\x0b|\x07\x0e|\x7f", "␀␋||"),
        (b"one\r\ntwo\rthree\r\r\nfour", "one\nthree\nfour"),
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
    for _ in range(10):
        renderer.feed(b"\x1b[" + b"1;" * 1000)
    assert len(renderer.feed(b"", is_last=True)) > 10_000


def test_however_bytes_are_split_the_same_is_shown() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    pieces = [
        b"text ", b"\n", b"\r", b"\r\n", b"\x1b[31m", b"\x1b[38;5;123m", b"\x1b[38;2;1;2;3;1m", b"\x1b[0m", b"\x1b[7m",
        b"\x1b]0;t\x07", b"\x1b]8;;u\x1b\\", b"\x1b", b"\x1b[", b"\x1b]", b"<b>", b"&", "€".encode(), b"\xff",
        b"\xe2\x82",
        b"\x00", b"\x07", b"m", b"\\", b"\x1b(", b"0", "\u202e".encode(), b"\x1bP", b"\x1b[999",
        b"\x08", b"\x1b[K", b"\x1b[1K", b"\x1b[3D", b"\x1b[9G", b"\x1b[2P",
    ]  # fmt: skip
    for _ in range(500):
        data = b"".join(chance.choices(pieces, k=chance.randrange(40)))
        shown = read_shown(_fed(AnsiRenderer(), data, chance))
        assert shown == read_shown(render(data)), data
        still, live = (
            read_shown(_fed(LineRenderer("?line=", 5, is_live=is_live), data, chance)) for is_live in (False, True)
        )
        assert _marks(live) == _marks(still), data
        assert live.numbers == still.numbers == [*range(5, 5 + live.text.count("\n"))], data
        assert _marks(still) in (_marks(shown), [*_marks(shown), ("\n", "")]), data


def _marks(shown: Shown) -> list[tuple[str, str]]:
    """Characters with their style, which newlines have none of."""
    return [(character, "" if character == "\n" else name) for piece, name in shown.pieces for character in piece]


def _fed(renderer: AnsiRenderer, data: bytes, chance: random.Random) -> str:
    shown, position = list[str](), 0
    while position < len(data):
        size = chance.randrange(1, 6)
        shown.append(renderer.feed(data[position : position + size]))
        position += size
    return "".join([*shown, renderer.feed(b"", is_last=True)])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"10%\r20%\r100%\n", "100%\n"),
        (b"100%\r20%\n", "20%%\n"),
        (b"100%\r\x1b[K20%\n", "20%\n"),
        (b"100%\r\x1b[2K20%\n", "20%\n"),
        (b"100%\x1b[2K\r20%\n", "20%\n"),
        (b"abc\x08\x08X\n", "aXc\n"),
        (b"abc\x08\x08\x08\x08\x08X\n", "Xbc\n"),
        (b"abc\x1b[2DX\n", "aXc\n"),
        (b"abc\x1b[1GX\n", "Xbc\n"),
        (b"abc\x1b[6GX\n", "abc  X\n"),
        (b"abc\x1b[1G\x1b[2CX\n", "abX\n"),
        (b"abc\x08\x08\x1b[1KX\n", " Xc\n"),
        (b"abcd\r\x1b[2Pz\n", "zd\n"),
        (b"abcd\r\x1b[2X\n", "  cd\n"),
        (b"abc\x1b[99999CX\n", "abc" + " " * 997 + "X\n"),
        (b"abc\x1b[999999CX\n", "abcX\n"),
        (b"\x1b[3Dabc\x1b[A\x1b[J\x1b[5;5H\n", "abc\n"),
        (b"a\tb\rX\n", "X       b\n"),
        ("日本\rab\n".encode(), "ab本\n"),
        ("e\u0301x\ra\n".encode(), "ax\n"),
        (b"one\ntwo\rTWO", "one\nTWO"),
        (b"\r\rx\r\r\n", "x\n"),
        (b"spin \\\x08|\x08/\x08-\x08 \rdone\n", "done  \n"),
    ],
)
def test_text_that_is_written_over_other_text_takes_its_place(data: bytes, text: str) -> None:
    assert read_shown(render(data)).text == text
    for is_live in (False, True):
        renderer = LineRenderer("", 1, is_live=is_live)
        html = "".join(renderer.feed(data[at : at + 1]) for at in range(len(data))) + renderer.feed(b"", is_last=True)
        assert read_shown(html).text == text.removesuffix("\n") + "\n"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a" * 10_000 + b"\r" + b"b" * 5000, "b" * 4096 + "a" * 5904 + "b" * 904),
        (b"a" * 5000 + b"\x08b\x08c", "a" * 5000 + "bc"),
        (b"a" * 5000 + b"\r\x1b[Kb", "b"),
        (b"a" * 5000 + b"\x1b[K\r\x1b[Xb", "b" + "a" * 4999),
        (b"a" * 5000 + b"\x1b[2K\rb", "b"),
        (b"a" * 5000 + b"\x1b[1K\rb", "b" + " " * 4095 + "a" * 904),
        (b"a" * 10_000 + b"\r" + b"\x1b[P" * 5000 + b"b", "b" + "a" * 5904),
        (b"a" * 10_000 + b"\r\x1b[99999P", "a" * 5904),
        (b"a" * 10_000 + b"\r\x1b[99999X", " " * 4096 + "a" * 5904),
        (b"a" * 5000 + b"\x1b[4999Gb\x1b[2Gc", "ac" + "a" * 4998 + "b"),
        ("ä\t".encode() * 1000 + b"\rb", "b" + ("       ä" * 512)[:4095] + "ä\t" * 488),
        (b"x\re" + "\u0301".encode() * 1000 + b"f", "e" + "\u0301" * 16 + "f"),
        (b"x\r" + "e\u0301\r".encode() * 9000 + "\x1b[Ga\x1b[5Go\u0308".encode(), "a   o\u0308"),
    ],
)  # fmt: skip
def test_the_cells_of_a_line_are_bounded(data: bytes, text: str) -> None:
    """Behind them text is added, and nothing of it is lost."""
    assert read_shown(render(data)).text == text


@pytest.mark.parametrize(
    ("data", "is_quick"),
    [
        (b"plain\r\n\x1b[1;31mred\x1b[0m\r\n", True),
        (b"text\rover", False),
        (b"text\x08", False),
        (b"text\x1b[P", False),
        (b"\x1b]0;title\x07", False),
    ],
)
def test_what_may_take_long_is_rendered_beside_the_other_pages(data: bytes, is_quick: bool) -> None:
    class Watched(AnsiRenderer):
        def feed(self, data: bytes, is_last: bool = False) -> str:
            threads.append(threading.get_ident())
            return super().feed(data, is_last)

    threads: list[int] = []

    async def show() -> None:
        renderer = Watched()
        for piece in (data * 1000, b"x" * 5000, data):
            await rendered(renderer, piece)

    asyncio.run(show())
    here = threading.get_ident()
    # The second piece goes on with a line that is written over, if the first one ends with one; the last one is small.
    is_overwritten = not is_quick and b"title" not in data
    assert [thread == here for thread in threads] == [is_quick, not is_overwritten, True]


def test_what_is_written_over_keeps_its_colour() -> None:
    shown = read_shown(render(b"\x1b[31maaaa\x1b[32m\rbb\x1b[0m\n"))
    assert shown.pieces == [("bb", "f2"), ("aa", "f1"), ("\n", "")]


def test_a_line_that_is_not_complete_is_shown_while_it_grows() -> None:
    renderer = LineRenderer("?attempt=1&line=", 7, is_live=True)
    first = renderer.feed(b"10%")
    assert first == ('<a id="L7" href="?attempt=1&amp;line=7#L7" tabindex="-1">7</a><span class="p"><span>10%</span>')
    assert renderer.feed(b" of it") == "<span> of it</span>"
    assert renderer.feed(b"\r") == ""
    assert renderer.feed(b"20%") == '<span class="n">20%</span>' or renderer.replaced == 1
    assert renderer.feed(b"\r\x1b[K<b>\nnext\n") == (
        '<span class="n">&lt;b&gt;</span></span>\n<a id="L8" href="?attempt=1&amp;line=8#L8" tabindex="-1">8</a>next\n'
    )


def test_a_progress_bar_of_a_megabyte_costs_little() -> None:
    data = b"".join(b"\r[%-60s] %d" % (b"#" * (number % 60), number) for number in range(16_000))
    started = time.process_time()
    assert len(render(data)) < 1000
    assert time.process_time() - started < 5


def test_times_stand_at_the_lines_where_something_begins() -> None:
    renderer = LineRenderer("", 1, times={2: "<time>10:00:00</time>"}, is_live=True)
    renderer.tell_time("<time>09:00:00</time>")
    html = renderer.feed(b"one\ntwo\nthr")
    renderer.tell_time("<time>11:00:00</time>")
    html += renderer.feed(b"ee\nfour\nfive\n", is_last=True)
    assert re.findall(r"([0-9])</a><time>([0-9]+)", html) == [("1", "09"), ("2", "10"), ("4", "11")]


def test_random_bytes_are_harmless() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(100):
        html = _fed(LineRenderer("", 1, is_live=chance.random() < 0.5), chance.randbytes(500), chance)
        shown = read_shown(html)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown.text)
