from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import pytest
from hypothesis import given

from job_orchestra.domain.checking import Mistakes, Reader, check_duplicates, is_json, read_all, shown
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.json import JsonValue
from job_orchestra.domain.places import Place
from tests.domain.strategies import checked, values


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


def mistakes_of(data: object, read: Callable[[Reader], object]) -> list[str]:
    with pytest.raises(Invalid) as raised:
        read_all(data, read, Place().field("here"))
    return [str(mistake) for mistake in raised.value.mistakes]


def _integer(reader: Reader) -> int:
    return reader.integer(1, 9)


def _colour(reader: Reader) -> Colour:
    return reader.choice(Colour)


WRONG: list[tuple[Callable[[Reader], object], object, str]] = [
    (Reader.text, 3, "here: expected text, got 3"),
    (Reader.text, None, "here: expected text, got None"),
    (Reader.text, "a\0", "here: 'a\\x00' contains a NUL character"),
    (Reader.text, "\ud800", "here: '\\ud800' contains half a surrogate pair, which is no character"),
    (Reader.flag, 1, "here: expected true or false, got 1"),
    (Reader.flag, "true", "here: expected true or false, got 'true'"),
    (_integer, 10, "here: 10 is not from 1 to 9"),
    (_integer, True, "here: expected an integer from 1 to 9, got True"),
    (_integer, 2.0, "here: expected an integer from 1 to 9, got 2.0"),
    (
        _integer,
        10**5000,
        "here: an integer of more than 64 bits is not from 1 to 9",
    ),
    (Reader.number, "1", "here: expected a number of at least 0, got '1'"),
    (Reader.number, True, "here: expected a number of at least 0, got True"),
    (Reader.number, -0.5, "here: -0.5 is no number from 0 to 1e+15"),
    (Reader.number, float("nan"), "here: nan is no number from 0 to 1e+15"),
    (Reader.number, float("inf"), "here: inf is no number from 0 to 1e+15"),
    (Reader.number, 10**400, "here: an integer of more than 64 bits is no number from 0 to 1e+15"),
    (Reader.items, "abc", "here: expected a list, got 'abc'"),
    (Reader.items, {"a": 1}, "here: expected a list, got {'a': 1}"),
    (Reader.json_object, [], "here: expected a table, got []"),
    (
        _colour,
        "gren",
        "here: expected one of red, green, got 'gren'; did you mean green?",
    ),
    (_colour, [], "here: expected one of red, green, got []"),
]


@pytest.mark.parametrize(("read", "data", "message"), WRONG, ids=[message[:40] for _, _, message in WRONG])
def test_what_is_wrong_names_place_expectation_and_value(
    read: Callable[[Reader], object], data: object, message: str
) -> None:
    assert mistakes_of(data, read) == [message]


@pytest.mark.parametrize("name", ["", "-", "a b", "a" * 65, "../x"])
def test_a_wrong_identifier_tells_the_rule(name: str) -> None:
    [message] = mistakes_of(name, Reader.name)
    assert "1 to 64 letters, digits" in message


def test_right_values_are_read() -> None:
    assert read_all("é", Reader.text) == "é"
    assert read_all("a-b", Reader.name) == "a-b"
    assert read_all(False, Reader.flag) is False
    assert read_all(9, _integer) == 9
    assert read_all(3, Reader.number) == 3.0
    assert read_all("green", _colour) is Colour.GREEN


def test_all_mistakes_of_a_table_are_found() -> None:
    def read(reader: Reader) -> None:
        table = reader.table(("name", "size"), ("colour", "tags"))
        table.read("name", Reader.text, "")
        table.read("size", Reader.number, 0.0)
        table.read("colour", _colour, Colour.RED)
        for item in table.items("tags"):
            item.text()

    data = {"nam": "x", 7: 1, "size": "big", "colour": "blue", "tags": ["a", 2, None]}
    assert mistakes_of(data, read) == [
        "here.nam: is unknown; did you mean name?",
        "here.7: is unknown; known are name, size, colour, tags",
        "here.name: is missing",
        "here.size: expected a number of at least 0, got 'big'",
        "here.colour: expected one of red, green, got 'blue'",
        "here.tags[1]: expected text, got 2",
        "here.tags[2]: expected text, got None",
    ]


def test_a_field_that_is_not_there_has_its_default() -> None:
    table = read_all({}, lambda reader: reader.table((), ("a", "b")))
    assert table.read("a", Reader.text, "default") == "default"
    assert table.items("b") == []
    assert "a" not in table


def test_duplicates_are_named() -> None:
    mistakes = Mistakes()
    readers = [Reader(name, mistakes, Place().item(index)) for index, name in enumerate(["a", "b", "a", "", ""])]
    check_duplicates([(str(reader.value), reader) for reader in readers], "thing")
    with pytest.raises(Invalid, match=r"^\[2\]: there is more than one thing 'a'$"):
        mistakes.raise_if_any()


@checked
@given(values)
def test_any_json_is_read_as_it_is(value: JsonValue) -> None:
    assert is_json(value)
    assert read_all(value, Reader.json) == value


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"a": [1, {2: 3}]}, "here.a[1]: the key 2 is no text, or not one that can be stored"),
        ({"a": object}, "here.a: expected text, a finite number, true, false, null, a list or a table, got"),
        ({"a": float("nan")}, "here.a: expected text, a finite number, true, false, null, a list or a table, got nan"),
        ({"a": [1 << 63]}, "here.a[0]: is an integer of more than 64 bits"),
        (["a\0"], "here[0]: 'a\\x00' contains a NUL character"),
        ({b"a": 1}, "here: the key b'a' is no text, or not one that can be stored"),
    ],
    ids=str,
)
def test_what_is_no_json_is_found_where_it_is(data: object, message: str) -> None:
    [found] = mistakes_of(data, Reader.json)
    assert found.startswith(message)


def test_what_is_nested_without_end_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    [message] = mistakes_of(endless, Reader.json)
    assert message.endswith("is nested more than 64 deep")


def test_tuples_become_lists_and_the_result_is_a_copy() -> None:
    inner = [2]
    read = read_all({"a": (1, inner)}, Reader.json)
    assert read == {"a": [1, [2]]}
    inner.append(3)
    assert read == {"a": [1, [2]]}


def test_long_values_are_cut_in_messages() -> None:
    assert len(shown("x" * 1000)) == 60
    assert len(shown(list(range(1000)))) == 60


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place(), ""),
        (Place().field("a"), "a"),
        (Place().field("a").item(0).field("b").item(1).item(2), "a[0].b[1][2]"),
        (Place().named("project", "x").named("job", "y"), "project x, job y"),
        (Place().named("project", "x").field("jobs").item(3).field("name"), "project x, jobs[3].name"),
    ],
    ids=str,
)
def test_places_in_words(place: Place, text: str) -> None:
    assert str(place) == text


def test_of_very_many_mistakes_the_first_are_told_and_the_others_counted() -> None:
    with pytest.raises(Invalid) as raised:
        read_all({f"x{number}": 1 for number in range(2_000)}, lambda reader: reader.table(("a",), ("b",)))
    *told, last = raised.value.mistakes
    assert (len(told), str(told[0])) == (500, "x0: is unknown; known are a, b")
    assert str(last) == "1501 more mistakes are not told"
