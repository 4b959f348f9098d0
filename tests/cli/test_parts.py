"""Parameters, logins, access, tables, notifications: parts of the command line."""

from __future__ import annotations

import os
import select
import socket
from pathlib import Path

import pytest

from job_orchestra.cli.connection import Access, find_access
from job_orchestra.cli.logins import Logins, logins_file, read_logins, write_logins
from job_orchestra.cli.notification import ENDS_WITH, Notifier, NotifySocket, stop_with_parent
from job_orchestra.cli.options import Output
from job_orchestra.cli.output import Column, duration, print_fields, print_page, print_table
from job_orchestra.cli.parameters import parse_parameters
from job_orchestra.client.credentials import Credentials
from job_orchestra.composition.installation_secrets import InstallationSecrets, write_secret
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.json import JsonValue
from job_orchestra.protocol.resources.answers import Page
from job_orchestra.protocol.resources.projects import ParameterAnswer


def parameter(identifier: str, *, default: JsonValue = None, choices: list[JsonValue] | None = None) -> ParameterAnswer:
    return ParameterAnswer(identifier, default is None, default, choices or [], "")


KNOWN = [
    parameter("text", default="x"),
    parameter("needed"),
    parameter("number", default=1),
    parameter("flag", default=False),
    parameter("level", choices=[1, 2]),
    parameter("mixed", choices=["one", 1]),
    ParameterAnswer("count", True, None, [], "", type="integer"),
    ParameterAnswer("json", True, None, [], "", type="json"),
]


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("text=3", "3"),
        ("count=3", "3"),
        ("json=[3]", [3]),
        ("text=", ""),
        ("text=a=b", "a=b"),
        ("needed=null", "null"),
        ("number=3", 3),
        ("number=[1, 2.5]", [1, 2.5]),
        ("flag=true", True),
        ("level=2", 2),
        ("mixed=1", "1"),
        ("mixed:=1", 1),
        ('text:={"a": null}', {"a": None}),
        ("unknown=3", "3"),
    ],
)
def test_values_of_parameters(argument: str, value: JsonValue) -> None:
    assert list(parse_parameters([argument], KNOWN).values()) == [value]


def test_all_mistakes_of_parameters_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        parse_parameters(["text", "=x", "number=x", "flag=NaN", "text=1", "text=2", "text:=x"], KNOWN)
    places = [mistake.place for mistake in caught.value.mistakes]
    assert places == [
        "-p text",
        "-p =x",
        "parameters.number",
        "parameters.flag",
        "parameters.text",
        "parameters.text",
        "parameters.text",
    ]


def test_json_that_is_nested_too_deep_is_a_mistake() -> None:
    with pytest.raises(Invalid, match=r"parameters\.text: .* is not JSON"):
        parse_parameters(["text:=" + "[" * 100_000], KNOWN)


def test_logins_are_kept_for_their_owner_only(tmp_path: Path) -> None:
    file = logins_file({"XDG_CONFIG_HOME": str(tmp_path / "config")})
    assert read_logins(file) == Logins()
    logins = (
        Logins().with_login("http://a", Credentials('to"ken\\', "ada")).with_login("http://b", Credentials("t", "é"))
    )
    write_logins(file, logins)
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_logins(file) == logins
    assert read_logins(file).last == "http://b"
    write_logins(file, logins.without("http://b"))
    assert read_logins(file) == Logins(None, {"http://a": Credentials('to"ken\\', "ada")})
    file.write_text("services = 3")
    with pytest.raises(Invalid, match=r"credentials\.toml"):
        read_logins(file)
    assert logins_file({"HOME": "/home/ada"}) == Path("/home/ada/.config/job-orchestra/credentials.toml")


