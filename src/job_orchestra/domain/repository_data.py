"""A project's repository in plain form, as a projects file has it and as it is stored with its project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

from job_orchestra.domain.checking import Mistakes, Reader, nearest
from job_orchestra.domain.git_names import flaw_of_name, flaw_of_url, is_path
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.places import Place
from job_orchestra.domain.repositories import RepositorySettings, RepositoryType

_FIELDS = ("type", "branch", "token_environment", "token_file")
_WHAT = "the URL or path of a repository, or a table with url"


def repository_to_data(repository: RepositorySettings | None) -> JsonObject | None:
    if repository is None:
        return None
    return {
        "type": repository.type,
        "url": repository.url,
        "branch": repository.branch,
        "token_environment": repository.token_environment,
        "token_file": repository.token_file,
        **repository.options,
    }


def read_repository(reader: Reader) -> RepositorySettings | None:
    if reader.value is None:
        return None
    if isinstance(reader.value, str):
        repository = RepositorySettings(reader.text())
        _check_url(reader, repository)
        return repository
    value = reader.value
    if not isinstance(value, Mapping):
        reader.expected(_WHAT)
        return None
    kind = cast("Mapping[object, object]", value).get("type", RepositoryType.GIT.value)
    known = [one.value for one in RepositoryType]
    if isinstance(kind, str) and kind and kind not in known and not nearest(kind, known):
        return _read_users(reader, kind)
    return _read_known(reader)


def read_stored_repository(reader: Reader) -> RepositorySettings | None:
    """None for what an earlier version let in, and nobody could use."""
    mistakes = Mistakes()
    repository = read_repository(Reader(reader.value, mistakes, Place()))
    return None if mistakes.has_any else repository


def _read_known(reader: Reader) -> RepositorySettings:
    table = reader.table(("url",), _FIELDS, _WHAT)
    repository = RepositorySettings(
        url=table.read("url", Reader.text, ""),
        type=table.read("type", lambda field: field.choice(RepositoryType), RepositoryType.GIT).value,
        branch=table.read("branch", _branch, None),
        token_environment=table.read("token_environment", _text_or_none, None),
        token_file=table.read("token_file", _text_or_none, None),
    )
    if repository.token_environment is not None and repository.token_file is not None:
        reader.wrong("has both token_environment and token_file, of which one says where its token is")
    if (field := table.field("url")) is not None and isinstance(field.value, str):
        _check_url(field, repository)
    return repository


def _read_users(reader: Reader, kind: str) -> RepositorySettings:
    """Of a type that the user adds: what its own keys mean is the business of its client."""
    data = reader.json_object()
    known = {
        name: Reader(data[name], reader.mistakes, reader.place.field(name))
        for name in ("url", *_FIELDS)
        if name in data
    }
    texts = {name: _text_or_none(field) for name, field in known.items() if name not in {"type", "url"}}
    return RepositorySettings(
        url=known["url"].text() if "url" in known else "",
        type=kind,
        branch=texts.get("branch"),
        token_environment=texts.get("token_environment"),
        token_file=texts.get("token_file"),
        options={name: value for name, value in data.items() if name not in known},
    )


def _check_url(reader: Reader, repository: RepositorySettings) -> None:
    if reader.value != repository.url:
        return  # it is no text, which is told already
    if flaw := flaw_of_url(repository.url) or _flaw_for(repository):
        reader.wrong(f"{_shown(repository.url)} {flaw}" if repository.url else flaw)


def _flaw_for(repository: RepositorySettings) -> str:
    """Of an address that git could be given, for the API of a host."""
    needs_http = repository.type != RepositoryType.GIT or repository.has_token
    parts = urlsplit(repository.url) if not is_path(repository.url) else None
    if needs_http and (parts is None or parts.scheme not in {"http", "https"}):
        what = f"of the type {repository.type}" if repository.type != RepositoryType.GIT else "with a token"
        return f"is no address that begins with https:// or http://, which a repository {what} has"
    if repository.type == RepositoryType.GIT or parts is None:
        return ""
    segments = [segment for segment in parts.path.split("/") if segment]
    has_groups = repository.type == RepositoryType.GITLAB
    if len(segments) < 2 or (len(segments) > 2 and not has_groups):
        return "is not the address of a repository's page, such as https://host/owner/name"
    return ""


def _shown(url: str) -> str:
    """Without what may be a password: mistakes are logged."""
    before, at, behind = url.rpartition("@")
    scheme, separator, _ = before.partition("://")
    return repr(f"{scheme}://…@{behind}" if at and separator else url)


def _branch(reader: Reader) -> str | None:
    if reader.value is None:
        return None
    name = reader.text()
    if isinstance(reader.value, str) and (flaw := flaw_of_name(name)):
        reader.wrong(f"{name!r} {flaw}" if name else flaw)
    return name


def _text_or_none(reader: Reader) -> str | None:
    if reader.value is None:
        return None
    if reader.value == "":
        reader.wrong("is empty")
    return reader.text()
