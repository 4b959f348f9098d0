"""Where the working directories of runs are: `<worker directory>/workspaces/`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from job_orchestra.execution.run_directory import run_name
from job_orchestra.protocol.run_key import RunKey

WORKSPACES = "workspaces"
MIRRORS = "mirrors"
"""Beside them: copies of repositories, which runs share."""


@lru_cache
def job_workspace(workspaces: Path, project: str, job: str) -> Path:
    return workspaces / "job" / project / job


@lru_cache
def project_workspace(workspaces: Path, project: str) -> Path:
    return workspaces / "project" / project


def run_workspaces(workspaces: Path) -> Path:
    return workspaces / "run"


def run_workspace(workspaces: Path, key: RunKey) -> Path:
    """Of one attempt alone, and removed with its end."""
    return run_workspaces(workspaces) / run_name(key)


@lru_cache
def lock_path(workspaces: Path, workspace: Path) -> Path:
    """Beside the workspace, which commands may remove."""
    return workspaces / "locks" / workspace.relative_to(workspaces)
