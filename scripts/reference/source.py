"""What a module's source says of its classes and their fields, texts below the fields included."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "src" / "job_orchestra"


@dataclass(frozen=True, slots=True)
class SourceField:
    name: str
    annotation: str
    default: str | None
    """As it is written; None if there is none."""
    text: str


@dataclass(frozen=True, slots=True)
class SourceClass:
    name: str
    bases: tuple[str, ...]
    keywords: dict[str, str]
    """Of the class statement: `tag="hello"`."""
    text: str
    fields: tuple[SourceField, ...]


def read_classes(path: str) -> list[SourceClass]:
    """The classes of a module of the package, in their order."""
    module = ast.parse((SOURCES / path).read_text())
    return [_class(node) for node in module.body if isinstance(node, ast.ClassDef)]


def module_text(path: str) -> str:
    return one_line(ast.get_docstring(ast.parse((SOURCES / path).read_text())) or "")


def one_line(text: str) -> str:
    return " ".join(text.split())


def _class(node: ast.ClassDef) -> SourceClass:
    return SourceClass(
        name=node.name,
        bases=tuple(ast.unparse(base) for base in node.bases),
        keywords={item.arg: str(ast.literal_eval(item.value)) for item in node.keywords if item.arg},
        text=one_line(ast.get_docstring(node) or ""),
        fields=tuple(_fields(node)),
    )


def _fields(node: ast.ClassDef) -> list[SourceField]:
    fields: list[SourceField] = []
    for statement, following in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            default = ast.unparse(statement.value) if statement.value else None
            fields.append(
                SourceField(statement.target.id, ast.unparse(statement.annotation), default, _text(following))
            )
    return fields


def _text(statement: ast.stmt | None) -> str:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return one_line(str(statement.value.value))
    return ""
