from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from job_orchestra.domain.errors import Invalid
from job_orchestra.website.forgery import form_token, is_form_token, is_own_origin
from job_orchestra.website.forms import Form, read_form

FORM = "application/x-www-form-urlencoded"


def read(body: bytes, media_type: str = FORM) -> Form:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 7000):
            yield body[start : start + 7000]

    return asyncio.run(read_form(media_type, chunks()))


def test_forms_are_read_as_text() -> None:
    form = read(b"a=1&b=%C3%A4+b&a=2&empty=&lines=x%0D%0Ay", f"{FORM}; charset=utf-8")
    assert form.items == (
        ("a", "1"), ("b", "ä b"), ("a", "2"), ("empty", ""), ("lines", "x\ny"),
    )  # fmt: skip
    assert form.get("a") == "1"
    assert form.get("missing", "x") == "x"
    assert "empty" in form
    assert "missing" not in form
    assert read(b"") == Form()


def test_a_form_that_is_not_utf_8_names_its_fields() -> None:
    with pytest.raises(Invalid) as raised:
        read(b"a=1&bad=x%ff&worse%fe=1")
    assert [str(mistake) for mistake in raised.value.mistakes] == [
        "bad: 'x%FF' is not UTF-8", "worse%FE: 'worse%FE' is not UTF-8",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"a=1", "application/json"), (b"a=1", ""), (b"a=1", "multipart/form-data; boundary=x"),
        (b"no equals sign", FORM), (b"a=\xc3\xa4", FORM), (b"a=" + b"x" * (1 << 20), FORM),
        (b"&".join([b"a=1"] * 1001), FORM),
    ],
)  # fmt: skip
def test_anything_else_is_refused(body: bytes, media_type: str) -> None:
    with pytest.raises(Invalid):
        read(body, media_type)


def test_the_token_of_a_form_belongs_to_one_session() -> None:
    first, second = form_token("secret"), form_token("secret")
    assert first != second
    assert is_form_token(first, "secret")
    assert is_form_token(second, "secret")
    assert not is_form_token(first, "another secret")
    for wrong in ("", "00", "x" * 64, first[:-1], first + "00", "0" * 64):
        assert not is_form_token(wrong, "secret")


def test_a_form_of_another_origin_is_refused() -> None:
    own = frozenset({"https://ci.example"})
    assert is_own_origin("https://ci.example", "same-origin", own)
    assert is_own_origin(None, None, own)
    assert not is_own_origin("https://evil.example", None, own)
    assert not is_own_origin("http://ci.example", None, own)
    assert not is_own_origin("null", None, own)
    for site in ("cross-site", "same-site", "something"):
        assert not is_own_origin("https://ci.example", site, own)
    # Behind a proxy that speaks TLS, we take ourselves for another origin than the browser does.
    assert is_own_origin("https://proxy.example", "same-origin", own)
