"""What a run's commands do, and what the run becomes."""

from __future__ import annotations

import re
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from job_orchestra.domain.definitions import Workspace
from job_orchestra.domain.jobs import RunLimits
from job_orchestra.domain.json import JsonObject
from job_orchestra.execution.host_messages import ExecuteRun
from tests.executor.hosting import Host, commands, hosting


def test_a_run_that_succeeds(host: Host) -> None:
    ended = host.execute(commands("echo one", ["echo", "two words"]))
    assert ended.outcome == ("succeeded", "completed")
    assert ended.outputs() == [b"one\n", b"two words\n"]
    kinds = [event.kind for event in ended.events]
    assert kinds == ["started", *["command_started", "command_ended"] * 2, "ended"]
    assert ended.of("command_started")[1]["arguments"] == ["echo", "two words"]


def test_the_log_tells_the_whole_story(host: Host) -> None:
    lines = host.execute(commands("printf 'no newline'", "exit 7")).log.decode().splitlines()
    assert lines[0].startswith("[orchestra] Job Orchestra ")
    assert f"run {host.prefix}-1, attempt 1 of example/test on " in lines[0]
    assert f"workspace {host.root}/workspaces/job/example/test" in lines[0]
    assert lines[1] == """[orchestra] $ sh -c 'printf '"'"'no newline'"'"''"""
    assert lines[2] == "no newline"
    assert lines[3].startswith("[orchestra] Exit code 0 after 0.")
    assert lines[5].startswith("[orchestra] Exit code 7 after 0.")
    assert lines[6] == "[orchestra] Run failed (command_failed): commands[1] (sh -c 'exit 7') returned 7."
    assert len(lines) == 7


def test_a_failure_stops_the_commands(host: Host) -> None:
    ended = host.execute(commands("exit 3", "echo never"))
    assert ended.outcome == ("failed", "command_failed")
    assert ended.of("command_ended")[0]["exit_code"] == 3
    assert len(ended.of("command_started")) == 1


def test_a_command_that_is_killed_names_its_signal(host: Host) -> None:
    ended = host.execute(commands("kill -SEGV $$"))
    assert ended.outcome == ("failed", "command_failed")
    assert ended.of("command_ended")[0]["exit_code"] == -11
    assert "was ended by SIGSEGV" in ended.sentence
    assert b"Ended by SIGSEGV after" in ended.log


@pytest.mark.parametrize("setup", ["true", "false", "missing"])
@pytest.mark.parametrize("main", ["true", "false"])
@pytest.mark.parametrize("teardown", ["true", "false", "missing"])
def test_setup_commands_teardown(host: Host, setup: str, main: str, teardown: str) -> None:
    def phase(name: str, kind: str) -> list[list[str]]:
        program = {"true": "true", "false": "false", "missing": "/no/such/program"}[kind]
        return [["sh", "-c", f"echo {name} >> phases"], [program]]

    definition = commands(*phase("commands", main), setup=phase("setup", setup), teardown=phase("teardown", teardown))
    ended = host.execute(definition, workspace=Workspace.JOB)
    executed = (host.place() / "phases").read_text().split()
    if setup != "true":
        expected = ("exception", "setup_failed" if setup == "false" else "program_missing")
        assert executed == ["setup", "teardown"]
    else:
        assert executed == ["setup", "commands", "teardown"]
        if main == "false":
            expected = ("failed", "command_failed")
        elif teardown == "true":
            expected = ("succeeded", "completed")
        else:
            expected = ("exception", "teardown_failed" if teardown == "false" else "program_missing")
    assert ended.outcome == expected


def test_a_failing_teardown_command_does_not_keep_the_next_from_cleaning_up(host: Host) -> None:
    ended = host.execute(commands("true", teardown=["exit 1", "echo cleaned"]))
    assert ended.outcome == ("exception", "teardown_failed")
    assert ended.outputs()[-1] == b"cleaned\n"


@pytest.mark.parametrize("program", ["/no/such/program", "no-such-program", "/etc/passwd", "/etc"])
def test_a_program_that_cannot_be_executed(host: Host, program: str) -> None:
    ended = host.execute(commands([program, "argument"]))
    assert ended.outcome == ("exception", "program_missing")
    assert program in ended.sentence


