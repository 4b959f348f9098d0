"""Settings from a file and the environment."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.stopping import OnStop
from job_orchestra.settings.reading import SECTIONS, load_settings
from job_orchestra.settings.sections import LogLevel, Settings


def load(directory: Path, text: str = "", **environment: str) -> Settings:
    file = directory / "orchestra.toml"
    file.write_text(text)
    return load_settings(file, environment)


def mistakes(directory: Path, text: str = "", **environment: str) -> list[str]:
    with pytest.raises(Invalid) as caught:
        load(directory, text, **environment)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_an_empty_file_gives_the_documented_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.database.url == "sqlite:///orchestra.db"
    assert settings.projects.module == "projects:projects"
    assert (settings.master.port, settings.service.port, settings.website.port) == (5901, 5902, 5903)
    assert settings.master.url == "ws://127.0.0.1:5901"
    assert settings.worker.master_url == "ws://127.0.0.1:5901"
    assert settings.service.master_urls == ("ws://127.0.0.1:5901",)
    assert settings.website.service_url == settings.worker.service_url == "http://127.0.0.1:5902"
    assert settings.worker.executor_limit >= 1


def test_relative_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path, '[worker]\ntoken_file = "secret"\n[logging]\nfile = "/var/log/orchestra.log"')
    assert settings.directory == tmp_path
    assert settings.storage.directory == tmp_path / "logs"
    assert settings.worker.directory == tmp_path / "worker"
    assert settings.worker.token_file == tmp_path / "secret"
    assert settings.logging.file == Path("/var/log/orchestra.log")


def test_urls_follow_addresses_and_ports_unless_given(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        '[master]\nport = 7000\naddress = "::1"\n[service]\nport = 7001\nurl = "https://ci.example.org/api"\n'
        '[worker]\nmaster_url = "wss://master.example.org"',
    )
    assert settings.service.master_urls == ("ws://[::1]:7000",)
    assert settings.website.service_url == "https://ci.example.org/api"
    assert settings.worker.master_url == "wss://master.example.org"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        '[master]\nport = 1\n[worker]\nproperties = {disk = "slow"}',
        ORCHESTRA_MASTER_PORT="2",
        ORCHESTRA_WORKER_PROPERTIES='{"disk": "fast", "tags": ["a", 1]}',
        ORCHESTRA_SERVICE_MASTER_URLS="ws://a:1, ws://b:2",
        ORCHESTRA_LOGGING_LEVEL="DEBUG",
        ORCHESTRA_WORKER_TOKEN_FILE="secret",
        ORCHESTRA_STORAGE_COMPRESS_LOGS="True",
    )
    assert settings.storage.compress_logs
    assert settings.master.port == 2
    assert settings.worker.properties == {"disk": "fast", "tags": ["a", 1]}
    assert settings.service.master_urls == ("ws://a:1", "ws://b:2")
    assert settings.logging.level is LogLevel.DEBUG
    assert settings.worker.token_file == tmp_path / "secret"


def test_what_a_client_or_a_run_finds_in_its_environment_is_no_setting(tmp_path: Path) -> None:
    names = ("USER", "TOKEN", "SETTINGS", "PROJECT", "JOB", "RUN", "ATTEMPT", "RESULT_FILE")
    assert load(tmp_path, **{f"ORCHESTRA_{name}": "x" for name in names}) == load(tmp_path)


def test_what_is_neither_true_nor_false_in_the_environment(tmp_path: Path) -> None:
    assert mistakes(tmp_path, ORCHESTRA_STORAGE_COMPRESS_LOGS="yes") == [
        "ORCHESTRA_STORAGE_COMPRESS_LOGS: 'yes' is not true or false"
    ]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_can_be_given_in_the_environment(section: str, tmp_path: Path) -> None:
    """The name of the variable leads to the setting: a value that nothing takes is a mistake at that name."""
    for one in fields(SECTIONS[section]):
        variable = f"ORCHESTRA_{section}_{one.name}".upper()
        (found,) = mistakes(tmp_path, **{variable: "\0"})
        assert found.startswith(f"{variable}: ")
        assert "no such setting" not in found


def test_all_mistakes_are_reported_at_once_with_their_places(tmp_path: Path) -> None:
    text = """
        [mastr]
        [master]
        prot = 3
        port = 70000
        url = "http://x"
        [worker]
        properties = {since = 1979-05-27}
        directory = 3
        executor_limit = true
        [storage]
        compress_logs = 1
    """
    assert mistakes(tmp_path, text, ORCHESTRA_WEBSITE_PORT="x", ORCHESTRA_WEBSITE_PROT="x") == [
        "orchestra.toml: [mastr]: there is no such section; did you mean master?",
        "orchestra.toml: [master] prot: there is no such setting; did you mean port?",
        "orchestra.toml: [worker] properties: since is a date, which has to be written as text in quotes",
        "orchestra.toml: [worker] directory: 3 is not text in quotes",
        "orchestra.toml: [worker] executor_limit: true is not a whole number",
        "orchestra.toml: [storage] compress_logs: 1 is neither true nor false",
        "ORCHESTRA_WEBSITE_PORT: 'x' is not a whole number",
        "ORCHESTRA_WEBSITE_PROT: there is no such setting; did you mean ORCHESTRA_WEBSITE_PORT?",
        "orchestra.toml: [master] port: 70000 will not do: a port is a number from 0 (any free one) to 65535",
        "orchestra.toml: [master] url: 'http://x' will not do: it has to be an address like ws://127.0.0.1:5901",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[master\n", "orchestra.toml: is not TOML: "),
        ("master = 3\n", "orchestra.toml: master: is a section"),
        ("[master]\nidentifier = ''\n", "orchestra.toml: [master] identifier: '' will not do"),
        ("[projects]\nmodule = 'projects'\n", "orchestra.toml: [projects] module: 'projects' will not do"),
        (
            "[worker]\nproperties = {a = 99999999999999999999999}\n",
            "orchestra.toml: [worker] properties: {'a': 99999999999999999999999} will not do: a: is an integer of more",
        ),
        (
            "[worker]\nproperties = {weight = 0}\n",
            "orchestra.toml: [worker] properties: {'weight': 0} will not do: weight: it has to be a number above 0",
        ),
        (
            "[master]\npending_expiry = 99999999999\n",
            "orchestra.toml: [master] pending_expiry: 99999999999 will not do: it has to be from 1 to 316224000",
        ),
        ("[worker]\nproperties = {a = [nan]}\n", "orchestra.toml: [worker] properties: a[0] is not a finite number"),
        ("[worker]\nexecutor_limit = 1000001\n", "orchestra.toml: [worker] executor_limit: 1000001 will not do"),
        ("[service]\nmaster_urls = ['x']\n", "orchestra.toml: [service] master_urls: ('x',) will not do"),
        ("[service]\nurl = 'http://x:y'\n", "orchestra.toml: [service] url: 'http://x:y' will not do"),
    ],
)
def test_a_mistake_names_its_place(text: str, expected: str, tmp_path: Path) -> None:
    found = mistakes(tmp_path, text)
    assert len(found) == 1
    assert found[0].startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[worker]\n\nuser = 'x\n", "(at line 3, the end of the document)"),
        ("[worker]\n\nuser = x\n", "Invalid value (at line 3, column 8)"),
        ('[worker]\n\nuser = "x', "Unterminated string (at line 3, the end of the document)"),
        ("[worker]\nuser =", "Invalid value (at line 2, the end of the document)"),
        ("[worker", "Expected ']' at the end of a table declaration (at line 1, the end of the document)"),
        (
            '[worker]\nuser = """\nx\n\n[master]\nport = 1\n\n',
            "Unterminated string (from line 2 to line 6, the end of the document)",
        ),
        (
            "[service]\n# one\nmaster_urls = [\n  'a',\n  'b'\n\n",
            "Unclosed array (from line 3 to line 5, the end of the document)",
        ),
        ("x = [" + "\n'a'," * 400, "Invalid value (at line 401, the end of the document)"),
        ("x = " + "[" * 100_000, "it is nested too deeply"),
    ],
)
def test_what_is_no_toml_names_its_line(text: str, expected: str, tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, text)
    assert found.startswith("orchestra.toml: is not TOML: ")
    assert found.endswith(expected)


