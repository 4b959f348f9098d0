"""Pages to HTML: the templates' environment, with what templates may call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined, pass_context
from jinja2.defaults import DEFAULT_NAMESPACE
from jinja2.runtime import Context
from markupsafe import Markup, escape

from job_orchestra.domain.errors import Mistake
from job_orchestra.website import paths
from job_orchestra.website.page import Frame, Page
from job_orchestra.website.presentation import duration_words, elapsed, moment_words, safe_url, size_words
from job_orchestra.website.static_files import StaticFiles
from job_orchestra.website.template_checks import template_mistakes

OWN = Path(__file__).parent / "templates"
OURS = "ours"
"""`ours/run.html` is our template of that name, whatever overrides it."""
GIVEN = ("page", "frame")
"""What each template is rendered with."""


class Templates:
    """Templates of the given directories, the first of which wins, and below them our own."""

    def __init__(
        self, directories: Sequence[Path], static_files: StaticFiles, names: Mapping[str, object] | None = None
    ) -> None:
        """`names` are there in all templates, beside ours."""
        self._directories = directories
        self._names = names or {}
        own = FileSystemLoader(OWN)
        self._environment = Environment(
            loader=ChoiceLoader([PrefixLoader({OURS: own}), FileSystemLoader([*directories, OWN])]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters.update(FILTERS)
        callables: dict[str, Any] = {**self._names, **FUNCTIONS, "static": static_files.address}
        self._environment.globals.update(callables)

    def mistakes(self) -> Iterator[Mistake]:
        """Of the directories, of each template in them, and of the names."""
        for name in self._names:
            if name in FUNCTIONS or name in DEFAULT_NAMESPACE or name in {*GIVEN, "static"}:
                yield Mistake("template_names", f"{name!r} is a name that all templates have already")
        yield from template_mistakes(self._environment, self._directories)

    def render(self, page: Page, frame: Frame) -> str:
        return self._environment.get_template(page.template).render(page=page, frame=frame)

    def render_part(self, template: str, page: Page) -> str:
        """A piece of a page that is sent later than the rest."""
        return self._environment.get_template(template).render(page=page)


@pass_context
def _moment(context: Context, text: str | None) -> Markup | str:
    """A date for people, in the visitor's time zone, and, in its attribute, for programs."""
    if text is None:
        return ""
    return Markup('<time datetime="{}">{}</time>').format(text, escape(moment_words(text, context["frame"].zone.rules)))


FILTERS: Mapping[str, Callable[..., object]] = {"moment": _moment, "duration": duration_words, "size": size_words}
FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "elapsed": elapsed,
    "safe_url": safe_url,
    "project_path": paths.project_path,
    "status_path": paths.status_path,
    "job_path": paths.job_path,
    "schedule_path": paths.schedule_path,
    "run_path": paths.run_path,
    "worker_path": paths.worker_path,
    "user_path": paths.user_path,
    "with_query": paths.with_query,
}
"""For templates, ours and those of users: whoever changes one changes what users rely on."""
