from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from job_orchestra.protocol.resources.answers import Page
from job_orchestra.repositories.paging import Listed

Record = TypeVar("Record")
AnswerType = TypeVar("AnswerType")


def page(listed: Listed[Record], answer: Callable[[Record], AnswerType]) -> Page[AnswerType]:
    return Page([answer(record) for record in listed.items], listed.next)
