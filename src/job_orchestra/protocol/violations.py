from __future__ import annotations

from job_orchestra.domain.errors import OrchestraError


class ProtocolViolation(OrchestraError):
    """The other side said what makes no sense now; the connection is to be closed with this message."""