def test_one_argument_that_is_longer_than_linux_takes(host: Host) -> None:
    ended = host.execute(commands(["echo", "short", "{parameters[text]}"]), parameters={"text": "x" * 300_000})
    assert ended.outcome == ("exception", "arguments_too_long")
    assert ended.sentence == (
        "commands[0]: echo cannot be executed: argument 2 has 300001 bytes, and the system takes at most 131072 in "
        "one. Hand large data to a program in a file, not as an argument."
    )
    assert ended.sentence.encode() in ended.log


def test_arguments_that_are_too_many_together(host: Host) -> None:
    ended = host.execute(commands(["echo", *["x" * 100_000] * 80]))
    assert ended.outcome == ("exception", "arguments_too_long")
    assert re.search(r"arguments and environment have 80\d{5} bytes together, and .* at most \d+", ended.sentence)


def test_commands_are_formatted(host: Host) -> None:
    definition = commands(
        ["echo", "{project}/{job} {run} {attempt} {parameters[name]!r} {environment[PATH]}"],
        ["sh", "-c", 'echo \'{{"value": 5}}\' > "{result_file_path}"'],
        ["echo", "{results[value]:03d}"],
    )
    ended = host.execute(definition, parameters={"name": "it's"}, attempt=3)
    assert ended.outcome == ("succeeded", "completed")
    first, _, last = ended.outputs()
    assert first.startswith(f"""example/test {host.prefix}-1 3 "it's" /""".encode())
    assert last == b"005\n"


@pytest.mark.parametrize(
    ("argument", "named"),
    [
        ("{parameters[unknown]}", "unknown"),
        ("{nothing}", "nothing"),
        ("{parameters.__class__}", "attribute"),
        ("{results[later]}", "later"),
        ("{", "{"),
        ("{parameters[name]:99999}", "too many"),
    ],
)
def test_a_format_that_cannot_be_filled(host: Host, argument: str, named: str) -> None:
    ended = host.execute(commands("true", ["echo", argument], teardown=["echo over"]), parameters={"name": "x"})
    assert ended.outcome == ("exception", "format_error")
    assert "commands[1]" in ended.sentence
    assert named in ended.sentence
    assert ended.outputs()[-1] == b"over\n"


def test_an_unknown_definition(host: Host) -> None:
    ended = host.execute({"type": "rockets", "data": {}})
    assert ended.outcome == ("exception", "definition_unknown")
    assert "rockets" in ended.sentence
    ended = host.execute({"type": "commands", "commands": "echo"})
    assert ended.outcome == ("exception", "definition_unknown")


def test_a_definition_of_the_users_own(host: Host, tmp_path: Path) -> None:
    (tmp_path / "rockets.py").write_text(
        "import os, json\n"
        "class Launch:\n"
        "    def main(self, request):\n"
        "        print('launching', request.definition['data']['target'], request.parameters)\n"
        "        json.dump({'height': 3}, open(os.environ['ORCHESTRA_RESULT_FILE'], 'w'))\n"
        "        return request.definition['data']['code']\n"
    )
    for code, outcome in ((0, "succeeded"), (4, "failed")):
        workspace = host.place()
        workspace.mkdir(parents=True, exist_ok=True)
        (workspace / "rockets.py").write_text((tmp_path / "rockets.py").read_text())
        definition: JsonObject = {"type": "rocket", "data": {"target": "moon", "code": code}}
        ended = host.execute(definition, executor="rockets:Launch", parameters={"a": 1})
        assert ended.outcome[0] == outcome
        assert ended.outputs() == [b"launching moon {'a': 1}\n"]
        assert ended.of("results_changed") == [{"results": {"height": 3}}]


# ---------- results


def test_results_are_merged_command_by_command(host: Host) -> None:
    write = "echo {} > $ORCHESTRA_RESULT_FILE"
    first, second = '{"a": {"x": 1}, "b": [1, 2]}', '{"a": "new", "c": "ü"}'
    definition = commands(
        write.format(shlex.quote(first)).replace("{", "{{").replace("}", "}}"),
        "true",
        write.format(shlex.quote(second)).replace("{", "{{").replace("}", "}}"),
        ["echo", "{results[a]} {results[c]}"],
    )
    ended = host.execute(definition)
    assert ended.outcome == ("succeeded", "completed")
    assert [data["results"] for data in ended.of("results_changed")] == [
        {"a": {"x": 1}, "b": [1, 2]},
        {"a": "new", "b": [1, 2], "c": "ü"},
    ]
    assert ended.outputs()[-1] == "new ü\n".encode()


