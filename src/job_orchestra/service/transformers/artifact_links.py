from __future__ import annotations

from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.runs import Run
from job_orchestra.service.transformers.link_template import LinkTemplate

_FIELDS = frozenset({"project", "job", "run", "path"})


class ArtifactLinks:
    """Gives each of `artifacts` that has a `path` a `url`, if it has none.

    So results stay small, and links follow when the artifacts move to another server.
    """

    name = "artifact links"

    def __init__(self, template: str) -> None:
        self._template = LinkTemplate(template, _FIELDS)

    def transform(self, run: Run, results: JsonObject) -> JsonObject:
        artifacts = results.get("artifacts")
        for artifact in artifacts if isinstance(artifacts, list) else ():
            if isinstance(artifact, dict) and isinstance(path := artifact.get("path"), str) and path:
                artifact.setdefault("url", self._link(run, path))
        return results

    def _link(self, run: Run, path: str) -> str:
        request = run.request
        return self._template.fill(project=request.project, job=request.job, run=run.identifier, path=path)
