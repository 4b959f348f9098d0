from __future__ import annotations

from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.runs import Run
from job_orchestra.service.transformers.link_template import LinkTemplate

_FIELDS = frozenset({"project", "revision"})


class RevisionLinks:
    """Gives `revision_control` a `url` where it has a `revision` and none.

    GitHub, Gitea and Forgejo: `https://…/{project}/commit/{revision}`; GitLab: `https://…/{project}/-/commit/{revision}`.
    """

    name = "revision links"

    def __init__(self, template: str) -> None:
        self._template = LinkTemplate(template, _FIELDS)

    def transform(self, run: Run, results: JsonObject) -> JsonObject:
        control = results.get("revision_control")
        if isinstance(control, dict) and isinstance(revision := control.get("revision"), str) and revision:
            control.setdefault("url", self._template.fill(project=run.request.project, revision=revision))
        return results
