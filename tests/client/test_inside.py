"""What a program inside a run uses."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from job_orchestra.client.inside import OutsideRun, results, save_results, this_run


def save(key: str) -> None:
    save_results({key: 1})


def test_results_are_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "results.json"
    monkeypatch.setenv("ORCHESTRA_RESULT_FILE", str(file))
    assert results() == {}
    save_results({"tests": {"failed": 1}, "size": 3})
    save_results({"tests": {"failed": 0}})
    assert json.loads(file.read_text()) == results() == {"tests": {"failed": 0}, "size": 3}
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_no_json_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRA_RESULT_FILE", str(tmp_path / "results.json"))
    save_results({"a": 1})
    for wrong in (float("nan"), object()):
        with pytest.raises((ValueError, TypeError)):
            save_results({"b": wrong})
    assert results() == {"a": 1}


def test_programs_of_one_run_may_save_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRA_RESULT_FILE", str(tmp_path / "results.json"))
    keys = [str(number) for number in range(40)]
    with ProcessPoolExecutor(4, get_context("spawn")) as pool:
        list(pool.map(save, keys))
    assert results() == dict.fromkeys(keys, 1)


def test_the_environment_says_which_run_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORCHESTRA_PROJECT", raising=False)
    with pytest.raises(OutsideRun, match="ORCHESTRA_PROJECT"):
        this_run()
    for name in ("PROJECT", "JOB", "RUN", "SERVICE_URL"):
        monkeypatch.setenv(f"ORCHESTRA_{name}", name.lower())
    monkeypatch.setenv("ORCHESTRA_ATTEMPT", "2")
    assert (this_run().run, this_run().attempt) == ("run", 2)


def test_it_imports_the_standard_library_only() -> None:
    program = (
        "import sys; before = set(sys.modules); import job_orchestra.client.inside; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert set(output.split()) - set(sys.stdlib_module_names) == {"job_orchestra"}