def test_which_sections_are_named(tmp_path: Path) -> None:
    assert load(tmp_path).named == frozenset()
    assert load(tmp_path, "[worker]", ORCHESTRA_MASTER_PORT="1").named == {"worker", "master"}


def test_a_file_that_is_no_text_or_not_there(tmp_path: Path) -> None:
    file = tmp_path / "orchestra.toml"
    assert load_settings(file, {}).master.port == 5901
    with pytest.raises(Invalid, match="no such file"):
        load_settings(file, {}, must_exist=True)
    file.write_bytes(b"\xff")
    with pytest.raises(Invalid, match="UTF-8"):
        load_settings(file, {})


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    settings = load(tmp_path, "[worker]\ntoken = 'hidden'\n[database]\nurl = 'postgresql://me:hidden@host/x'")
    assert "hidden" not in repr(settings)


def test_what_becomes_of_runs_when_the_worker_stops(tmp_path: Path) -> None:
    assert load(tmp_path).worker.on_stop is OnStop.KEEP
    assert load(tmp_path, '[worker]\non_stop = "drain"').worker.on_stop is OnStop.DRAIN
    assert mistakes(tmp_path, '[worker]\non_stop = "kill"') == [
        'orchestra.toml: [worker] on_stop: "kill" is none of keep, drain, abort'
    ]


