"""The units of systemd that are shipped: systemd takes them, and they keep what the documentation promises."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

_UNITS = Path(__file__).parents[2] / "packaging" / "systemd"
_APPLICATIONS = ("master", "service", "website", "worker")
_COMMAND = "/srv/orchestra/.venv/bin/orchestra"


def unit(application: str) -> Path:
    return _UNITS / f"job-orchestra-{application}.service"


def settings(application: str, of: str = "[Service]") -> dict[str, list[str]]:
    """Of that section."""
    found: dict[str, list[str]] = defaultdict(list)
    section = ""
    for line in unit(application).read_text().splitlines():
        if line.startswith("["):
            section = line
        elif section == of and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found[name].append(value)
    return found


def test_there_is_one_for_each_application() -> None:
    assert sorted(path.name for path in _UNITS.iterdir()) == [unit(name).name for name in _APPLICATIONS]


@pytest.mark.parametrize("application", _APPLICATIONS)
def test_systemd_takes_it(application: str, tmp_path: Path) -> None:
    """Every line, without a warning."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is part of systemd, which is not here")
    # The verification looks for the program as well.
    path = tmp_path / unit(application).name
    path.write_text(unit(application).read_text().replace(_COMMAND, "/bin/true"))
    done = subprocess.run([analyze, "verify", "--man=no", path], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if path.name in line]
    assert complaints == []


@pytest.mark.parametrize("application", _APPLICATIONS)
def test_what_all_of_them_have(application: str) -> None:
    found = settings(application)
    assert found["ExecStart"] == [f"{_COMMAND} {application}"]
    assert found["Type"] == ["notify"]
    assert found["Restart"] == ["on-failure"]
    # The start of the host waits for no unit that waits for something itself.
    assert "TimeoutStartSec" not in found
    assert found["User"] == ["orchestra"]
    # Five failures within ten seconds would be the last ones.
    assert settings(application, "[Unit]")["StartLimitIntervalSec"] == ["0"]


def test_runs_survive_the_end_of_their_worker() -> None:
    found = settings("worker")
    assert found["KillMode"] == ["process"]
    assert found["OOMPolicy"] == ["continue"]
    assert found["LimitNOFILE"] == ["1024:524288"]
    # Each of these would hold for the commands of jobs, or end with the unit while runs go on.
    for name in ("NoNewPrivileges", "ProtectSystem", "PrivateTmp", "RuntimeDirectory", "DynamicUser"):
        assert name not in found


@pytest.mark.parametrize("application", ["master", "service", "website"])
def test_the_others_may_do_no_more_than_they_have_to(application: str) -> None:
    found = settings(application)
    assert found["NoNewPrivileges"] == ["yes"]
    assert found["ProtectSystem"] == ["strict"]
    assert found["LimitNOFILE"] == ["524288"]
    assert "KillMode" not in found


def test_the_documentation_names_them() -> None:
    text = (_UNITS.parents[1] / "docs" / "operating.md").read_text()
    assert "packaging/systemd" in text
    assert "KillMode=process" in text
