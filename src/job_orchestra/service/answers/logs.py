from __future__ import annotations

from job_orchestra.domain.log_places import LogPlace
from job_orchestra.domain.text_styles import sgr_of
from job_orchestra.protocol.resources.logs import LogPlaceAnswer
from job_orchestra.service.answers.dates import optional_iso


def place_answer(place: LogPlace) -> LogPlaceAnswer:
    return LogPlaceAnswer(place.offset, place.line, sgr_of(place.style), optional_iso(place.date))
