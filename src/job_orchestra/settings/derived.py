"""Defaults that follow from other settings, and paths that follow from where the file is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from job_orchestra.settings.sections import LOCAL, Settings, host_name


def complete(settings: Settings) -> Settings:
    """Every URL filled in, every path absolute."""
    master_url = settings.master.url or _url("ws", settings.master.address, settings.master.port)
    service_url = settings.service.url or _url("http", settings.service.address, settings.service.port)
    website_url = settings.website.url or _url("http", settings.website.address, settings.website.port)
    base = settings.directory
    return replace(
        settings,
        storage=replace(settings.storage, directory=base / settings.storage.directory),
        master=replace(settings.master, url=master_url),
        service=replace(
            settings.service,
            url=service_url,
            directory=base / settings.service.directory,
            master_urls=settings.service.master_urls or ((master_url,) if master_url else ()),
        ),
        website=replace(
            settings.website,
            url=website_url,
            service_url=settings.website.service_url or service_url,
            announcement_file=_from(base, settings.website.announcement_file),
            template_directories=tuple(base / path for path in settings.website.template_directories),
            static_directories=tuple(base / path for path in settings.website.static_directories),
            cookie_keys=base / settings.website.cookie_keys,
        ),
        worker=replace(
            settings.worker,
            directory=base / settings.worker.directory,
            token_file=_from(base, settings.worker.token_file),
            master_url=settings.worker.master_url or master_url,
            service_url=settings.worker.service_url or service_url,
        ),
        logging=replace(settings.logging, file=_from(base, settings.logging.file)),
    )


def _url(scheme: str, address: str, port: int) -> str:
    """Empty while nobody knows the port."""
    return f"{scheme}://{_reachable(address)}:{port}" if port else ""


def _from(base: Path, path: Path | None) -> Path | None:
    return None if path is None else base / path


def _reachable(address: str) -> str:
    """An address to connect to, for one to listen on."""
    if address in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not listened on
        return host_name()
    if address == "localhost":
        return LOCAL
    return f"[{address}]" if ":" in address else address
