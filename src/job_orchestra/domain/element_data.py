"""The plain form of a pipeline's elements."""

from __future__ import annotations

from job_orchestra.domain.checking import Reader, Table, check_duplicates
from job_orchestra.domain.definitions import After, ElementDefinition
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.retries import RetryPolicy
from job_orchestra.domain.retry_data import RETRY_FIELDS, read_retry, retry_to_data
from job_orchestra.domain.statuses import FINAL_ELEMENT_STATUSES, ElementStatus

ALWAYS = "always"
"""In place of a list of statuses: any of them."""
_OPTIONAL = ("project", "after", "when", "for_each", "parameters", *RETRY_FIELDS, "allow_failure")


def element_to_data(element: ElementDefinition) -> JsonObject:
    for_each = element.for_each
    return {
        "identifier": element.identifier,
        "job": element.job,
        "project": element.project,
        "after": [
            {"element": after.element, "statuses": [status.value for status in after.statuses]}
            for after in element.after
        ],
        "when": element.when,
        "for_each": list(for_each) if isinstance(for_each, tuple) else for_each,
        "parameters": element.parameters,
        **({} if element.retry is None else retry_to_data(element.retry)),
        "allow_failure": element.allow_failure,
    }


def read_elements(table: Table) -> tuple[ElementDefinition, ...]:
    """The elements under the field `elements`; whether they fit together is looked at by `pipelines.checks`."""
    readers = table.items("elements", "a list of elements")
    elements = tuple(_read_element(reader) for reader in readers)
    check_duplicates(((one.identifier, reader) for one, reader in zip(elements, readers, strict=True)), "element")
    for element, reader in zip(elements, readers, strict=True):
        _remember(element.identifier, reader)
    return elements


def _remember(identifier: str, reader: Reader) -> None:
    """For mistakes that are found when all is read, and know the element by its name."""
    elements = reader.place.parent
    if identifier and elements is not None and elements.parent is not None:
        place = elements.parent.named("element", identifier)
        reader.mistakes.remember(place.written_at(reader.place.origin))


def _read_element(reader: Reader) -> ElementDefinition:
    table = reader.table(("identifier", "job"), _OPTIONAL, "an element")
    return ElementDefinition(
        identifier=table.read("identifier", Reader.name, ""),
        job=table.read("job", Reader.name, ""),
        project=table.read("project", _name_or_none, None),
        after=tuple(_read_after(item) for item in table.items("after", "a list of elements")),
        when=table.read("when", Reader.text, ""),
        for_each=table.read("for_each", _read_for_each, None),
        parameters=table.read("parameters", Reader.json_object, {}),
        retry=_read_retry(table),
        allow_failure=table.read("allow_failure", Reader.flag, False),
    )


def _read_retry(table: Table) -> RetryPolicy | None:
    """None: as the job says."""
    retry = read_retry(table)
    return retry if "retries" in table else None


def _read_for_each(reader: Reader) -> str | tuple[JsonValue, ...] | None:
    if reader.value is None or isinstance(reader.value, str):
        return reader.value and reader.text()
    return tuple(item.json() for item in reader.items("a list, or a field that has one"))


def _read_after(reader: Reader) -> After:
    if isinstance(reader.value, str):
        return After(reader.name())
    table = reader.table(("element",), ("statuses",), "the name of an element")
    statuses = table.read("statuses", _read_statuses, After("").statuses)
    if not statuses:
        reader.wrong("names no status, so it would wait for ever")
    return After(table.read("element", Reader.name, ""), statuses)


def _read_statuses(reader: Reader) -> tuple[ElementStatus, ...]:
    if reader.value == ALWAYS:
        return FINAL_ELEMENT_STATUSES
    found = (_read_final(item) for item in reader.items(f"a list of statuses, or {ALWAYS}"))
    return tuple(dict.fromkeys(found)) or (() if isinstance(reader.value, (list, tuple)) else FINAL_ELEMENT_STATUSES)


def _read_final(reader: Reader) -> ElementStatus:
    status = reader.choice(ElementStatus)
    if not status.is_final and reader.value == status:
        reader.wrong(f"{status} is no status that an element ends with; those are {', '.join(FINAL_ELEMENT_STATUSES)}")
    return status


def _name_or_none(reader: Reader) -> str | None:
    return None if reader.value is None else reader.name()