@pytest.mark.parametrize(
    "content",
    [
        b"no json",
        b"[1]",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": 123456789012345678901234567890}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a": ' + b"1" * 5000 + b"}",
        b"",
    ],
)
def test_results_that_are_none(host: Host, content: bytes) -> None:
    (host.root / "content").write_bytes(content)
    definition = commands(f"cp {host.root}/content $ORCHESTRA_RESULT_FILE", "echo never", teardown=["echo over"])
    ended = host.execute(definition)
    assert ended.outcome == ("exception", "results_invalid")
    assert ended.outputs()[-1] == b"over\n"
    assert len(ended.of("command_started")) == 2


@pytest.mark.parametrize("make", ["mkfifo", "mkdir", "ln -s /dev/zero", "ln -s results.json"])
def test_a_result_file_that_is_no_file(host: Host, make: str) -> None:
    ended = host.execute(commands(f"{make} $ORCHESTRA_RESULT_FILE", teardown=["echo over"]))
    assert ended.outcome == ("exception", "results_invalid")
    assert ended.outputs()[-1] == b"over\n"


def test_a_result_file_that_becomes_a_pipe_while_it_is_looked_at(host: Host) -> None:
    """A host that waits for the other end of a pipe carries nothing out any more."""
    script = (
        "import itertools, os, sys\n"
        "path = os.environ['ORCHESTRA_RESULT_FILE']\n"
        "os.mkfifo(path + '.pipe')\n"
        "for number in itertools.count():\n"
        "    open(path + '.file', 'w').close()\n"
        "    os.replace(path + '.file', path)\n"
        "    os.link(path + '.pipe', path + '.link')\n"
        "    os.replace(path + '.link', path)\n"
    )
    (host.root / "script").write_text(script)
    begin = f"python3 {host.root}/script & until [ -e $ORCHESTRA_RESULT_FILE ]; do sleep 0.01; done"
    ended = host.execute(commands(begin, teardown=[["true"]] * 100))
    assert ended.outcome == ("exception", "results_invalid")
    assert len(ended.of("command_ended")) == 101


def test_teardown_is_executed_also_where_the_host_fails(host: Host) -> None:
    """Here for want of memory."""
    most = host_memory(host) + (2 << 20)
    resource.prlimit(host.pid, resource.RLIMIT_AS, (most, most))
    big = "(printf '{{\"a\": \"'; head -c 4000000 /dev/zero | tr '\\0' x; printf '\"}}') > $ORCHESTRA_RESULT_FILE"
    limits = RunLimits(results_size=4 << 20)
    ended = host.execute(commands("true", big, "echo never", teardown=["echo over"]), limits=limits)
    assert ended.outcome == ("exception", "internal_error")
    assert "commands[1]" in ended.sentence
    assert ended.outputs() == [b"", b"", b"over\n"]
    assert "MemoryError" in host.directory.output.read_text()
    host.directory.output.write_text("")


