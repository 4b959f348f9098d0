from __future__ import annotations

from pathlib import Path

import click

from job_orchestra.cli.host import ask_new_password, on_host
from job_orchestra.cli.options import Output, output_option, page_options, settings_option
from job_orchestra.cli.output import Column, iso, moment, print_fields, print_page, yes
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.roles import Role
from job_orchestra.domain.users import User
from job_orchestra.protocol.resources.accounts import UserAnswer
from job_orchestra.protocol.resources.answers import Page

role_option = click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(Role, case_sensitive=False),
    help="May be given several times.",
)


@click.group()
def user() -> None:
    """Create and change users, directly on the database."""


@user.command("create")
@click.argument("identifier")
@role_option
@click.option("--display-name", default="", help="For people.")
@click.option("--password", "has_password", is_flag=True, help="Ask for a password; without one it has tokens only.")
@output_option
@settings_option
def create_user(
    settings_file: Path, output: Output, identifier: str, roles: tuple[Role, ...], display_name: str, has_password: bool
) -> None:
    """Create a user. From a pipe, the password is the first line."""
    password = ask_new_password() if has_password else None
    created = on_host(
        settings_file,
        lambda records: records.accounts.create_user(identifier, roles, display_name, password),
        "user.create",
        {"user": identifier},
        roles=[*roles],
        password=has_password,
    )
    _print_user(output, created)


@user.command("list")
@page_options
@output_option
@settings_option
def list_users(settings_file: Path, output: Output, limit: int, cursor: str | None) -> None:
    """All users."""
    listed = on_host(settings_file, lambda records: records.accounts.list_users(limit, cursor))
    columns: list[Column[UserAnswer]] = [
        Column("user", lambda user: user.identifier),
        Column("name", lambda user: user.display_name),
        Column("roles", lambda user: ", ".join(user.roles)),
        Column("enabled", lambda user: yes(user.is_enabled)),
        Column("password", lambda user: yes(user.has_password)),
    ]
    print_page(output, Page([_answer(user) for user in listed.items], listed.next), columns)


@user.command("update")
@click.argument("identifier")
@role_option
@click.option("--no-roles", is_flag=True, help="Take all roles away.")
@click.option("--display-name", help="For people.")
@output_option
@settings_option
def update_user(
    settings_file: Path,
    output: Output,
    identifier: str,
    roles: tuple[Role, ...],
    no_roles: bool,
    display_name: str | None,
) -> None:
    """Change what is given; the roles that are given replace those that it has.

    The only enabled administrator stays one.
    """
    if roles and no_roles:
        raise click.UsageError("Give --role or --no-roles.")
    wanted = roles if roles or no_roles else None
    changes: JsonObject = {} if wanted is None else {"roles": [*wanted]}
    if display_name is not None:
        changes["display_name"] = display_name
    updated = on_host(
        settings_file,
        lambda records: records.accounts.update_user(identifier, display_name, wanted),
        "user.update",
        {"user": identifier},
        **changes,
    )
    _print_user(output, updated)


@user.command("enable")
@click.argument("identifier")
@output_option
@settings_option
def enable_user(settings_file: Path, output: Output, identifier: str) -> None:
    """Give a disabled user its roles back."""
    _print_user(output, _switch(settings_file, identifier, is_enabled=True))


@user.command("disable")
@click.argument("identifier")
@output_option
@settings_option
def disable_user(settings_file: Path, output: Output, identifier: str) -> None:
    """Leave a user nothing but its own account; not the only enabled administrator."""
    _print_user(output, _switch(settings_file, identifier, is_enabled=False))


@user.command("password")
@click.argument("identifier")
@settings_option
def set_password(settings_file: Path, identifier: str) -> None:
    """Set a password and end the user's sessions. From a pipe, it is the first line."""
    password = ask_new_password()
    target: JsonObject = {"user": identifier}
    on_host(settings_file, lambda records: records.accounts.set_password(identifier, password), "user.password", target)


@user.command("delete")
@click.argument("identifier")
@settings_option
def delete_user(settings_file: Path, identifier: str) -> None:
    """Delete a user that is disabled and owns no worker, with its tokens."""
    target: JsonObject = {"user": identifier}
    on_host(settings_file, lambda records: records.accounts.delete_user(identifier), "user.delete", target)


def _switch(settings_file: Path, identifier: str, *, is_enabled: bool) -> User:
    action = "user.enable" if is_enabled else "user.disable"
    return on_host(
        settings_file,
        lambda records: records.accounts.set_user_enabled(identifier, is_enabled),
        action,
        {"user": identifier},
    )


def _answer(user: User) -> UserAnswer:
    return UserAnswer(
        identifier=user.identifier,
        display_name=user.display_name,
        roles=[role.value for role in user.roles],
        is_enabled=user.is_enabled,
        has_password=user.password is not None,
        created_at=iso(user.created_at),
    )


def _print_user(output: Output, user: User) -> None:
    answer = _answer(user)
    fields = [
        ("user", answer.identifier),
        ("name", answer.display_name),
        ("roles", ", ".join(answer.roles) or "none"),
        ("enabled", yes(answer.is_enabled)),
        ("password", yes(answer.has_password)),
        ("created", moment(answer.created_at)),
    ]
    print_fields(output, answer, fields)
