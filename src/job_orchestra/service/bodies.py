"""Request bodies: bounded, decoded, and refused with every mistake at once."""

from __future__ import annotations

import http
import re
from collections.abc import Iterator
from itertools import islice
from typing import TypeVar, cast, get_args, get_origin

import msgspec
from starlette.requests import Request

from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.protocol.resources.answers import Body
from job_orchestra.service.problems import Refused
from job_orchestra.service.rules import rule_mistakes

MOST_BYTES = 1 << 20
MOST_RAW_BYTES = 8 << 20
"""Of a body in a form that others chose, such as what is told of a push with thousands of commits."""
_MOST_MISTAKES = 100

BodyType = TypeVar("BodyType", bound=Body)

_PLACE = re.compile(r" - at `\$\.?(?P<place>.*)`$")
_ESCAPE = re.compile(rb"\\(?:(?i:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|(?P<half>(?i:ud[89a-f][0-9a-f]{2}))|.)")
"""Of a pair of surrogates, of half of one, or of anything else."""


async def read_body(request: Request, kind: type[BodyType]) -> BodyType:
    """Refused (400, 413) or Invalid; an empty body stands for one with every field left out."""
    content = await read_bounded(request, MOST_BYTES) or b"{}"
    try:
        body = msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # It stopped at the first mistake, so all of it is looked at once more.
        mistakes = list(islice(_mistakes(_decode(content), kind), _MOST_MISTAKES))
        raise Invalid(mistakes or [Mistake("", str(error))]) from None
    fields = (field.name for field in msgspec.structs.fields(kind))
    mistakes = [mistake for name in fields for mistake in rule_mistakes(kind, name, getattr(body, name))]
    if mistakes:
        raise Invalid(mistakes[:_MOST_MISTAKES])
    return body


def _decode(content: bytes) -> JsonValue:
    try:
        data: JsonValue = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(
            http.HTTPStatus.BAD_REQUEST, _flaw(content) or f"The body is not JSON: {_PLACE.sub('', str(error))}."
        ) from None
    except RecursionError:
        raise Refused(http.HTTPStatus.BAD_REQUEST, "The body is nested too deeply.") from None
    return data


def _flaw(content: bytes) -> str:
    """What the decoder has no good words for; empty if it is something else."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return f"The body is not UTF-8: byte {error.start} is 0x{content[error.start]:02x}."
    half = next((match["half"] for match in _ESCAPE.finditer(content) if match["half"]), None)
    if half:
        return rf"The body has a text with \{half.decode()}: that is half a surrogate pair, which is no character."
    return ""


async def read_bounded(request: Request, most: int) -> bytes:
    """Refused (413) if there are more bytes."""
    # The connection stays open: what comes behind is dropped, and the sender gets to read the answer.
    too_large = Refused(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {most} bytes.")
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > most):
        raise too_large
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > most:
            raise too_large
    return bytes(received)


def _mistakes(data: JsonValue, kind: type[Body]) -> Iterator[Mistake]:
    """Of each field by itself, of its type or else of its rule."""
    if not isinstance(data, dict):
        yield Mistake("", f"the body is {_name(data)}, not an object")
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name, field in fields.items():
        if name not in data:
            if field.required:
                yield Mistake(name, "is missing")
            continue
        wrong = list(_type_mistakes(name, data[name], field.type))
        yield from wrong or rule_mistakes(kind, field.name, data[name])
    for name in data:
        if name not in fields:
            yield Mistake(name[:100], f"is no field of this; it takes {', '.join(fields)}")


def _type_mistakes(place: str, value: JsonValue, kind: object) -> Iterator[Mistake]:
    item = _item_type(kind)
    if item is not None and isinstance(value, list):
        for index, each in enumerate(value):
            yield from _type_mistakes(f"{place}[{index}]", each, item)
        return
    try:
        msgspec.convert(value, cast("type[JsonObject]", kind))
    except msgspec.ValidationError as error:
        message = str(error)
        inner = _PLACE.search(message)
        message = _PLACE.sub("", message).replace("`", "")
        yield Mistake(f"{place}{inner['place']}" if inner else place, message[:1].lower() + message[1:])


def _item_type(kind: object) -> object:
    """Of a list; None where the field is none."""
    return next((get_args(each)[0] for each in (kind, *get_args(kind)) if get_origin(each) is list), None)


def _name(value: JsonValue) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "null"
