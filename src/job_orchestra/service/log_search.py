"""Searching a log: some tens of megabytes for each answer, and never for long."""

from __future__ import annotations

import time
from dataclasses import dataclass

from job_orchestra.domain.log_search import AFTER, BEFORE, Hit, LogSearch, excerpt_of
from job_orchestra.protocol.resources.logs import LogHitAnswer, LogSearchAnswer
from job_orchestra.service.parts import ServiceParts
from job_orchestra.storage.log_port import LogKey

_CHUNK = 256 << 10
_MOST_BYTES = 256 << 20
_MOST_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class LogQuestion:
    text: bytes
    ignores_case: bool
    offset: int
    limit: int


async def search_log(parts: ServiceParts, key: LogKey, question: LogQuestion) -> LogSearchAnswer:
    """What was searched is never nothing, however long that took, so that who goes on at its end comes to the log's."""
    store = parts.log_store
    place = await store.place_at(key, question.offset, is_patient=False)
    deadline = time.monotonic() + _MOST_SECONDS
    search = LogSearch(
        question.text,
        ignores_case=question.ignores_case,
        offset=question.offset,
        newlines=None if place is None else place.newlines,
    )
    answers: list[LogHitAnswer] = []
    position, is_over = question.offset, False
    while len(answers) < question.limit and not is_over:
        is_enough = position - question.offset >= _MOST_BYTES or time.monotonic() > deadline
        if is_enough and search.end > question.offset:
            return LogSearchAnswer(answers, search.end)
        data = await store.read(key, position, _CHUNK)
        is_over = not data
        position += len(data)
        hits = search.feed(data, question.limit - len(answers))
        answers += [await _answer(parts, key, hit, len(question.text)) for hit in hits]
    return LogSearchAnswer(answers, None if is_over else search.end)


async def _answer(parts: ServiceParts, key: LogKey, hit: Hit, length: int) -> LogHitAnswer:
    start = max(0, hit.offset - BEFORE)
    data, wanted = b"", hit.offset - start + length + AFTER
    while len(data) < wanted and (piece := await parts.log_store.read(key, start + len(data), wanted - len(data))):
        data += piece
    excerpt = excerpt_of(data, hit.offset - start, length)
    return LogHitAnswer(hit.offset, hit.line, excerpt.before, excerpt.text, excerpt.after)