def test_keys_of_results_are_checked(tmp_path: Path) -> None:
    settings = load(tmp_path, "[storage]\nindexed_results = ['tests.failed', '\"a.b\".0']")
    assert settings.storage.indexed_results == ("tests.failed", '"a.b".0')
    assert load(tmp_path, ORCHESTRA_STORAGE_INDEXED_RESULTS="a, b").storage.indexed_results == ("a", "b")
    for keys, wrong in (
        ("['a', 'b..c']", "'b..c': character 3: expected a key"),
        (f"['{'x' * 301}']", "a key has at most 300 characters"),
        (str([f"k{number}" for number in range(21)]), "at most 20 keys"),
        ("'a'", "is not a list of texts"),
    ):
        [mistake] = mistakes(tmp_path, f"[storage]\nindexed_results = {keys}")
        assert mistake.startswith("orchestra.toml: [storage] indexed_results: ")
        assert wrong in mistake


def test_what_a_website_of_ones_own_needs(tmp_path: Path) -> None:
    website = load(
        tmp_path,
        '[website]\ntitle = "Ours"\nlogo = "logo.svg"\nannouncement_file = "news.txt"\n'
        'template_directories = ["templates", "/usr/share/more"]\n'
        'external_services = { Tracker = "https://tracker.example.org/health" }',
        ORCHESTRA_WEBSITE_STATIC_DIRECTORIES="static, /srv/static",
    ).website
    assert (website.title, website.logo) == ("Ours", "logo.svg")
    assert website.announcement_file == tmp_path / "news.txt"
    assert website.template_directories == (tmp_path / "templates", Path("/usr/share/more"))
    assert website.static_directories == (tmp_path / "static", Path("/srv/static"))
    assert website.external_services == {"Tracker": "https://tracker.example.org/health"}


def test_what_is_no_website_of_ones_own(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        '[website]\ntitle = "two\\nlines"\ntemplate_directories = "templates"\nstatic_directories = ["a", 1]\n'
        'external_services = { Tracker = "ftp://tracker.example.org", Other = "" }',
    )
    assert [mistake.removeprefix("orchestra.toml: [website] ") for mistake in found] == [
        'template_directories: "templates" is not a list of paths',
        "static_directories: 1 is not text in quotes",
        "title: 'two\\nlines' will not do: it has to be a line of 1 to 60 characters",
        "external_services: {'Tracker': 'ftp://tracker.example.org', 'Other': ''} will not do:"
        " Tracker: it has to be an address like https://tracker.example.org/health",
    ]
