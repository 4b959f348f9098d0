"""What commands print: tables and fields for people, JSON for programs. Colours on a terminal only."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

import click
import msgspec

from job_orchestra.cli.options import Output
from job_orchestra.cli.terminal_text import one_line, padded, shortened, width_of
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.protocol.resources.answers import Page

Item = TypeVar("Item")

_WIDEST_CELL = 60
_WIDEST_LINE = 1000
_MOST_LINES = 200
"""Of one field. Data of any size is for programs, which have --output json."""

STATUS_COLOURS = {
    "pending": "yellow",
    "running": "cyan",
    "succeeded": "green",
    "failed": "red",
    "aborted": "magenta",
    "exception": "red",
    "cancelled": "magenta",
}


@dataclass(frozen=True)  # without slots, with which Column[T](...) fails in Python 3.11
class Column(Generic[Item]):
    title: str
    value: Callable[[Item], str]
    colour: Callable[[str], str | None] = lambda _: None


def warn(sentence: str | None) -> None:
    """On standard error, so that it is seen and is in nobody's way; nothing for None."""
    if sentence is not None:
        click.echo(f"{click.style('Warning', fg='yellow')}: {one_line(sentence)}", err=True)


def print_page(output: Output, page: Page[Item], columns: Sequence[Column[Item]]) -> None:
    """One line for each item, and where to go on."""
    if output is Output.JSON:
        print_json(page)
        return
    print_table(page.items, columns)
    if page.next:
        click.echo(f"There is more: --cursor {page.next}", err=True)


def print_table(items: Sequence[Item], columns: Sequence[Column[Item]]) -> None:
    """One line for each item; what is long is shortened."""
    rows = [[_cell(column.value(item)) for column in columns] for item in items]
    titles = [column.title for column in columns]
    widths = [max(map(width_of, cells)) for cells in zip(titles, *rows, strict=True)]
    click.secho(_row(titles, widths), bold=True)
    for row in rows:
        styled = [
            click.style(text, fg=column.colour(text)) + " " * (width - width_of(text))
            for text, width, column in zip(row, widths, columns, strict=True)
        ]
        click.echo("  ".join(styled).rstrip())


def print_fields(output: Output, answer: object, fields: Sequence[tuple[str, str]]) -> None:
    """One thing: a line for each field that has a value; a status at the beginning of one has its colour."""
    if output is Output.JSON:
        print_json(answer)
        return
    width = max(width_of(_cell(name)) for name, _ in fields)
    for name, value in fields:
        if value:
            first, *rest = _lines(value)
            click.echo(f"{click.style(padded(_cell(name), width), bold=True)}  {_coloured(name, first)}")
            for line in rest:
                click.echo(" " * (width + 2) + line)


def print_json(answer: object) -> None:
    encoded = msgspec.json.encode(answer)
    if sys.stdout.isatty():
        encoded = msgspec.json.format(encoded, indent=2)
    click.echo(encoded.decode())


def status_colour(status: str) -> str | None:
    return STATUS_COLOURS.get(status)


def moment(text: str | None) -> str:
    """A date of the API, without its milliseconds."""
    return "" if text is None else text[:19].replace("T", " ")


def iso(date: datetime) -> str:
    """As the API writes dates."""
    return date.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def yes(value: bool) -> str:
    return "yes" if value else "no"


def duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def json_text(value: JsonValue) -> str:
    """Data on one line; text as it is."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def definition_lines(definition: JsonObject) -> str:
    """The parts that are set, each item of a list on its own line."""
    lines: list[str] = []
    for name, value in definition.items():
        if name == "type" or not value:
            continue
        lines.append(f"{name}:")
        lines.extend(f"  {json_text(item)}" for item in (value if isinstance(value, list) else [value]))
    return "\n".join(lines)


def pairs(values: dict[str, JsonValue]) -> str:
    return ", ".join(f"{name}={json_text(value)}" for name, value in values.items())


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(padded(cell, width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cell(text: str) -> str:
    # Control characters of users' texts do not reach the terminal. Far more than is shown need not be looked at.
    return shortened(one_line(text[: 2 * _WIDEST_CELL]), _WIDEST_CELL)


def _lines(value: str) -> list[str]:
    lines = value.splitlines()
    shown = [shortened(one_line(line), _WIDEST_LINE) for line in lines[:_MOST_LINES]]
    if len(lines) > _MOST_LINES:
        shown.append(f"… {len(lines) - _MOST_LINES} more lines; --output json has all of it")
    return shown


def _coloured(name: str, line: str) -> str:
    if name != "status":
        return line
    word, *_ = re.split(r"\W", line, maxsplit=1)
    return click.style(word, fg=status_colour(word)) + line.removeprefix(word)
