from __future__ import annotations

import re
from pathlib import Path

import click

from job_orchestra.cli.host import on_host
from job_orchestra.cli.options import Output, output_option, page_options, settings_option
from job_orchestra.cli.output import Column, iso, moment, print_json, print_page
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.users import Token, TokenKind
from job_orchestra.protocol.resources.accounts import NewTokenAnswer, TokenAnswer
from job_orchestra.protocol.resources.answers import Page

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Duration(click.ParamType[float]):
    """`90s`, `30m`, `12h` or `30d`, in seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = re.fullmatch(r"(\d{1,9})([smhd])", str(value))
        if match is None:
            self.fail(f"{value!r} is no duration: write 90s, 30m, 12h or 30d.", param, ctx)
        return int(match[1]) * _UNITS[match[2]]


@click.group()
def token() -> None:
    """Create, list and delete tokens, directly on the database."""


@token.command("create")
@click.argument("user")
@click.option("--description", default="", help="What it is for.")
@click.option("--expires-in", type=Duration(), help="90s, 30m, 12h or 30d; default: never.")
@output_option
@settings_option
def create_token(settings_file: Path, output: Output, user: str, description: str, expires_in: float | None) -> None:
    """Create a token and print its secret, which cannot be shown again, alone on a line."""
    new = on_host(
        settings_file,
        lambda records: records.accounts.create_token(user, TokenKind.PERSONAL, description, expires_in),
        "token.create",
        {"user": user},
        description=description,
        expires_in=expires_in,
    )
    answer = NewTokenAnswer(new.token.identifier, new.secret, _expiry(new.token))
    if output is Output.JSON:
        print_json(answer)
    else:
        click.echo(answer.secret)


@token.command("list")
@click.argument("user")
@page_options
@output_option
@settings_option
def list_tokens(settings_file: Path, output: Output, user: str, limit: int, cursor: str | None) -> None:
    """The tokens of a user, without their secrets."""
    listed = on_host(settings_file, lambda records: records.accounts.list_tokens(user, limit, cursor))
    columns: list[Column[TokenAnswer]] = [
        Column("token", lambda token: token.identifier),
        Column("kind", lambda token: token.kind),
        Column("created", lambda token: moment(token.created_at)),
        Column("expires", lambda token: moment(token.expires_at) or "never"),
        Column("description", lambda token: token.description),
    ]
    print_page(output, Page([_answer(token) for token in listed.items], listed.next), columns)


@token.command("delete")
@click.argument("user")
@click.argument("token")
@settings_option
def delete_token(settings_file: Path, user: str, token: str) -> None:
    """Delete a token of a user; it is worth nothing from then on."""
    target: JsonObject = {"user": user, "token": token}
    on_host(settings_file, lambda records: records.accounts.delete_token(user, token), "token.delete", target)


def _answer(token: Token) -> TokenAnswer:
    return TokenAnswer(
        identifier=token.identifier,
        user=token.user,
        kind=token.kind.value,
        description=token.description,
        created_at=iso(token.created_at),
        expires_at=_expiry(token),
    )


def _expiry(token: Token) -> str | None:
    return None if token.expires_at is None else iso(token.expires_at)
