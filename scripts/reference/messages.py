"""The page of the protocol, from the messages' own declarations."""

from __future__ import annotations

from collections.abc import Iterable

from scripts.reference.markdown import code, page, table
from scripts.reference.source import SourceClass, module_text, read_classes

MESSAGES = "protocol/messages.py"
CONTROL = "protocol/control.py"

_WORKER_INTRODUCTION = """\
One WebSocket for each worker, at the path `/worker` of the master's port, opened by the worker with the header
`Authorization: Basic user:token` (or `Bearer token`) of a user of the role worker. Frames are binary; compression is
off. How the two sides use the messages stands in `protocol/worker_session.py` and `protocol/master_session.py`, which
do no I/O and can be read from top to bottom; the shortest account is this:

1. The worker says `hello` with every run on its disk; the master answers `welcome` with a place to go on from for
   each of them, or its release.
2. `execute` is repeated at each connection until the worker says `accepted`: then the request is on its disk.
3. `events` and `log` flow while the run is carried out, at most a window ahead of `acknowledged`.
4. The last event, `ended`, comes behind the whole log. The master compares size and SHA-256 and says `release`, or
   `send_again` if they differ.
"""

_CONTROL_INTRODUCTION = """\
Services connect to the path `/control` of each master's port with `Authorization: Bearer` and a control token, which
a service makes for one handshake and which is valid for a minute. Nothing depends on a hint but how soon something
happens.
"""


def protocol_page() -> str:
    classes = read_classes(MESSAGES)
    hints = read_classes(CONTROL)
    return page(
        "Protocol",
        f"`{MESSAGES}` and `{CONTROL}`",
        "What masters, workers and services say to each other, for those who debug it or speak it themselves.",
        "## Between worker and master",
        _WORKER_INTRODUCTION.strip(),
        module_text(MESSAGES),
        *_messages(one for one in classes if "tag" in one.keywords),
        "## Parts of messages",
        *_messages(one for one in classes if "tag" not in one.keywords and one.fields),
        "## Between service and master",
        _CONTROL_INTRODUCTION.strip(),
        *_messages(one for one in hints if "tag" in one.keywords),
    )


def _messages(classes: Iterable[SourceClass]) -> Iterable[str]:
    for one in classes:
        yield f"### {one.keywords.get('tag', one.name)}"
        yield one.text
        yield table(
            ("field", "type", "meaning"),
            [(code(field.name), code(field.annotation), field.text + _default(field.default)) for field in one.fields],
        )


def _default(default: str | None) -> str:
    return f" Default: {code(default)}." if default else ""
