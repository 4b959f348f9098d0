from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.declarations import Element, Job, Parameter, Pipeline, Project, Schedule
from job_orchestra.domain.queries.parsing import parse_expression
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.settings.reading import load_settings
from tests.documents.markdown import DOCUMENTS, ROOT, Document

ARCHITECTURE = Document(ROOT / "ARCHITECTURE.md")
CONCEPTS = Document(ROOT / "docs" / "concepts.md")
QUERIES = Document(ROOT / "docs" / "queries.md")
PROJECTS_FILE = Document(ROOT / "docs" / "projects-file.md")

CODE = [
    pytest.param(document, block.text, id=f"{document}-{number}")
    for document in DOCUMENTS
    for number, block in enumerate(document.blocks)
    if block.language == "python"
]
TOML = [
    pytest.param(block.text, id=f"{document}-{number}")
    for document in DOCUMENTS
    for number, block in enumerate(document.blocks)
    if block.language == "toml"
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Document) -> None:
    for link in document.links:
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = Document((document.path.parent / name).resolve() if name else document.path)
        assert target.path.exists(), f"{document}: there is no {link}"
        if anchor:
            assert anchor in target.anchors, f"{document}: {target} has no heading {anchor}"


@pytest.mark.parametrize("document", [one for one in DOCUMENTS if one.path.parent.name != "reference"], ids=str)
def test_files_that_are_named_exist(document: Document) -> None:
    """`storage/port.py`, wherever it stands, is a file of the package or the repository."""
    package = ROOT / "src" / "job_orchestra"
    roots = (package, ROOT, document.path.parent, *package.glob("[a-z]*/"))
    for name in re.findall(r"`([a-z_]+/[a-z_/]*(?:\.py)?)(?:: \w+)?`", document.prose):
        assert any((root / name).exists() for root in roots), f"{document}: there is no {name}"


@pytest.mark.parametrize(("document", "text"), CODE)
def test_python_code_is_what_it_says(document: Document, text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    names: dict[str, Any] = {"__file__": str(tmp_path_factory.mktemp("installation") / "projects.py")}
    if "projects.toml" in text:
        plain = next(block.text for block in document.blocks if "[[projects]]" in block.text)
        (tmp_path_factory.getbasetemp() / "installation0" / "projects.toml").write_text(plain)
        names["__file__"] = str(tmp_path_factory.getbasetemp() / "installation0" / "projects.py")
    if "save_results" in text:
        compile(text, str(document), "exec")
        return
    exec(compile(text, str(document), "exec"), names)
    if "projects" in names:
        assert parse_projects(names["projects"])


@pytest.mark.parametrize("text", TOML)
def test_toml_is_what_it_says(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    if "[[projects]]" in text:
        assert parse_projects(tomllib.loads(text)["projects"])
        return
    file = tmp_path_factory.mktemp("settings") / "orchestra.toml"
    file.write_text(text)
    assert load_settings(file, {}, must_exist=True).file == file


def test_the_plain_projects_mean_the_same_as_the_declared_ones() -> None:
    plain = next(block.text for block in PROJECTS_FILE.blocks if block.language == "toml")
    declared = next(block.text for block in PROJECTS_FILE.blocks if block.language == "python")
    names: dict[str, Any] = {}
    exec(declared, names)
    assert parse_projects(tomllib.loads(plain)["projects"]) == parse_projects(names["projects"])


@pytest.mark.parametrize("declaration", [Project, Job, Pipeline, Element, Schedule, Parameter])
def test_every_field_of_a_projects_file_is_documented(declaration: type) -> None:
    for name in declaration.__annotations__:
        assert name == "_" or f"`{name}`" in PROJECTS_FILE.text, f"{declaration.__name__}.{name} is not documented"


def test_every_package_is_on_the_map() -> None:
    packages = [path.parent for path in (ROOT / "src" / "job_orchestra").glob("*/__init__.py")]
    for package in packages:
        assert f"| `{package.name}/` |" in ARCHITECTURE.text, f"{package.name} is not on the map"


def test_entry_files_on_the_map_exist() -> None:
    rows = re.findall(r"^\| `([a-z_/]+)/` \| .* \| (.*) \|$", ARCHITECTURE.text, re.MULTILINE)
    assert len(rows) > 10
    for package, files in rows:
        for file in re.findall(r"`([^`]+)`", files):
            assert (ROOT / "src" / "job_orchestra" / package / file).exists(), f"{package} has no {file}"


def test_the_architecture_stays_short() -> None:
    assert len(ARCHITECTURE.text.splitlines()) <= 250


def test_pages_of_the_site_are_all_in_its_contents() -> None:
    contents = re.findall(r"- (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert set(contents) == pages
    assert len(contents) == len(pages)


def test_every_dependency_is_explained() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for requirement in project["project"]["dependencies"]:
        name = re.match(r"[\w-]+", requirement)
        assert name and f"| {name[0]} |" in text, f"{requirement} is not in docs/dependencies.md"
    for requirement in project["dependency-groups"]["development"]:
        name = re.match(r"[\w-]+", requirement)
        assert name and name[0] in text, f"{requirement} is not in docs/dependencies.md"


def test_every_reason_is_documented() -> None:
    rows = [line.partition(" | ")[0] for line in CONCEPTS.prose.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(ReasonCode)


def test_the_examples_of_queries_are_expressions() -> None:
    rows = re.findall(r"^\| [^|]+ \| (`(?:results|parameters)\..*`) \|$", QUERIES.path.read_text(), re.MULTILINE)
    examples = [example for row in rows for example in re.findall(r"`([^`]+)`", row)]
    assert len(examples) > 5
    for example in examples:
        assert str(parse_expression(example))
