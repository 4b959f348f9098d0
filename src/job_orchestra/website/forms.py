"""What a form sent: read within bounds, kept as text."""

from __future__ import annotations

from collections.abc import AsyncIterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.protocol.addresses import flaw_of_encoding, shown_encoded
from job_orchestra.website.refusals import FormTooLarge

LARGEST = 1 << 20
MOST_FIELDS = 1000
_MEDIA_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Form:
    """Names and values in the order in which they were sent."""

    items: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """The first value of that name."""
        return next((value for item, value in self.items if item == name), default)

    def __contains__(self, name: str) -> bool:
        return any(item == name for item, _ in self.items)


async def read_form(media_type: str, body: AsyncIterable[bytes]) -> Form:
    """Invalid for anything but a form of moderate size."""
    if media_type.partition(";")[0].strip().lower() != _MEDIA_TYPE:
        raise Invalid.at("", f"This address takes {_MEDIA_TYPE}, not {media_type or 'nothing'!r}.")
    content = bytearray()
    async for chunk in body:
        content += chunk
        if len(content) > LARGEST:
            raise FormTooLarge.at("", f"The form is larger than {LARGEST} bytes.")
    try:
        items = parse_qsl(
            content.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(content),
            errors="surrogateescape",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise Invalid.at("", "The form is malformed.") from None
    mistakes = [
        Mistake(shown_encoded(name), flaw)
        for name, value in items
        if (flaw := flaw_of_encoding(value) or flaw_of_encoding(name))
    ]
    if mistakes:
        raise Invalid(mistakes)
    # Browsers send lines of a text area with carriage returns; nobody typed them.
    return Form(tuple((name, value.replace("\r\n", "\n")) for name, value in items))
