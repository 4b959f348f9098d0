"""What can be asked of a run. `str` writes an expression so that it can be read again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from job_orchestra.domain.queries.paths import Path

Literal: TypeAlias = "None | bool | int | float | str"


class Comparison(StrEnum):
    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="


@dataclass(frozen=True, slots=True)
class Compared:
    path: Path
    comparison: Comparison
    value: Literal

    def __str__(self) -> str:
        return f"{self.path} {self.comparison} {_written(self.value)}"


@dataclass(frozen=True, slots=True)
class OneOf:
    path: Path
    values: tuple[Literal, ...]

    def __str__(self) -> str:
        return f"{self.path} in ({', '.join(map(_written, self.values))})"


@dataclass(frozen=True, slots=True)
class Exists:
    path: Path

    def __str__(self) -> str:
        return f"{self.path} exists"


@dataclass(frozen=True, slots=True)
class Contains:
    path: Path
    text: str

    def __str__(self) -> str:
        return f"{self.path} contains {_written(self.text)}"


@dataclass(frozen=True, slots=True)
class StartsWith:
    path: Path
    text: str

    def __str__(self) -> str:
        return f"{self.path} starts with {_written(self.text)}"


Condition: TypeAlias = Compared | OneOf | Exists | Contains | StartsWith


@dataclass(frozen=True, slots=True)
class Not:
    inner: Expression

    def __str__(self) -> str:
        return f"not {_grouped(self.inner)}"


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        return " and ".join(map(_grouped, self.parts))


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        return " or ".join(map(_grouped, self.parts))


Expression: TypeAlias = Condition | Not | And | Or


def _grouped(part: Expression) -> str:
    return f"({part})" if isinstance(part, And | Or) else str(part)


def _written(value: Literal) -> str:
    return json.dumps(value, ensure_ascii=False)
