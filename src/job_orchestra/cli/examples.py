"""The example runs of the demonstration: triggered, one of them followed, all of them judged."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

from job_orchestra.cli.output import STATUS_COLOURS, duration, pairs
from job_orchestra.client.asynchronous import AsyncClient
from job_orchestra.client.calls import jobs, runs
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.protocol.resources.runs import RunAnswer

PROJECT = "example"


@dataclass(frozen=True, slots=True)
class Example:
    job: str
    expected: str
    parameters: JsonObject = field(default_factory=dict[str, JsonValue])
    results: JsonObject = field(default_factory=dict[str, JsonValue])

    elements: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of a pipeline: how each has to end."""

    def is_as_expected(self, run: RunAnswer) -> bool:
        return run.status == self.expected and (self._has_results(run) if not self.elements else self._has_ended(run))

    def _has_results(self, run: RunAnswer) -> bool:
        return run.results == self.results

    def _has_ended(self, run: RunAnswer) -> bool:
        elements = cast("Mapping[str, JsonObject]", run.results.get("elements", {}))
        return {name: element["status"] for name, element in elements.items()} == self.elements


EXAMPLES = (
    Example("build", "succeeded", {"target": "release", "seconds": 4}),
    Example("check", "failed"),
    Example("measure", "succeeded", {"count": 1000}, {"sum": 500500, "count": 1000}),
    Example(
        "release",
        "succeeded",
        elements={
            "build": "succeeded",
            "measure": "succeeded",
            "check": "failed",
            "report": "succeeded",
            "alarm": "skipped",
        },
    ),
)


async def run_examples(client: AsyncClient, console: Console) -> bool:
    """Triggers all, follows the first, prints the table of all; whether each ended as it should."""
    triggered = [await client.send(jobs.trigger(PROJECT, example.job, example.parameters)) for example in EXAMPLES]
    for example, run in zip(EXAMPLES, triggered, strict=True):
        console.print(
            f"Triggered [bold]{example.job}[/bold] ({pairs(example.parameters) or 'no parameters'}): "
            f"run {run.identifier}"
        )
    console.rule(f"log of {EXAMPLES[0].job}, as it comes")
    await _follow(client, triggered[0], console)
    console.rule()
    ended = await asyncio.gather(*(_until_ended(client, run) for run in triggered))
    _print_runs(ended, console)
    return all(example.is_as_expected(run) for example, run in zip(EXAMPLES, ended, strict=True))


async def _follow(client: AsyncClient, run: RunAnswer, console: Console) -> None:
    rest = b""
    with console.status(f"{run.job} is running"):
        async for chunk in client.follow_log(PROJECT, run.identifier):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                console.print(Text.from_ansi(line.decode(errors="replace")))
    if rest:
        console.print(Text.from_ansi(rest.decode(errors="replace")))


async def _until_ended(client: AsyncClient, run: RunAnswer) -> RunAnswer:
    async for _ in client.follow_log(PROJECT, run.identifier):
        pass
    return await client.send(runs.get(PROJECT, run.identifier))


def _print_runs(ended: list[RunAnswer], console: Console) -> None:
    table = Table(title="Runs", title_justify="left", title_style="bold")
    for title in ("run", "job", "status", "duration", "why", "results"):
        table.add_column(title)
    for run in ended:
        status = Text(run.status, style=STATUS_COLOURS[run.status])
        reason = "" if run.reason is None else run.reason.sentence
        table.add_row(run.identifier, run.job, status, duration(run.duration), reason, _results(run))
    console.print(table)


def _results(run: RunAnswer) -> str:
    elements = cast("Mapping[str, JsonObject]", run.results.get("elements", {}))
    return ", ".join(f"{name} {element['status']}" for name, element in elements.items()) or pairs(run.results)
