"""From text to an expression. One pass from left to right; ExpressionMistake tells the first mistake and its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from job_orchestra.domain.queries.expressions import (
    And,
    Compared,
    Comparison,
    Condition,
    Contains,
    Exists,
    Expression,
    Literal,
    Not,
    OneOf,
    Or,
    StartsWith,
)
from job_orchestra.domain.queries.paths import BARE_STEP, ELEMENT, OF_RUNS, Path, Source, Step
from job_orchestra.domain.queries.scanning import ExpressionMistake, Scanner
from job_orchestra.domain.similarity import most_similar

LONGEST = 2000
"""Characters of an expression."""
MOST_CONDITIONS = 50
DEEPEST = 20
"""Of parentheses and `not` inside of each other."""

_SIGN = re.compile(r"[=!<>~]+")
_DOT = re.compile(r"\.")
_KEYS = re.compile(r"[\w$-]+(?:\.[\w$-]+)*")
_SIGNS = {one.value: one for one in Comparison}
_CONSTANTS: dict[str, Literal] = {"true": True, "false": False, "null": None}
_VALUE = "a value (a number, a text in quotes, true, false or null)"
_TEST = f"one of {' '.join(_SIGNS)}, in, exists, not exists, contains, starts with"


def parse_expression(text: str, sources: Sequence[Source] = OF_RUNS) -> Expression:
    """Over values of these sources; ExpressionMistake if it is none."""
    if len(text) > LONGEST:
        raise ExpressionMistake(LONGEST, 0, f"an expression has at most {LONGEST} characters; this has {len(text)}")
    return _Parser(Scanner(text), sources).whole()


def parse_result_key(text: str) -> Path:
    """What stands behind `results.`; ExpressionMistake if it is no key."""
    scanner = Scanner(text)
    path = Path(Source.RESULTS, _steps(scanner))
    if scanner.position < len(text):
        raise scanner.mistake("'.' and a key, or the end")
    return path


class _Parser:
    def __init__(self, scanner: Scanner, sources: Sequence[Source]) -> None:
        self._scanner = scanner
        self._sources = sources
        self._conditions = 0
        self._depth = 0

    def whole(self) -> Expression:
        expression = self._alternatives()
        if not self._scanner.is_at_end:
            raise self._scanner.mistake("and, or, or the end")
        return expression

    def _alternatives(self) -> Expression:
        parts = self._parts("or", self._conjunction)
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _conjunction(self) -> Expression:
        parts = self._parts("and", self._term)
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _parts(self, word: str, part: Callable[[], Expression]) -> list[Expression]:
        parts = [part()]
        while self._scanner.take_word(word):
            parts.append(part())
        return parts

    def _term(self) -> Expression:
        scanner = self._scanner
        scanner.skip_space()
        start = scanner.position
        if scanner.take_word("not"):
            return Not(self._nested(start, self._term))
        if scanner.mark("("):
            inner = self._nested(start, self._alternatives)
            if not scanner.mark(")"):
                raise scanner.mistake("and, or, or ')'")
            return inner
        return self._condition(start)

    def _nested(self, start: int, inner: Callable[[], Expression]) -> Expression:
        if self._depth == DEEPEST:
            message = f"parentheses and not stand inside of each other at most {DEEPEST} deep"
            raise ExpressionMistake(start, self._scanner.position - start, message)
        self._depth += 1
        expression = inner()
        self._depth -= 1
        return expression

    def _condition(self, start: int) -> Expression:
        path = self._path(start)
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            message = f"an expression has at most {MOST_CONDITIONS} conditions"
            raise ExpressionMistake(start, self._scanner.position - start, message)
        return self._test(path)

    def _path(self, start: int) -> Path:
        scanner = self._scanner
        word = scanner.word()
        if word is not None and word in self._sources:
            if scanner.take(_DOT, after_space=False) is None:
                raise scanner.mistake("'.' and a key")
            return Path(Source(word), _steps(scanner))
        scanner.position = start
        near = most_similar(word, self._sources) if word else None
        usual = self._sources[-1]
        hint = f"; did you mean {near}?" if near else f"; did you mean {usual}.{scanner.take(_KEYS)}?" if word else ""
        scanner.position = start
        raise scanner.mistake(f"a key that begins with {usual}. or {self._sources[0]}., or not, or '('", hint)

    def _test(self, path: Path) -> Expression:
        scanner = self._scanner
        scanner.skip_space()
        start = scanner.position
        if sign := scanner.take(_SIGN):
            return self._comparison(path, sign, start)
        if scanner.take_word("in"):
            return OneOf(path, self._list())
        if scanner.take_word("exists"):
            return Exists(path)
        if scanner.take_word("not") and scanner.take_word("exists"):
            return Not(Exists(path))
        scanner.position = start
        return self._text_test(path, start)

    def _comparison(self, path: Path, sign: str, start: int) -> Condition:
        scanner = self._scanner
        if sign not in _SIGNS:
            scanner.position = start
            raise scanner.mistake(_TEST)
        comparison = _SIGNS[sign]
        value = self._value()
        if comparison is Comparison.NOT_EQUAL and value is None:
            message = "!= null would match nothing: null differs from null only; write exists, or not … = null"
            raise ExpressionMistake(start, scanner.position - start, message)
        if (value is None or isinstance(value, bool)) and comparison not in (Comparison.EQUAL, Comparison.NOT_EQUAL):
            message = f"{sign} compares numbers or texts; true and false are compared by = and !=, null by ="
            raise ExpressionMistake(start, scanner.position - start, message)
        return Compared(path, comparison, value)

    def _text_test(self, path: Path, start: int) -> Condition:
        scanner = self._scanner
        if scanner.take_word("contains"):
            return Contains(path, self._text())
        if scanner.take_word("starts") and scanner.take_word("with"):
            return StartsWith(path, self._text())
        scanner.position = start
        hint = "; the opposite of any condition is not (…)" if scanner.take_word("not") else ""
        scanner.position = start
        raise scanner.mistake(_TEST, hint)

    def _list(self) -> tuple[Literal, ...]:
        scanner = self._scanner
        if not scanner.mark("("):
            raise scanner.mistake("'(' and values separated by commas")
        values = [self._value()]
        while scanner.mark(","):
            values.append(self._value())
        if not scanner.mark(")"):
            raise scanner.mistake("',' or ')'")
        return tuple(values)

    def _text(self) -> str:
        text = self._scanner.text()
        if text is None:
            raise self._scanner.mistake("a text in quotes")
        return text

    def _value(self) -> Literal:
        scanner = self._scanner
        text = scanner.text()
        if text is not None:
            return text
        number = scanner.number()
        if number is not None:
            return number
        start = scanner.position
        word = scanner.word()
        if word is not None and word.lower() in _CONSTANTS:
            return _CONSTANTS[word.lower()]
        scanner.position = start
        raise scanner.mistake(_VALUE, "; texts stand in quotes" if word else "")


def _steps(scanner: Scanner) -> tuple[Step, ...]:
    """Keys separated by dots, without white space."""
    steps = [_step(scanner)]
    while scanner.take(_DOT, after_space=False):
        steps.append(_step(scanner))
    return tuple(steps)


def _step(scanner: Scanner) -> Step:
    quoted = scanner.text(after_space=False)
    if quoted is not None:
        return quoted
    bare = scanner.take(BARE_STEP, after_space=False)
    if bare is None:
        raise scanner.mistake("a key (letters, digits, _, - and $; any other in quotes)")
    return int(bare) if ELEMENT.fullmatch(bare) else bare
