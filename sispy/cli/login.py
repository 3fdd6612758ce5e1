"""The commands login and logout."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sispy.cli.exits import Misuse, misuse
from sispy.cli.options import Session, examples, password_from_stdin, session
from sispy.cli.terminal import is_terminal
from sispy.config import Profile, read_config, resolve, update_profile
from sispy.errors import BadRequest, NotFound, Unauthorized
from sispy.remedies import Call, Message
from sispy.text import printable

if TYPE_CHECKING:
    from sispy.client import Client

_BY_COMMAND = """

Who has the token in a keyring need not log in: a profile of the config file may name
the program that prints it.

\b
  [profiles.prod]
  url = "https://sis.example.com"
  username = "anna"
  token_command = "pass show sis/anna"
"""


@click.command(
    epilog=examples(
        "sispy login https://sis.example.com",
        "sispy login --profile test --user anna https://test.example.com",
        "sispy login https://sis.example.com --ca company.pem",
        "sispy login --user importer --persistent nightly --password-stdin < pw.txt",
    )
    + _BY_COMMAND
)
@click.argument("address", metavar="[URL]", required=False)
@click.option("--user", metavar="NAME", help="User to log in as; asked for if not known.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option(
    "--persistent",
    metavar="DESC",
    help="Keep a token that never expires, for a script; DESC describes it.",
)
@click.option(
    "--ca",
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="Certificates to trust, such as your company's; remembered in the profile.",
)
@session
def login(
    address: str | None,
    user: str | None,
    password_stdin: bool,
    persistent: str | None,
    ca: Path | None,
    session: Session,
) -> None:
    """Log in to a server and remember the token, never the password.

    Token, address and user go into a profile of the config file, which only you
    may read; every other command finds them there. A token lasts 8 hours.
    """
    profile = profile_of(session, address)
    if profile.token_command:
        said = f"profile {profile.name!r} has its token from token_command, so there is no need to log in"
        raise Misuse(f"{said}: delete that line to log in with a password, or give --profile NAME.")
    url = profile.url or _ask("Address of the server", "URL")
    name = user or profile.username or _ask("User", "--user")
    kept = {} if ca is None else {"ca_file": str(ca.resolve())}
    client = client_of(session, profile, url, verify=kept.get("ca_file"))
    password = _password(name, url, stdin=password_stdin)
    try:
        client.authenticate(name, password)
    except Unauthorized as exc:
        said = Message(f"{url} does not let {name} in: {exc}", again("asks again"))
        raise Unauthorized(said, exc.http_status_code, exc.code) from exc
    token, expires = client.auth_token, client.token_expires
    if persistent is not None:
        token, expires = _persistent(client, name, persistent), None
    values = {"url": url, "username": name, "token": token, "expires": expires, **kept}
    path = update_profile(profile.name, values)
    until = f"until {expires.astimezone():%Y-%m-%d %H:%M}" if expires else "without end"
    session.say(f"Logged in to {url} as {name} {until}: profile {profile.name!r} in {path}")
    for variable in ("SIS_TOKEN", "SIS_TOKEN_FILE", "SIS_PASSWORD"):
        if os.environ.get(variable):
            session.say(f"Note that {variable} is set: it wins over the token of the profile.")


@click.command(epilog=examples("sispy logout", "sispy logout --profile test"))
@session
def logout(session: Session) -> None:
    """Delete the remembered token, on the server and here."""
    name = profile_of(session, session.url).name
    kept = read_config().get("profiles", {}).get(name, {})  # whatever the environment says beside it
    token, url, user = kept.get("token"), kept.get("url"), kept.get("username")
    if not token or not url or not user:
        session.say(f"Profile {name!r} holds no token: nothing to do.")
        return
    profile = Profile(name, url, user, token, ca_file=kept.get("ca_file"))
    try:
        client_of(session, profile, url).tokens(user).delete(token)
    except (NotFound, Unauthorized):
        session.say("The server does not know the token any more.")
    update_profile(name, {"token": None, "expires": None})
    session.say(f"Logged out of {url}: the token of profile {name!r} is deleted.")


def again(does: str) -> Call:
    """Return the way out of logging in."""
    return Call("`sispy login`", does, ("login",))


def profile_of(session: Session, address: str | None) -> Profile:
    """Return the profile in force, with an address that wins over it.

    Raises:
        Misuse: There is no such profile, or the address is wrong.
    """
    try:
        return resolve(session.profile, url=address or session.url)
    except ValueError as error:
        raise misuse(error) from error


def client_of(session: Session, profile: Profile, url: str, *, verify: str | None = None) -> Client:
    """Return a client of a profile as it is: nobody is asked for a password.

    Raises:
        Misuse: Its options are wrong.
        Unauthorized: The command that prints its token gives none.
    """
    from sispy.client import Client
    from sispy.config import options_of

    options = {"timeout": session.timeout, "verify": verify}
    try:
        return Client(url, auth_token=profile.asked_token(), **options_of(profile, options))
    except ValueError as error:
        raise misuse(error) from error


def _ask(question: str, option: str) -> str:
    if not is_terminal(sys.stdin):
        raise Misuse(f"{question}? There is no terminal to ask: give {option}.")
    return str(click.prompt(question, err=True))


def _password(name: str, url: str, *, stdin: bool) -> str:
    if stdin:
        return password_from_stdin()
    if is_terminal(sys.stdin):
        password = getpass.getpass(printable(f"Password of {name} at {url}: "))
    else:
        raise Misuse("there is no terminal to ask for the password: give --password-stdin.")
    if not password:
        raise Misuse("the password is empty.")
    return password


def _persistent(client: Client, name: str, description: str) -> str:
    """Make a token without end, and delete the one of the login, which has done its work."""
    tokens, login_token = client.tokens(name), str(client.auth_token)
    try:
        return str(tokens.create({"desc": description})["name"])
    except BadRequest as exc:
        if client.users.get(name).to_dict().get("super_user"):
            raise Unauthorized(
                f"{name} is a super user, and SIS gives those no persistent tokens: a leaked one would open "
                "everything for ever. Use a user with just the roles that the script needs",
                exc.http_status_code,
                exc.code,
            ) from exc
        raise
    finally:
        tokens.delete(login_token)
