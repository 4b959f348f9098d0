from __future__ import annotations

import http
from base64 import b64encode

from starlette.responses import Response

from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.roles import Permission
from job_orchestra.domain.runs import Run
from job_orchestra.protocol.resources.logs import LogPlacesAnswer, LogSearchAnswer
from job_orchestra.service.answers.logs import place_answer
from job_orchestra.service.authorization import require
from job_orchestra.service.call import Call
from job_orchestra.service.handlers.runs import get_run
from job_orchestra.service.late_reports import find_late_report, late_log_key
from job_orchestra.service.log_search import LogQuestion, search_log
from job_orchestra.service.logs import find_place, followed, log_key, stored
from job_orchestra.service.parameters import (
    ATTEMPT,
    FOLLOW,
    HIT_LIMIT,
    IF_RANGE,
    IGNORE_CASE,
    LINE,
    OFFSET,
    RANGE,
    SEARCH_FROM,
    SOUGHT,
    UNTIL,
)
from job_orchestra.service.parts import ServiceParts
from job_orchestra.service.problems import Refused
from job_orchestra.service.ranges import ByteRange, read_range
from job_orchestra.service.streams import StreamedResponse, nothing
from job_orchestra.storage.log_port import LogKey

_TEXT = "text/plain; charset=utf-8"
_MOST_PLACES = 2000


async def log(parts: ServiceParts, call: Call) -> Response:
    run = await get_run(parts, call)
    if call.value(FOLLOW):
        return await _follow(parts, call, run)
    key = log_key(run, call.value(ATTEMPT))
    return await _stored(parts, call, key, _sha256_of(run, key.attempt))


def _sha256_of(run: Run, attempt: int) -> str | None:
    if attempt == run.attempt:
        return run.log.sha256
    return next((past.log.sha256 for past in run.past_attempts if past.attempt == attempt), None)


async def late_log(parts: ServiceParts, call: Call) -> Response:
    report = await find_late_report(parts, await get_run(parts, call), call.path["attempt"])
    return await _stored(parts, call, late_log_key(report.account), report.account.log.sha256)


async def places(parts: ServiceParts, call: Call) -> LogPlacesAnswer:
    key = log_key(await get_run(parts, call), call.value(ATTEMPT))
    offset, line, until = call.value(OFFSET), call.value(LINE), call.value(UNTIL)
    if (offset is None) == (line is None):
        raise Invalid.at("", "Either `offset` or `line` has to be given.")
    size = await parts.log_store.size(key)
    place = await find_place(parts, key, offset, line)
    if place is None:
        return LogPlacesAnswer(size, [])
    behind = [] if until is None else await parts.log_store.places(key, place.offset, until, _MOST_PLACES)
    return LogPlacesAnswer(size, [place_answer(one) for one in (place, *behind)])


async def search(parts: ServiceParts, call: Call) -> LogSearchAnswer:
    key = log_key(await get_run(parts, call), call.value(ATTEMPT))
    sought = call.value(SOUGHT)
    if sought is None:
        raise Invalid.at("text", "What is sought has to be given.")
    question = LogQuestion(sought.encode(), call.value(IGNORE_CASE), call.value(SEARCH_FROM), call.value(HIT_LIMIT))
    return await search_log(parts, key, question)


async def _stored(parts: ServiceParts, call: Call, key: LogKey, sha256: str | None) -> Response:
    """What is stored of a log, or the range of it that is asked for; `sha256` is that of the whole log, if known."""
    size = await parts.log_store.size(key)
    headers = {"Accept-Ranges": "bytes", **_digest(sha256)}
    wanted = _wanted(call, size)
    start, end, status = 0, size, http.HTTPStatus.OK
    if wanted is not None:
        start, end = wanted.start, size if wanted.end is None else min(wanted.end, size)
        if start >= size:
            raise Refused(
                http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
                f"The log has {size} bytes.",
                {"Content-Range": f"bytes */{size}"},
            )
        status = http.HTTPStatus.PARTIAL_CONTENT
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    chunks = nothing() if call.is_head else stored(parts, key, start, end)
    return StreamedResponse(chunks, _TEXT, status, headers)


async def _follow(parts: ServiceParts, call: Call, run: Run) -> Response:
    """A range may say where to begin; its end is nobody's guess, so no Content-Range is answered."""
    attempt = call.value(ATTEMPT)
    wanted = _wanted(call, await parts.log_store.size(log_key(run, attempt)))
    start = wanted.start if wanted else 0
    status = http.HTTPStatus.PARTIAL_CONTENT if start else http.HTTPStatus.OK

    async def check() -> None:
        """Unauthenticated or Forbidden for who may not read any more."""
        require(await parts.accounts.recall(call.caller), Permission.READ)

    chunks = nothing() if call.is_head else followed(parts, run, attempt, start, check)
    return StreamedResponse(chunks, _TEXT, status)


def _wanted(call: Call, size: int) -> ByteRange | None:
    """Only GET knows ranges; and no answer has a validator, so one that is to match the log's does not."""
    if call.is_head or call.value(IF_RANGE) is not None:
        return None
    return read_range(call.value(RANGE), size)


def _digest(sha256: str | None) -> dict[str, str]:
    """RFC 9530: of the whole log, once both sides have compared it."""
    return {} if sha256 is None else {"Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(sha256)).decode()}:"}
