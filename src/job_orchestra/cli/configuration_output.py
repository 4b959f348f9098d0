"""What applying the configuration changes, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import click

from job_orchestra.cli.options import Output
from job_orchestra.cli.output import json_text, print_json
from job_orchestra.cli.terminal_text import one_line, shortened
from job_orchestra.domain.configuration_changes import Change, ChangeKind
from job_orchestra.domain.json import JsonValue

_MARKS: Mapping[ChangeKind, tuple[str, str]] = {
    ChangeKind.ADDED: ("+", "green"),
    ChangeKind.BACK: ("+", "green"),
    ChangeKind.CHANGED: ("~", "yellow"),
    ChangeKind.REMOVED: ("-", "red"),
}
_WIDEST = 60


def print_changes(output: Output, changes: Sequence[Change], *, are_applied: bool) -> None:
    if output is Output.JSON:
        print_json({"is_applied": are_applied, "changes": changes})
        return
    for change in changes:
        _print_change(change)
    click.echo(_summary(changes, "changed" if are_applied else "would change"))


def _print_change(change: Change) -> None:
    mark, colour = _MARKS[change.kind]
    again = ", there again" if change.kind is ChangeKind.BACK else ""
    click.secho(f"{mark} {change.thing} {change.identifier}{again}", fg=colour)
    for field in change.fields:
        click.echo(f"    {field.field}: {_shown(field.before)} → {_shown(field.after)}")
    for effect in change.effects:
        click.echo(f"    It {effect}.")


def _shown(value: JsonValue) -> str:
    return shortened(one_line(json_text(value)), _WIDEST) if value != "" else '""'


def _summary(changes: Sequence[Change], verb: str) -> str:
    if not changes:
        return f"Nothing {verb}: this is the configuration that is applied."
    kinds = Counter(change.kind for change in changes)
    return f"{len(changes)} {verb}: {', '.join(f'{number} {kind}' for kind, number in kinds.items())}."
