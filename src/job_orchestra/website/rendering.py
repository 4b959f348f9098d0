"""Pages to HTML: the templates' environment, with what templates may call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from job_orchestra.website import paths
from job_orchestra.website.page import Frame, Page
from job_orchestra.website.presentation import duration_words, elapsed, moment_words, size_words
from job_orchestra.website.static_files import StaticFiles

_OWN = Path(__file__).parent / "templates"


class Templates:
    """Templates of the given directories, the first of which wins, and below them our own."""

    def __init__(self, directories: Sequence[Path], static_files: StaticFiles) -> None:
        self._environment = Environment(
            loader=FileSystemLoader([*directories, _OWN]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        filters: dict[str, Any] = {"moment": _moment, "duration": duration_words, "size": size_words}
        self._environment.filters.update(filters)
        callables: dict[str, Any] = {
            "static": static_files.address,
            "elapsed": elapsed,
            "project_path": paths.project_path,
            "status_path": paths.status_path,
            "job_path": paths.job_path,
            "schedule_path": paths.schedule_path,
            "run_path": paths.run_path,
            "worker_path": paths.worker_path,
            "with_query": paths.with_query,
        }
        self._environment.globals.update(callables)

    def render(self, page: Page, frame: Frame) -> str:
        return self._environment.get_template(page.template).render(page=page, frame=frame)

    def render_part(self, template: str, page: Page) -> str:
        """A piece of a page that is sent later than the rest."""
        return self._environment.get_template(template).render(page=page)


def _moment(text: str | None) -> Markup | str:
    """A date for people and, in its attribute, for programs."""
    if text is None:
        return ""
    return Markup('<time datetime="{}">{}</time>').format(text, escape(moment_words(text)))
