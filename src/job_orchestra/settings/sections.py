"""The settings: one dataclass for each section, with its defaults. An empty URL is filled in by `derived`."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from job_orchestra.domain.audit import DEFAULT_AUDIT_DAYS
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.stopping import OnStop
from job_orchestra.settings import rules
from job_orchestra.settings.rules import ruled

LOCAL = "127.0.0.1"


def host_name() -> str:
    """The name of this host, made fit for an identifier."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", platform.node()).strip("_.-")[:64].strip("_.-") or "localhost"


def _processors() -> int:
    return os.cpu_count() or 1


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectsSettings:
    module: str = field(default="projects:projects", metadata=ruled(rules.module_attribute))
    """Module and name of the list of projects; the module is found beside the settings file first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    url: str = field(default="sqlite:///orchestra.db", metadata=ruled(rules.not_empty), repr=False)
    """`sqlite:///path` (a relative one is relative to the settings file), `postgresql://user:password@host/database`,
    `mysql://user:password@host/database` for MariaDB and MySQL, or `mongodb://user:password@host/database`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    directory: Path = Path("logs")
    """Of the logs: written by the master, read by the service."""
    compress_logs: bool = False
    """Whether the master compresses the logs of ended runs; for who reads them they stay what they are."""
    retention_days: int | None = field(default=None, metadata=ruled(rules.days))
    """Days for which runs are kept after their end, unless project or job say otherwise; default: for ever."""
    retention_count: int | None = field(default=None, metadata=ruled(rules.count))
    """How many ended runs of each job are kept, failures counted by themselves; default: all."""
    retention_failure_days: int | None = field(default=None, metadata=ruled(rules.days))
    """As retention_days, of failures; default: retention_days."""
    retention_failure_count: int | None = field(default=None, metadata=ruled(rules.count))
    """As retention_count, of failures; default: retention_count."""
    audit_days: int = field(default=DEFAULT_AUDIT_DAYS, metadata=ruled(rules.days))
    """Days for which the entries of the audit trail are kept."""
    indexed_results: tuple[str, ...] = field(default=(), metadata=ruled(rules.result_keys))
    """Keys of results by which runs are often sought, such as `tests.failed`; the same for all masters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterSettings:
    identifier: str = field(default_factory=host_name, metadata=ruled(rules.name))
    address: str = field(default=LOCAL, metadata=ruled(rules.not_empty))
    port: int = field(default=5901, metadata=ruled(rules.port))
    url: str = field(default="", metadata=ruled(rules.master_url))
    """Where workers and services reach it; default: address and port."""
    pending_expiry: int = field(default=86_400, metadata=ruled(rules.seconds))
    """Seconds after which a run that no worker took is cancelled."""
    composition: str = field(
        default="job_orchestra.composition.master:MasterComposition", metadata=ruled(rules.module_attribute)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    address: str = field(default=LOCAL, metadata=ruled(rules.not_empty))
    port: int = field(default=5902, metadata=ruled(rules.port))
    url: str = field(default="", metadata=ruled(rules.http_url))
    """Where clients reach it; default: address and port."""
    directory: Path = Path("service")
    """Of what it copies of the projects' repositories; it may be removed while the service does not run."""
    master_urls: tuple[str, ...] = field(default=(), metadata=ruled(rules.master_urls))
    """The masters that it tells of changes; default: the one of [master] url."""
    composition: str = field(
        default="job_orchestra.composition.service:ServiceComposition", metadata=ruled(rules.module_attribute)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebsiteSettings:
    address: str = field(default=LOCAL, metadata=ruled(rules.not_empty))
    port: int = field(default=5903, metadata=ruled(rules.port))
    url: str = field(default="", metadata=ruled(rules.http_url))
    """Where people reach it; default: address and port."""
    service_url: str = field(default="", metadata=ruled(rules.http_url))
    """Default: [service] url."""
    cookie_keys: Path = Path("website.keys")
    """A file with the keys of its cookies, a line each, made at the first start. Several websites under one address
    need the same. A new key comes first; an old one may go a week later."""
    composition: str = field(
        default="job_orchestra.composition.website:WebsiteComposition", metadata=ruled(rules.module_attribute)
    )
    title: str = field(default="Job Orchestra", metadata=ruled(rules.title))
    """Of all pages, and what their head begins with."""
    logo: str = ""
    """A picture before the title: the name of a file in `static_directories`."""
    announcement_file: Path | None = None
    """A file whose text stands above every page; it may come, change and go while the website runs."""
    template_directories: tuple[Path, ...] = ()
    """Templates in them go before ours of the same name; those of the first directory before those of the next."""
    static_directories: tuple[Path, ...] = ()
    """Likewise for style sheets, pictures and the like; read when the website starts."""
    external_services: JsonObject = field(default_factory=dict[str, JsonValue], metadata=ruled(rules.service_addresses))
    """Names and addresses of what people need beside it; the home page says whether each answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    identifier: str = field(default_factory=host_name, metadata=ruled(rules.name))
    directory: Path = Path("worker")
    """Of its runs and workspaces."""
    executor_limit: int = field(default_factory=_processors, metadata=ruled(rules.executors))
    """How many runs it executes at a time; default: one for each processor."""
    properties: JsonObject = field(default_factory=dict[str, JsonValue], metadata=ruled(rules.properties))
    """Added to those that it finds out about its host."""
    display_name: str = ""
    master_url: str = field(default="", metadata=ruled(rules.master_url))
    """Default: [master] url."""
    service_url: str = field(default="", metadata=ruled(rules.http_url))
    """What runs find in ORCHESTRA_SERVICE_URL; default: [service] url."""
    user: str = ""
    """Whose token it connects with."""
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    """A file that holds the token alone; read when the worker starts."""
    on_stop: OnStop = OnStop.KEEP
    """What becomes of runs when it is told to stop: they go on (`keep`), are waited for (`drain`), or end (`abort`)."""
    composition: str = field(
        default="job_orchestra.composition.worker:WorkerComposition", metadata=ruled(rules.module_attribute)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingSettings:
    level: LogLevel = LogLevel.INFO
    file: Path | None = None
    """Appended to; default: standard error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    file: Path
    """Where they were read from, absolute; it need not exist."""
    named: frozenset[str] = field(default=frozenset(), compare=False)
    """The sections that the file or the environment has, whatever is in them."""
    projects: ProjectsSettings = ProjectsSettings()
    database: DatabaseSettings = DatabaseSettings()
    storage: StorageSettings = StorageSettings()
    master: MasterSettings = field(default_factory=MasterSettings)
    service: ServiceSettings = ServiceSettings()
    website: WebsiteSettings = field(default_factory=WebsiteSettings)
    worker: WorkerSettings = field(default_factory=WorkerSettings)
    logging: LoggingSettings = LoggingSettings()

    @property
    def directory(self) -> Path:
        """Of the installation: relative paths start here."""
        return self.file.parent
