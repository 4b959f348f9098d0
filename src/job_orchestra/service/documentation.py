"""The API as one plain page, made from the route table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import msgspec

from job_orchestra.service.parameter import Parameter
from job_orchestra.service.route import Route
from job_orchestra.version import __version__

_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { font: bold 1rem ui-monospace, monospace; margin: 2rem 0 0; border-top: 1px solid #8888; padding-top: 1rem }
dl { display: grid; grid-template-columns: max-content auto; gap: 0 1rem; margin: .5rem 0 }
dt { font-family: ui-monospace, monospace } dd { margin: 0 } p { margin: .25rem 0 }
"""

_INTRODUCTION = """
JSON in and out. Say who you are with <code>Authorization: Bearer TOKEN</code> or basic authentication as
<code>user:token</code>. Errors are problem documents (RFC 9457) whose <code>errors</code> name each field at fault.
Lists answer <code>{"items": […], "next": cursor or null}</code>. The same for programs:
<a href="openapi.json">openapi.json</a>.
"""


def documentation_page(routes: Sequence[Route]) -> str:
    """Complete HTML without a script."""
    sections = "\n".join(_section(route) for route in routes)
    title = f"Job Orchestra {__version__}: HTTP API"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body><h1>{title}</h1>\n<p>{_INTRODUCTION}</p>\n{sections}\n</body></html>\n"
    )


def _section(route: Route) -> str:
    rows = [
        ("permission", escape(route.permission.value)),
        *_described("query", route.query),
        *_described("header", route.headers),
        *([("body", _fields(route.body))] if route.body else []),
        ("answer", _answer(route)),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in rows)
    return f"<h2>{route.method} {escape(route.path)}</h2><p>{escape(route.summary)}</p><dl>{listed}</dl>"


def _described(place: str, parameters: Iterable[Parameter[Any]]) -> Iterable[tuple[str, str]]:
    for one in parameters:
        yield place, f"<code>{escape(one.name)}</code>: {escape(one.description)}"


def _answer(route: Route) -> str:
    kind = route.answer
    if kind is None:
        return f"{int(route.status)} {escape(route.media_type) if route.status != 204 else 'without content'}"
    names = ", ".join(_names(kind))
    return f"{int(route.status)} {names}"


def _names(kind: Any) -> list[str]:
    arguments: Sequence[Any] = getattr(kind, "__args__", ())
    inner = next((one for one in (*arguments, kind) if hasattr(one, "__struct_fields__")), None)
    if inner is None:
        return ["any JSON object"]
    return [f"<code>{escape(name)}</code>" for name in inner.__struct_fields__]


def _fields(body: Any) -> str:
    return ", ".join(
        f"<code>{escape(field.name)}</code>{' (required)' if field.required else ''}"
        for field in msgspec.structs.fields(body)
    )