def test_which_service_and_as_whom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"HOME": str(tmp_path)}
    default = Path("orchestra.toml")
    assert find_access(default, environment) == Access("http://127.0.0.1:5902", None)
    write_logins(logins_file(environment), Logins().with_login("http://far", Credentials("t", "ada")))
    assert find_access(default, environment) == Access("http://far", Credentials("t", "ada"))
    default.write_text("[service]\nport = 7000\n")
    assert find_access(default, environment) == Access("http://127.0.0.1:7000", None)
    write_secret(InstallationSecrets.of(tmp_path).command_line, Credentials("local", "admin"))
    assert find_access(default, environment) == Access("http://127.0.0.1:7000", Credentials("local", "admin"))
    environment["ORCHESTRA_SERVICE_URL"] = "http://far/"
    assert find_access(default, environment) == Access("http://far", Credentials("t", "ada"))
    environment["ORCHESTRA_TOKEN"] = "mine"
    assert find_access(default, environment) == Access("http://far", Credentials("mine"))
    with pytest.raises(Invalid, match="no such file"):
        find_access(Path("other.toml"), {"HOME": str(tmp_path)})


def test_tables_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [Column[str]("long", lambda text: text), Column[str]("size", lambda text: str(len(text)))]
    print_table(["a", "evil\x1b[31m"], columns)
    assert capsys.readouterr().out == "long       size\na          1\nevil�[31m  9\n"
    print_page(Output.TABLE, Page(["a"], "next"), columns)
    assert capsys.readouterr().err == "There is more: --cursor next\n"
    print_page(Output.JSON, Page(["a"], "next"), columns)
    assert capsys.readouterr().out == '{"items":["a"],"next":"next"}\n'
    print_fields(Output.TABLE, None, [("a", "1"), ("empty", ""), ("more", "x\ny")])
    assert capsys.readouterr().out == "a      1\nmore   x\n       y\n"


def test_a_table_stays_a_table_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [Column[str]("parameters", lambda text: text), Column[str]("end", lambda _: "|")]
    texts = ["x" * 300_000, "two\nlines\r\tand\x1b[2J\x9b\u202e", "漢字", "e\u0301", "漢" * 100, "\n" * 1000]
    print_table(texts, columns)
    title, *lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(texts)
    assert title.index("end") == 62
    assert lines[0] == "x" * 59 + "…  |"
    assert lines[1] == "two lines  and�[2J��".ljust(62) + "|"
    assert lines[2] == "漢字" + " " * 58 + "|"
    assert lines[3] == "e\u0301" + " " * 61 + "|"
    assert lines[4] == "漢" * 29 + "…" + " " * 3 + "|"
    assert lines[5].strip() == "…  |"


def test_fields_are_bounded_and_free_of_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    print_fields(Output.TABLE, None, [("a", "x" * 300_000), ("b\n", "\x1b[31mred\nnext\t."), ("c", "y\n" * 5000)])
    first, second, third, *rest = capsys.readouterr().out.splitlines()
    assert first == "a   " + "x" * 999 + "…"
    assert (second, third) == ("b   �[31mred", "    next .")
    assert len(rest) == 201
    assert rest[-1].strip() == "… 4800 more lines; --output json has all of it"


def test_durations() -> None:
    assert [duration(seconds) for seconds in (None, 0.034, 59.9, 61, 3725)] == [
        "",
        "0.03 s",
        "59.90 s",
        "1 min 01 s",
        "1 h 02 min",
    ]


def test_readiness_is_told(tmp_path: Path) -> None:
    listener = NotifySocket(tmp_path / "notify")
    assert listener.receive() == {}
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    notifier = Notifier.from_environment(environment)
    assert environment == {}
    for tell, word in ((notifier.started, "READY"), (notifier.ready, "X_ORCHESTRA_READY")):
        tell("it = so")
        select.select([listener], [], [], 5)
        assert listener.receive() == {word: "1", "STATUS": "it = so"}
    listener.close()
    notifier.stopping()  # Nobody listens any more, and nobody minds.
    Notifier.from_environment({}).ready("x")


def test_abstract_addresses_of_systemd() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0orchestra-test-{os.getpid()}")
        Notifier(f"@orchestra-test-{os.getpid()}").started("x")
        assert listener.recv(100) == b"READY=1\nSTATUS=x"


def test_without_a_parent_to_end_with_nothing_happens() -> None:
    environment = {"PATH": "/bin"}
    stop_with_parent(environment)
    assert environment == {"PATH": "/bin"}
    assert ENDS_WITH not in os.environ
