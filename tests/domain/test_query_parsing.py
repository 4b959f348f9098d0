"""From text to an expression and back; what is wrong is told with its place."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_orchestra.domain.queries.expressions import And, Compared, Comparison, Exists, Expression, Not, OneOf, Or
from job_orchestra.domain.queries.parsing import DEEPEST, LONGEST, MOST_CONDITIONS, parse_expression, parse_result_key
from job_orchestra.domain.queries.paths import Path, Source, Step
from job_orchestra.domain.queries.scanning import ExpressionMistake
from tests.domain.query_strategies import expressions, paths
from tests.domain.strategies import checked


def _results(*steps: Step) -> Path:
    return Path(Source.RESULTS, steps)


_A, _B, _C = (Exists(_results(key)) for key in "abc")

_EXAMPLES: dict[str, Expression] = {
    "results.tests.failed>0": Compared(_results("tests", "failed"), Comparison.GREATER, 0),
    " parameters.branch  =\t'main' ": Compared(Path(Source.PARAMETERS, ("branch",)), Comparison.EQUAL, "main"),
    'results."a.b"."".x != -1.5e3': Compared(_results("a.b", "", "x"), Comparison.NOT_EQUAL, -1500.0),
    "results.list.0.$ref.ключ<='z'": Compared(_results("list", 0, "$ref", "ключ"), Comparison.LESS_EQUAL, "z"),
    'results."0".007 = null': Compared(_results("0", "007"), Comparison.EQUAL, None),
    "results.a in(1,'x' , TRUE)": OneOf(_results("a"), (1, "x", True)),
    "results.in in (1) ": OneOf(_results("in"), (1,)),
    "results.a NOT EXISTS": Not(_A),
    "not not results.a exists": Not(Not(_A)),
    "results.a exists or results.b exists AND results.c exists": Or((_A, And((_B, _C)))),
    "(results.a exists or results.b exists) and not results.c exists": And((Or((_A, _B)), Not(_C))),
    r'results.a = "\ud83d\ude00\n\/\u0041"': Compared(_results("a"), Comparison.EQUAL, "\U0001f600\n/A"),
    r"results.a = 'it\'s \"so\"'": Compared(_results("a"), Comparison.EQUAL, 'it\'s "so"'),
    f"results.a = {10**40}": Compared(_results("a"), Comparison.EQUAL, 10**40),
}


@pytest.mark.parametrize("text", _EXAMPLES)
def test_what_is_written_is_what_is_asked(text: str) -> None:
    assert repr(parse_expression(text)) == repr(_EXAMPLES[text])


@pytest.mark.parametrize(
    ("text", "position", "sentence"),
    [
        ("", 0, "expected a key that begins with results. or parameters., or not, or '(', but here it ends"),
        ("tests.failed > 0", 0, "found 'tests.failed'; did you mean results.tests.failed?"),
        ("resluts.a > 0", 0, "found 'resluts.a'; did you mean results?"),
        ("results > 0", 7, "expected '.' and a key, found"),
        ("results. a > 0", 8, "expected a key (letters, digits, _, - and $; any other in quotes), found"),
        ("results.a..b > 0", 10, "expected a key"),
        ("results.a == 1", 10, "expected one of = != < <= > >=, in, exists, not exists, contains, starts with, found"),
        ("results.a not in (1)", 10, "found 'not'; the opposite of any condition is not (…)"),
        ("results.a starts 'x'", 10, "found 'starts'"),
        ("results.a =", 11, "expected a value (a number, a text in quotes, true, false or null), but here it ends"),
        ("results.a = main", 12, "found 'main'; texts stand in quotes"),
        ("results.a = 01", 12, "found '01'"),
        ("results.a = 1e999", 12, "expected a number that is not larger than any that can be stored, found '1e999'"),
        ("results.a = 'x", 14, "expected ' at the end of the text, but here it ends"),
        (r"results.a = '\q'", 13, "or \\u with four hexadecimal digits, found '\\\\'"),
        ("results.a = 'a\nb'", 14, r"expected an escape such as \n for a control character, found '\n'"),
        (r"results.a = '\ud800'", 12, "this text contains half a surrogate pair, which is no character"),
        (r"results.a = '\u0000'", 12, "this text contains a NUL character"),
        ("results.a < true", 10, "< compares numbers or texts; true and false are compared by = and !=, null by ="),
        ("results.a != null", 10, "!= null would match nothing"),
        ("results.a contains 1", 19, "expected a text in quotes, found '1'"),
        ("results.a in 1", 13, "expected '(' and values separated by commas, found '1'"),
        ("results.a in ()", 14, "expected a value"),
        ("results.a in (1 2)", 16, "expected ',' or ')', found '2'"),
        ("(results.a exists", 17, "expected and, or, or ')', but here it ends"),
        ("results.a exists results.b exists", 17, "expected and, or, or the end, found 'results.b'"),
        ("results.a exists)", 16, "expected and, or, or the end, found ')'"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, position: int, sentence: str) -> None:
    with pytest.raises(ExpressionMistake) as caught:
        parse_expression(text)
    assert caught.value.position == position
    assert str(caught.value).startswith(f"character {position + 1}: ")
    assert sentence in str(caught.value)


def test_expressions_are_bounded() -> None:
    condition = "results.a exists"
    parse_expression(" and ".join([condition] * MOST_CONDITIONS))
    parse_expression("(" * DEEPEST + condition + ")" * DEEPEST)
    for text, sentence in (
        (" or ".join([condition] * (MOST_CONDITIONS + 1)), f"at most {MOST_CONDITIONS} conditions"),
        ("(" * (DEEPEST + 1) + condition + ")" * (DEEPEST + 1), f"at most {DEEPEST} deep"),
        ("not " * (DEEPEST + 1) + condition, f"at most {DEEPEST} deep"),
        (condition.ljust(LONGEST + 1), f"at most {LONGEST} characters; this has {LONGEST + 1}"),
    ):
        with pytest.raises(ExpressionMistake, match=sentence):
            parse_expression(text)


@checked
@given(expressions)
def test_what_is_printed_is_read_again(expression: Expression) -> None:
    text = str(expression)
    if len(text) <= LONGEST:
        assert str(parse_expression(text)) == text


@checked
@given(paths)
def test_the_key_of_a_result_is_read_again(path: Path) -> None:
    assert parse_result_key(path.key) == Path(Source.RESULTS, path.steps)


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a b", "a.b ", "a=1", '"a', "a,b"])
def test_what_is_no_key_of_a_result(text: str) -> None:
    with pytest.raises(ExpressionMistake):
        parse_result_key(text)


_PIECES = (
    *(
        "results.",
        "parameters",
        ".",
        "a",
        '"',
        "'",
        "\\",
        "\\u12",
        "(",
        ")",
        ",",
        "=",
        "!=",
        "<",
        ">",
        " ",
        "\n",
        "not ",
    ),
    *("and", " or ", "in", "exists", "contains", "starts with", "1", "-", "1e5", "true", "null", "é", "\0", "\ud800"),
)


@checked
@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join) | st.text(max_size=60))
def test_any_text_is_an_expression_or_one_mistake(text: str) -> None:
    try:
        expression = parse_expression(text)
    except ExpressionMistake as mistake:
        assert 0 <= mistake.position <= mistake.position + mistake.length <= len(text)
        assert str(mistake)
    else:
        assert str(parse_expression(str(expression))) == str(expression)


@pytest.mark.parametrize(
    "piece", ["(", "not ", "results.a=1 and ", "'", "\\", "a.", '"\\', "results.a in (1,", " ", "9"]
)
def test_the_longest_text_is_read_at_once(piece: str) -> None:
    for beginning in ("", "results.a = '", "results.", "results.a = "):
        text = (beginning + piece * LONGEST)[:LONGEST]
        start = time.process_time()
        try:
            parse_expression(text)
        except ExpressionMistake as mistake:
            assert mistake.position <= LONGEST
        assert time.process_time() - start < 0.5
