from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from job_orchestra.cli.connection import find_access
from job_orchestra.cli.logins import logins_file, read_logins, write_logins
from job_orchestra.cli.options import settings_option
from job_orchestra.client.calls import me
from job_orchestra.client.credentials import Credentials
from job_orchestra.domain.errors import OrchestraError, Unauthenticated


@click.command()
@click.argument("url", required=False)
@click.option("--user", envvar="ORCHESTRA_USER", help="Default: asked for.")
@click.option("--token", is_flag=True, help="Log in with a token instead of a password; it is asked for, too.")
@settings_option
def login(settings_file: Path, url: str | None, user: str | None, token: bool) -> None:
    """Log in at the service at URL and remember it, readable by you only.

    Password or token is asked for; from a pipe, it is the first line.
    """
    from job_orchestra.client.synchronous import Client
    from job_orchestra.client.transport import checked_url

    url = checked_url(url or find_access(settings_file, os.environ).url)
    user = user or click.prompt("User", err=True)
    secret = _ask_secret("Token" if token else "Password")
    client = Client(url, Credentials(secret, user) if token else None)
    if token:
        user = client.send(me.get()).user.identifier
    else:
        secret = client.send(me.login(user, secret)).secret
    file = logins_file(os.environ)
    write_logins(file, read_logins(file).with_login(url, Credentials(secret, user)))
    click.echo(f"Logged in at {url} as {user}.")


@click.command()
@click.argument("url", required=False)
@settings_option
def logout(settings_file: Path, url: str | None) -> None:
    """Forget the login at the service at URL, and end its session there."""
    from job_orchestra.client.synchronous import Client

    file = logins_file(os.environ)
    logins = read_logins(file)
    url = (url or logins.last or find_access(settings_file, os.environ).url).rstrip("/")
    credentials = logins.credentials.get(url)
    if credentials is None:
        raise Unauthenticated(f"You are not logged in at {url}.")
    write_logins(file, logins.without(url))
    try:
        client = Client(url, credentials)
        client.send(me.logout())
    except OrchestraError as error:
        # What was asked for is done: the login is forgotten here.
        click.echo(f"Logged out; the session could not be ended at the service: {error}", err=True)
        return
    click.echo(f"Logged out at {url}.")


def _ask_secret(what: str) -> str:
    if sys.stdin.isatty():
        secret: str = click.prompt(what, hide_input=True, err=True)
        return secret
    return sys.stdin.readline().rstrip("\n")
