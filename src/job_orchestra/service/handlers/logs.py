from __future__ import annotations

import http
from base64 import b64encode

from starlette.responses import Response

from job_orchestra.domain.runs import Run
from job_orchestra.service.call import Call
from job_orchestra.service.handlers.runs import get_run
from job_orchestra.service.logs import followed, log_key, stored
from job_orchestra.service.parameters import ATTEMPT, FOLLOW, RANGE
from job_orchestra.service.parts import ServiceParts
from job_orchestra.service.problems import Refused
from job_orchestra.service.ranges import read_range
from job_orchestra.service.streams import StreamedResponse, nothing

_TEXT = "text/plain; charset=utf-8"


async def log(parts: ServiceParts, call: Call) -> Response:
    run = await get_run(parts, call)
    if call.value(FOLLOW):
        return await _follow(parts, call, run)
    key = log_key(run, call.value(ATTEMPT))
    size = await parts.log_store.size(key)
    headers = {"Accept-Ranges": "bytes", **_digest(run, key.attempt)}
    wanted = None if call.is_head else read_range(call.value(RANGE), size)
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
    wanted = read_range(call.value(RANGE), await parts.log_store.size(log_key(run, attempt)))
    start = wanted.start if wanted else 0
    status = http.HTTPStatus.PARTIAL_CONTENT if start else http.HTTPStatus.OK
    chunks = nothing() if call.is_head else followed(parts, run, attempt, start)
    return StreamedResponse(chunks, _TEXT, status)


def _digest(run: Run, attempt: int) -> dict[str, str]:
    """RFC 9530: of the whole log, once both sides have compared it."""
    if run.log.sha256 is None or attempt != run.attempt:
        return {}
    return {"Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(run.log.sha256)).decode()}:"}
