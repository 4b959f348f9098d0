from __future__ import annotations

from collections.abc import Iterable, Sequence

GENERATED = "<!-- Written by `python -m scripts.reference` from {source}. Change it there. -->"


def page(title: str, source: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", GENERATED.format(source=source), *(part for part in parts if part)]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Nothing at all where there are no rows."""
    lines = [_row(row) for row in rows]
    if not lines:
        return ""
    return "\n".join([_row(header), "|".join(["", *(" --- " for _ in header), ""]), *lines])


def code(text: object) -> str:
    """In back quotes, also inside of tables; nothing for an empty text."""
    words = str(text)
    if not words:
        return ""
    quotes = "``" if "`" in words else "`"
    return f"{quotes}{words}{quotes}"


def block(text: str, language: str = "") -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", "<br>") for cell in cells) + " |"
