"""The selector of the documents, as a user writes it and names it in the settings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from job_orchestra.composition.loading import load_composition
from job_orchestra.composition.master import MasterComposition
from job_orchestra.composition.records import RecordsComposition
from job_orchestra.composition.service import ServiceComposition
from job_orchestra.domain.definitions import CommandsDefinition
from job_orchestra.domain.explanation import Situation, explain
from job_orchestra.domain.placement import Candidate
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.workers import Worker, WorkerDescription
from job_orchestra.settings.reading import load_settings
from tests.composition.test_users_code import directory as directory
from tests.documents.markdown import ROOT, Document

NOW = datetime(2026, 11, 26, tzinfo=UTC)
RUN = Run("7", RunRequest("p", "j", CommandsDefinition(())), Source(SourceKind.USER, "eve"), NOW)


@pytest.mark.parametrize(("application", "base"), [("master", MasterComposition), ("service", ServiceComposition)])
def test_a_selector_of_ones_own_decides_and_explains(
    directory: Path, application: str, base: type[RecordsComposition]
) -> None:
    blocks = Document(ROOT / "docs" / "worker-selection.md").blocks
    code = next(block.text for block in blocks if "OurSelector" in block.text and block.language == "python")
    toml = next(block.text for block in blocks if "OurMaster" in block.text and block.language == "toml")
    (directory / "our_selection.py").write_text(code)
    (directory / "orchestra.toml").write_text(toml)
    settings = load_settings(directory / "orchestra.toml", {})
    selector = load_composition(application, base, settings).worker_selector
    ours, theirs = Candidate("ours", {"team": "p"}, 4, 0), Candidate("theirs", {"team": "q"}, 4, 0)
    busier = replace(ours, identifier="busier", active=2)
    chosen = selector.select(RUN, [ours, theirs, busier])
    assert chosen is not None
    assert chosen.identifier == "busier"
    description = WorkerDescription("1", properties=theirs.properties)
    worker = Worker("theirs", "eve", "i", description, NOW, is_connected=True)
    found = explain(Situation(RUN, None, [worker], [[]], NOW), selector)
    assert found.workers[0].sentences == ("takes runs of project q only",)
    assert found.is_impossible
