"""The page of the website's templates: their blocks, and what they are given, from the templates and their pages."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator

from jinja2 import Environment, nodes
from scripts.reference.markdown import code, page, table
from scripts.reference.source import SourceField, one_line, read_classes

from job_orchestra.website.page import Page
from job_orchestra.website.rendering import FILTERS, FUNCTIONS, OWN
from job_orchestra.website.routes import ROUTES

PAGE = "website/page.py"
_MACROS = ("parts.html", "pictures.html")
_MODULES = {"job_orchestra.website.errors", *(route.handler.__module__ for route in ROUTES)}
"""Those that have pages."""
_LINKED = re.compile(r"\w+Answer")

_INTRODUCTION = """\
What a template that overrides one of ours, or a page of one's own, may rely on; how that is done stands in
[a website of one's own](../customizing.md). A block that is in another one is indented. Each template has `page`, whose
fields are listed with it, and `frame`. What else stands in our templates may change with any version: a block that
overrides one of ours imports and sets for itself what it uses.
"""


def templates_page() -> str:
    return page(
        "Templates",
        "`website/templates/`, `website/pages/` and `website/rendering.py`",
        _INTRODUCTION.strip(),
        "## Frame",
        "What is around every page.",
        _fields(_class_fields(PAGE, "Frame")),
        "## Functions and filters",
        table(("in a template", "meaning"), _callables()),
        "## Macros",
        *_macros(),
        "## Templates and their blocks",
        *_templates(),
    )


def _callables() -> Iterator[tuple[str, str]]:
    yield code("static(name)"), "The address of a static file."
    for name, function in FUNCTIONS.items():
        yield code(f"{name}{_arguments(function)}"), _meaning(function)
    for name, function in FILTERS.items():
        yield code(f"value|{name}"), _meaning(function)


def _arguments(function: object) -> str:
    parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    return f"({', '.join(('**' if one.kind is one.VAR_KEYWORD else '') + one.name for one in parameters)})"


def _meaning(function: object) -> str:
    return one_line(inspect.getdoc(function) or "")


def _macros() -> Iterator[str]:
    for template in _MACROS:
        name = template.removesuffix(".html")
        suffix = " with context" if template == "parts.html" else ""
        macros = [f"{name}.{one.name}({_signature(one)})" for one in _parsed(template).find_all(nodes.Macro)]
        yield f'{code(f"""{{% import "{template}" as {name}{suffix} %}}""")}: {", ".join(map(code, macros))}.'


def _signature(macro: nodes.Macro) -> str:
    required = len(macro.args) - len(macro.defaults)
    return ", ".join(one.name + ("=…" if place >= required else "") for place, one in enumerate(macro.args))


def _templates() -> Iterator[str]:
    by_template = {one.template: one for one in _pages(Page)}
    for file in sorted(OWN.glob("*.html")):
        blocks = list(_blocks(_parsed(file.name), 0))
        shown = by_template.get(file.name)
        if not blocks and shown is None:
            continue
        yield f"### {file.name}"
        if blocks:
            yield "\n".join(f"{'  ' * depth}- {code(name)}" for name, depth in blocks)
        if shown is not None:
            yield _fields(_fields_of(shown))


def _pages(of: type[Page]) -> Iterator[type[Page]]:
    for page_class in of.__subclasses__():
        if page_class.__module__ in _MODULES:
            yield page_class
            yield from _pages(page_class)


def _fields_of(page_class: type[Page]) -> Iterable[SourceField]:
    path = page_class.__module__.removeprefix("job_orchestra.").replace(".", "/") + ".py"
    return _class_fields(path, page_class.__name__)


def _class_fields(path: str, name: str) -> Iterable[SourceField]:
    found = next(one for one in read_classes(path) if one.name == name)
    return [field for field in found.fields if not field.annotation.startswith("ClassVar")]


def _fields(fields: Iterable[SourceField]) -> str:
    return table(("field", "type", "meaning"), [(code(one.name), _type(one.annotation), one.text) for one in fields])


def _type(annotation: str) -> str:
    """Where it holds answers of the HTTP API, with links to their tables."""
    links = sorted(set(_LINKED.findall(annotation)))
    return " ".join([code(annotation), *(f"[{name}](http-api.md#{name.lower()})" for name in links)])


def _blocks(node: nodes.Node, depth: int) -> Iterator[tuple[str, int]]:
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Block):
            yield child.name, depth
            yield from _blocks(child, depth + 1)
        else:
            yield from _blocks(child, depth)


def _parsed(template: str) -> nodes.Template:
    return Environment(autoescape=True).parse((OWN / template).read_text())
