"""The page of the settings, from their dataclasses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, Field, fields

from scripts.reference.markdown import code, page, table
from scripts.reference.source import read_classes

from job_orchestra.settings.reading import SECTIONS as SECTIONS_BY_NAME

SECTIONS = "settings/sections.py"

_INTRODUCTION = """\
`orchestra.toml`, or the file that `--settings` or `ORCHESTRA_SETTINGS` names. Every key is optional, and each has an
environment variable, which wins over the file. Relative paths are relative to the settings file. All mistakes are
told at once by every command that reads the settings; `orchestra config check` does nothing else.

In environment variables a list is written with commas, a table as JSON: `ORCHESTRA_WORKER_PROPERTIES='{"disk":
"fast"}'`.
"""

_TYPES = {
    "str": "text",
    "bool": "`true` or `false`",
    "int": "integer",
    "int | None": "integer",
    "Path": "path",
    "Path | None": "path",
    "tuple[str, ...]": "list of texts",
    "tuple[Path, ...]": "list of paths",
    "JsonObject": "table",
    "LogLevel": "`debug`, `info`, `warning` or `error`",
    "OnStop": "`keep`, `drain` or `abort`",
}

_FACTORIES = {"host_name": "name of the host", "_processors": "number of processors"}


def settings_page() -> str:
    texts = {one.name: {field.name: field.text for field in one.fields} for one in read_classes(SECTIONS)}
    return page("Settings", f"`{SECTIONS}`", _INTRODUCTION.strip(), *_sections(texts))


def _sections(texts: dict[str, dict[str, str]]) -> Iterable[str]:
    for name, section in SECTIONS_BY_NAME.items():
        yield f"## [{name}]"
        yield table(
            ("key", "type", "default", "meaning", "environment variable"),
            [
                (
                    code(field.name),
                    _TYPES[str(field.type)],
                    _default(field),
                    texts[section.__name__][field.name],
                    code(f"ORCHESTRA_{name}_{field.name}".upper()),
                )
                for field in fields(section)
            ],
        )


def _default(field: Field[object]) -> str:
    if field.default_factory is not MISSING:
        return _FACTORIES.get(getattr(field.default_factory, "__name__", ""), "")
    if isinstance(field.default, bool):
        return code(str(field.default).lower())
    return "" if field.default is None or field.default == () else code(field.default)
