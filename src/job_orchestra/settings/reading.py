"""Reads the settings file and the environment. Environment variables win over the file, the file over the defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast, get_type_hints

from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.domain.similarity import most_similar
from job_orchestra.settings.conversion import WrongType, from_environment, from_toml
from job_orchestra.settings.derived import complete
from job_orchestra.settings.rules import RULE
from job_orchestra.settings.sections import Settings
from job_orchestra.settings.toml_text import parse_toml

DEFAULT_FILE = "orchestra.toml"
PREFIX = "ORCHESTRA_"

SECTIONS: Mapping[str, type[Any]] = {
    name: section for name, section in get_type_hints(Settings).items() if name not in {"file", "named"}
}


def load_settings(file: Path, environment: Mapping[str, str], *, must_exist: bool = False) -> Settings:
    """Invalid with every mistake, each at its place; a file that does not exist is like an empty one unless it must."""
    settings, mistakes = examine_settings(file, environment, must_exist=must_exist)
    if mistakes:
        raise Invalid(mistakes)
    return settings


def examine_settings(
    file: Path, environment: Mapping[str, str], *, must_exist: bool = False
) -> tuple[Settings, list[Mistake]]:
    """The settings with defaults in place of what is wrong, for who wants to find further mistakes elsewhere."""
    file = file.absolute()
    mistakes: list[Mistake] = []
    given = {name: _Given() for name in SECTIONS}
    _take_file(file, must_exist, given, mistakes)
    _take_environment(environment, given, mistakes)
    sections = {name: _build(SECTIONS[name], given[name], mistakes) for name in SECTIONS}
    named = frozenset(name for name in SECTIONS if given[name].is_named)
    return complete(Settings(file=file, named=named, **sections)), mistakes


@dataclass
class _Given:
    """Values of one section, each with the place where it was written."""

    values: dict[str, object] = field(default_factory=dict[str, object])
    places: dict[str, str] = field(default_factory=dict[str, str])
    is_named: bool = False


def _take_file(file: Path, must_exist: bool, given: dict[str, _Given], mistakes: list[Mistake]) -> None:
    for name, section in _parse(file, must_exist, mistakes).items():
        place = f"{file.name}: [{name}]"
        if name not in SECTIONS:
            mistakes.append(Mistake(place, f"there is no such section; {_nearest(name, SECTIONS)}"))
        elif not isinstance(section, dict):
            mistakes.append(Mistake(f"{file.name}: {name}", f"is a section: write [{name}] on a line of its own"))
        else:
            _take_section(name, cast("dict[str, object]", section), place, given[name], mistakes)


def _parse(file: Path, must_exist: bool, mistakes: list[Mistake]) -> dict[str, object]:
    try:
        return parse_toml(file.read_bytes().decode())
    except FileNotFoundError:
        if must_exist:
            mistakes.append(
                Mistake(str(file), "there is no such file; `orchestra init DIRECTORY` makes an installation")
            )
    except OSError as error:
        mistakes.append(Mistake(str(file), f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError:
        mistakes.append(Mistake(str(file), "is not text in UTF-8"))
    except ValueError as error:
        mistakes.append(Mistake(file.name, f"is not TOML: {error}"))
    return {}


def _take_section(name: str, section: Mapping[str, object], place: str, given: _Given, mistakes: list[Mistake]) -> None:
    given.is_named = True
    types = get_type_hints(SECTIONS[name])
    for key, value in section.items():
        if key not in types:
            mistakes.append(Mistake(f"{place} {key}", f"there is no such setting; {_nearest(key, types)}"))
            continue
        try:
            given.values[key] = from_toml(types[key], value)
            given.places[key] = f"{place} {key}"
        except WrongType as error:
            mistakes.append(Mistake(f"{place} {key}", str(error)))


def _take_environment(environment: Mapping[str, str], given: dict[str, _Given], mistakes: list[Mistake]) -> None:
    for variable, section, key in _variables(environment):
        given[section].is_named = True
        types = get_type_hints(SECTIONS[section])
        if key not in types:
            known = [PREFIX + f"{section}_{name}".upper() for name in types]
            mistakes.append(Mistake(variable, f"there is no such setting; {_nearest(variable, known)}"))
            continue
        try:
            given[section].values[key] = from_environment(types[key], environment[variable])
            given[section].places[key] = variable
        except WrongType as error:
            mistakes.append(Mistake(variable, str(error)))


def _variables(environment: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Those that name a section: variable, section, key."""
    for variable in sorted(environment):
        section, separator, key = variable.removeprefix(PREFIX).lower().partition("_")
        if variable.startswith(PREFIX) and separator and section in SECTIONS:
            yield variable, section, key


def _build(section: type[Any], given: _Given, mistakes: list[Mistake]) -> Any:
    values = dict(given.values)
    for one in fields(section):
        rule = one.metadata.get(RULE)
        wrong = rule(values[one.name]) if rule and one.name in values else None
        if wrong:
            mistakes.append(Mistake(given.places[one.name], f"{values.pop(one.name)!r} will not do: {wrong}"))
    return section(**values)


def _nearest(name: str, known: Mapping[str, Any] | list[str]) -> str:
    close = most_similar(name, known)
    return f"did you mean {close}?" if close else f"there are {', '.join(known)}"
