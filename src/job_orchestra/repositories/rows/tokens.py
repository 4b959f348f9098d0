from __future__ import annotations

from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.users import Token, TokenKind
from job_orchestra.repositories.rows.columns import moment, optional_microseconds, optional_moment, text
from job_orchestra.storage.port import Row


def token_to_row(token: Token) -> Row:
    return {
        "identifier": token.identifier,
        "user": token.user,
        "kind": token.kind.value,
        "sha256": token.sha256,
        "description": token.description,
        "created_at": to_microseconds(token.created_at),
        "expires_at": optional_microseconds(token.expires_at),
    }


def token_from_row(row: Row) -> Token:
    return Token(
        identifier=text(row, "identifier"),
        user=text(row, "user"),
        kind=TokenKind(text(row, "kind")),
        sha256=text(row, "sha256"),
        created_at=moment(row, "created_at"),
        description=text(row, "description"),
        expires_at=optional_moment(row, "expires_at"),
    )
