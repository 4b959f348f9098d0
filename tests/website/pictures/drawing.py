"""Pictures as their templates draw them, without a website around."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree

from job_orchestra.website.page import Frame, Page
from job_orchestra.website.rendering import Templates
from job_orchestra.website.static_files import StaticFiles
from job_orchestra.website.zones import UTC_ZONE

NOW = datetime(2026, 11, 26, 10, 30, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"
_FRAME = Frame("Test", None, lambda _: False, (), "", NOW, UTC_ZONE, is_refresh_paused=False, address="/")


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturePage(Page):
    template: ClassVar[str] = "picture.html"
    picture: Any


def draw(directory: Path, macro: str, picture: object) -> str:
    """HTML of a picture; `directory` is for the template of its page."""
    source = f'{{% import "pictures.html" as pictures %}}{{{{ pictures.{macro}(page.picture) }}}}'
    (directory / "picture.html").write_text(source)
    return Templates((directory,), StaticFiles()).render(PicturePage(title="Test", picture=picture), _FRAME)


def svgs(html: str) -> list[ElementTree.Element]:
    """Each is well-formed by itself, and has the title and description that it names."""
    found = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    parsed = [
        ElementTree.fromstring(text.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)) for text in found
    ]
    for picture in parsed:
        names = {one.get("id"): one for one in picture}
        title, text = names[picture.get("aria-labelledby")], names[picture.get("aria-describedby")]
        assert (title.tag, text.tag) == (f"{SVG}title", f"{SVG}desc")
        assert title.text and text.text
        # What has links in it must not be an image to those who do not see it.
        assert picture.get("role") == ("group" if picture.find(f".//{SVG}a") is not None else "img")
    return parsed


def words(element: ElementTree.Element) -> str:
    return " ".join(" ".join(element.itertext()).split())
