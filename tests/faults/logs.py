"""Whether a stored log is what the commands wrote, by the offsets in the run's events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from job_orchestra.protocol.resources.runs import EventAnswer
from tests.faults.deeds import Deed
from tests.faults.ledger import Entry

_WORDS = re.compile(rb"\n?(\[orchestra\] [^\n]*\n)*")
"""What the executor host says between commands; it begins a new line if the command before it did not."""
_LAST_WORDS = re.compile(rb"\n?\[orchestra\] Run exception \(executor_host_lost\): [^\n]*\n\Z")
_SHOWN = re.compile(rb"\n?(\[orchestra\] (?!\$ )[^\n]*\n)*\[orchestra\] \$ [^\n]*\n")
"""Up to a command that is about to be started."""


@dataclass(frozen=True, slots=True)
class Output:
    """Of one command, in the log; `end` is None if the host did not live to say it."""

    step: str
    begin: int
    end: int | None


def outputs_of(events: Sequence[EventAnswer]) -> list[Output]:
    outputs: list[Output] = []
    for event in events:
        step, offset = f"{event.data.get('phase')}[{event.data.get('index')}]", event.data.get("log_offset")
        if event.kind == "command_started":
            assert isinstance(offset, int)
            outputs.append(Output(step, offset, None))
        elif event.kind == "command_ended":
            assert isinstance(offset, int)
            outputs[-1] = Output(step, outputs[-1].begin, offset)
    return outputs


def flaws_of(
    log: bytes, outputs: Sequence[Output], deed: Deed, entries: Mapping[str, Entry], is_ended_early: bool
) -> Iterator[str]:
    """`is_ended_early`: somebody may have ended the run before its commands had written all; else it has to be all."""
    position = 0
    for output in outputs:
        if not _WORDS.fullmatch(log[position : output.begin]):
            yield f"before {output.step} there is what neither host nor commands wrote"
        if output.end is None:
            yield from _flaws_of_tail(log[output.begin :], output.step, deed, entries)
            return
        position = output.end
        yield from _flaws_of_output(log[output.begin : position], output.step, deed, entries, is_ended_early)
    tail = log[position:]
    if _WORDS.fullmatch(tail):
        return
    # The host was killed after it had started a command, and before it could say so.
    silent = [step for step in entries if step not in {output.step for output in outputs}]
    shown = _SHOWN.match(tail)
    if shown is None or len(silent) != 1:
        yield "behind the last command there is what neither host nor commands wrote"
    else:
        yield from _flaws_of_tail(tail[shown.end() :], silent[0], deed, entries)


def _flaws_of_tail(tail: bytes, step: str, deed: Deed, entries: Mapping[str, Entry]) -> Iterator[str]:
    """Of a command whose host was killed: its output and the worker's last words."""
    last_words = _LAST_WORDS.search(tail)
    if last_words is None:
        yield f"the output of {step} has no end, and the log does not say why"
        return
    written = tail[: last_words.start()]
    with_newline = tail[: last_words.start() + 1]
    if tail[last_words.start() : last_words.start() + 1] == b"\n" and deed.output(step).startswith(with_newline):
        written = with_newline
    yield from _flaws_of_output(written, step, deed, entries, is_ended_early=True)


def _flaws_of_output(
    written: bytes, step: str, deed: Deed, entries: Mapping[str, Entry], is_ended_early: bool
) -> Iterator[str]:
    expected = deed.output(step)
    known = entries.get(step, Entry()).written
    if not expected.startswith(written):
        yield f"{step}: the log has other bytes than the command wrote"
    if len(written) < known:
        yield f"{step}: the log has {len(written)} bytes, and the command wrote {known}"
    if not is_ended_early and written != expected:
        yield f"{step}: the log has {len(written)} bytes, and the command was to write {len(expected)}"
