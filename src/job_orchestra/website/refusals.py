"""Errors that only pages know: each is one of `domain.errors` that says more exactly what is wrong."""

from __future__ import annotations

from job_orchestra.domain.errors import Forbidden, Invalid


class AddressInvalid(Invalid):
    """The address says something that no page can be asked for, or not in UTF-8."""


class AddressTooLong(Invalid):
    pass


class FormTooLarge(Invalid):
    pass


class FormForged(Forbidden):
    """The form does not come from a page that was made for who sends it."""