def host_memory(host: Host) -> int:
    """What it has of the address space."""
    pages = int(Path(f"/proc/{host.pid}/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def test_results_have_a_limit(host: Host) -> None:
    definition = commands("""printf '{{"a": "%0100d"}}' 1 > $ORCHESTRA_RESULT_FILE""")
    ended = host.execute(definition, limits=RunLimits(results_size=100))
    assert ended.outcome == ("exception", "result_limit")
    assert host.execute(definition, limits=RunLimits(results_size=200)).outcome == ("succeeded", "completed")


# ---------- bytes


@pytest.mark.parametrize(
    ("line", "size"),
    [
        ("""python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 40)'""", 256 * 40),
        ("head -c 10000000 /dev/zero | tr '\\0' x", 10_000_000),
        ("yes 'line upon line' | head -c 50000000", 50_000_000),
        ("printf '\\0\\r\\n\\377' >&2", 4),
    ],
)
def test_output_is_kept_to_the_byte(host: Host, line: str, size: int) -> None:
    (output,) = host.execute(commands(line)).outputs()
    assert len(output) == size
    assert output == subprocess.run(f"{{ {line}; }} 2>&1", shell=True, stdout=subprocess.PIPE, check=True).stdout


def test_a_command_that_truncates_its_log_does_no_other_harm(host: Host) -> None:
    ended = host.execute(commands("echo lost", "echo short > /dev/stderr", "echo more"))
    assert ended.outcome == ("succeeded", "completed")
    assert ended.log.startswith(b"short\n")
    assert b"more\n" in ended.log


_LOG = '"$(dirname "$ORCHESTRA_RESULT_FILE")/log"'


def test_what_a_command_does_to_its_output_is_not_done_to_the_next_ones(host: Host) -> None:
    """As `dd oflag=direct` and `oflag=nonblock` do: such flags are of all who share an open file."""
    line = "import fcntl; fcntl.fcntl(1, fcntl.F_SETFL, 0)"
    flags = "grep flags: /proc/self/fdinfo/1"
    ended = host.execute(commands(flags, ["python3", "-c", line], flags, teardown=["echo over"]))
    assert ended.outcome == ("succeeded", "completed")
    before, _, after, over = ended.outputs()
    assert before == after
    assert over == b"over\n"


@pytest.mark.parametrize(
    "deed",
    [
        f"rm {_LOG}",
        f"mv {_LOG} {_LOG}.old",
        f"rm {_LOG}; echo replaced > {_LOG}",
        f"rm {_LOG}; mkdir -p {_LOG}/full",
        f"rm {_LOG}; ln -s /etc/passwd {_LOG}",
    ],
)
def test_a_log_that_its_command_takes_away_is_put_back(host: Host, deed: str) -> None:
    ended = host.execute(commands("echo first", deed, "echo second", teardown=["seq 100000"]))
    assert ended.outcome == ("succeeded", "completed")
    assert not ended.directory.log.is_symlink()
    first, _, second, last = ended.outputs()
    assert (first, second) == (b"first\n", b"second\n")
    assert last.endswith(b"\n100000\n")


# ---------- what commands find


def test_the_environment_of_commands(tmp_path: Path) -> None:
    given = {"PATH": "/usr/bin:/bin", "COLOUR": "bläu", "ORCHESTRA_TOKEN": "secret", "ORCHESTRA_WORKER_TOKEN": "secret"}
    with hosting(tmp_path, given) as host:
        ended = host.execute(commands(["env"], ["sh", "-c", "cat; pwd; echo err >&2; ls -l /proc/self/fd"]))
    environment = dict(line.split("=", 1) for line in ended.outputs()[0].decode().splitlines())
    environment.pop("_", None)
    assert environment == {
        "PATH": "/usr/bin:/bin",
        "COLOUR": "bläu",
        "ORCHESTRA_PROJECT": "example",
        "ORCHESTRA_JOB": "test",
        "ORCHESTRA_RUN": f"{host.prefix}-1",
        "ORCHESTRA_ATTEMPT": "1",
        "ORCHESTRA_RESULT_FILE": str(ended.directory.results),
        "ORCHESTRA_SERVICE_URL": "http://service",
        "ORCHESTRA_PYTHON": sys.executable,
        "ORCHESTRA_MIRRORS": str(tmp_path / "mirrors"),
    }
    lines = ended.outputs()[1].decode().splitlines()
    assert lines[:2] == [str(host.place()), "err"]
    # Standard input, output, error, and the directory that ls itself reads: nothing of the host's is inherited.
    assert len([line for line in lines[2:] if "->" in line]) == 4


def test_commands_start_with_default_signals(host: Host) -> None:
    ended = host.execute(commands("grep -E 'Sig(Blk|Ign)' /proc/self/status"))
    masks = [int(line.split()[1], 16) for line in ended.outputs()[0].decode().splitlines()]
    # The two real-time signals that the C library keeps for itself are nobody's business.
    assert [mask & ~(0b11 << 31) for mask in masks] == [0, 0]


# ---------- once


def test_a_run_is_executed_once(host: Host) -> None:
    directory = host.begin(commands("echo again >> tally; sleep 0.1"))
    for _ in range(5):
        host.send(ExecuteRun(directory.name))
    host.finish(directory)
    host.send(ExecuteRun(directory.name))
    ended = host.execute(commands("cat tally"))
    assert ended.outputs() == [b"again\n"]


def test_a_request_of_another_boot_is_not_executed(host: Host) -> None:
    ended = host.execute(commands("echo never"), boot="another")
    assert ended.outcome == ("exception", "host_restarted")
    assert [event.kind for event in ended.events] == ["ended"]


def test_a_request_that_cannot_be_read(host: Host) -> None:
    directory = host.prepare(commands("true"))
    directory.request.write_text("{")
    host.send(ExecuteRun(directory.name))
    assert host.finish(directory).outcome == ("exception", "internal_error")
