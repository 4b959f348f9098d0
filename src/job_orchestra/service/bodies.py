"""Request bodies: bounded, decoded, and refused with every mistake at once."""

from __future__ import annotations

import http
import re
from typing import TypeVar, cast

import msgspec
from starlette.requests import Request

from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.protocol.resources import Body
from job_orchestra.service.problems import Refused

MOST_BYTES = 1 << 20

BodyType = TypeVar("BodyType", bound=Body)

_PLACE = re.compile(r" - at `\$\.?(?P<place>.*)`$")


async def read_body(request: Request, kind: type[BodyType]) -> BodyType:
    """Refused (400, 413) or Invalid; an empty body stands for one with every field left out."""
    content = await _read_bounded(request) or b"{}"
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        # It stopped at the first mistake, so all of it is looked at once more.
        raise Invalid(_mistakes(_decode(content), kind) or [Mistake("", str(error))]) from None


def _decode(content: bytes) -> JsonValue:
    try:
        data: JsonValue = msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        raise Refused(http.HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise Refused(http.HTTPStatus.BAD_REQUEST, "The body is nested too deeply.") from None
    return data


async def _read_bounded(request: Request) -> bytes:
    # The connection stays open: what comes behind is dropped, and the sender gets to read the answer.
    too_large = Refused(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {MOST_BYTES} bytes.")
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > MOST_BYTES):
        raise too_large
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MOST_BYTES:
            raise too_large
    return bytes(received)


def _mistakes(data: JsonValue, kind: type[Body]) -> list[Mistake]:
    """Of each field by itself."""
    if not isinstance(data, dict):
        return [Mistake("", f"the body is {_name(data)}, not an object")]
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    known = ", ".join(fields)
    mistakes = [Mistake(name[:100], f"is no field of this; it takes {known}") for name in data if name not in fields]
    for name, field in fields.items():
        if name in data:
            mistakes += _mistake(name, data[name], field.type)
        elif field.required:
            mistakes.append(Mistake(name, "is missing"))
    return mistakes


def _mistake(name: str, value: JsonValue, kind: object) -> list[Mistake]:
    try:
        msgspec.convert(value, cast("type[JsonObject]", kind))
    except msgspec.ValidationError as error:
        message = str(error)
        inner = _PLACE.search(message)
        message = _PLACE.sub("", message).replace("`", "")
        place = f"{name}{inner['place']}" if inner else name
        return [Mistake(place, message[:1].lower() + message[1:])]
    return []


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
