"""Whether templates that override ours can work: told at the start, not to the visitor who comes first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, TemplateNotFound, TemplateSyntaxError, meta, nodes

from job_orchestra.domain.errors import Mistake
from job_orchestra.domain.similarity import most_similar

PLACE = "[website] template_directories"


def template_mistakes(environment: Environment, directories: Sequence[Path]) -> Iterator[Mistake]:
    """Of directories that are not there, and of each template in the others."""
    for directory in directories:
        if not directory.is_dir():
            yield Mistake(PLACE, f"{directory} is no directory")
            continue
        for file in sorted(directory.rglob("*.html")):
            yield from _mistakes_of(environment, file, file.relative_to(directory).as_posix())


def _mistakes_of(environment: Environment, file: Path, name: str) -> Iterator[Mistake]:
    try:
        source = file.read_text(encoding="utf-8")
        environment.compile(source, name, str(file))
        tree = environment.parse(source, name, str(file))
    except TemplateSyntaxError as error:
        yield Mistake(f"{file}:{error.lineno}", error.message or "is no template")
    except UnicodeDecodeError:
        yield Mistake(str(file), "is not text in UTF-8")
    except OSError as error:
        yield Mistake(str(file), f"cannot be read: {error.strerror}")
    else:
        yield from _missing_templates(environment, tree, file)
        yield from _mistakes_of_descent(environment, tree, file, name)


def _missing_templates(environment: Environment, tree: nodes.Template, file: Path) -> Iterator[Mistake]:
    known = environment.list_templates()
    for named in meta.find_referenced_templates(tree):
        if named is not None and named not in known:
            close = most_similar(named, known)
            yield Mistake(str(file), f"there is no template {named!r}" + (f"; did you mean {close}?" if close else ""))


def _mistakes_of_descent(environment: Environment, tree: nodes.Template, file: Path, name: str) -> Iterator[Mistake]:
    """A template that extends itself has no end; a block that nothing above it has is shown nowhere."""
    descent = _descent(environment, tree, name)
    if descent.is_endless:
        yield Mistake(str(file), f"extends itself; our template of this name is 'ours/{name}'")
    if not descent.is_known:
        return
    for block in _outer_blocks(tree):
        if block.name not in descent.blocks:
            close = most_similar(block.name, descent.blocks)
            hint = f"did you mean {close}?" if close else f"there are {', '.join(sorted(descent.blocks))}"
            message = f"the block {block.name!r} is in no template that this one extends; {hint}"
            yield Mistake(f"{file}:{block.lineno}", message)


@dataclass
class _Descent:
    """Of a template from those that it extends."""

    blocks: set[str] = field(default_factory=set[str])
    is_known: bool = True
    """Whether all of them, and at least one, are known before the template is rendered."""
    is_endless: bool = False


def _descent(environment: Environment, tree: nodes.Template, name: str) -> _Descent:
    descent, seen = _Descent(), {name}
    extended = _extended(tree)
    descent.is_known = extended is not None
    while extended is not None:
        if extended in seen:
            return _Descent(is_known=False, is_endless=extended == name)
        seen.add(extended)
        try:
            parent = _parsed(environment, extended)
        except (TemplateNotFound, TemplateSyntaxError, UnicodeDecodeError):
            return _Descent(is_known=False)  # told of that template
        descent.blocks.update(block.name for block in parent.find_all(nodes.Block))
        if parent.find(nodes.Extends) is not None and _extended(parent) is None:
            return _Descent(is_known=False)
        extended = _extended(parent)
    return descent


def _extended(tree: nodes.Template) -> str | None:
    """The name of the template that it extends, if it is the same at each rendering."""
    found = tree.find(nodes.Extends)
    if found is None or not isinstance(found.template, nodes.Const):
        return None
    return str(found.template.value)


def _outer_blocks(node: nodes.Node) -> Iterator[nodes.Block]:
    """Those that are in no other block of the template."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Block):
            yield child
        else:
            yield from _outer_blocks(child)


def _parsed(environment: Environment, name: str) -> nodes.Template:
    if environment.loader is None:
        raise TemplateNotFound(name)
    source, filename, _ = environment.loader.get_source(environment, name)
    return environment.parse(source, name, filename)
