"""`autolearn client`: add, list, rotate and revoke clients; `--offline` for who can read the master key."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from autolearn.errors import UnprovenAnswerError
from autolearn.printable import as_json
from autolearn.views import Facts, View
from cli.options import as_of, shared
from cli.terminal import Terminal

ROLES = ("analyst", "sys-admin")

offline = click.option(
    "--offline",
    is_flag=True,
    help="Without a backend: on the data directory (which none may have), or on the database.",
)
out = click.option(
    "--credentials-out", "out", type=click.Path(dir_okay=False, path_type=Path), help="Write them here, mode 0600."
)


@click.group()
def client() -> None:
    """Add, list, rotate and revoke clients."""


@client.command()
@click.argument("name")
@click.option("--role", "roles", multiple=True, type=click.Choice(ROLES), help="Again for both.  [default: analyst]")
@out
@offline
@shared
def add(terminal: Terminal, name: str, roles: tuple[str, ...], out: Path | None, *, offline: bool) -> None:
    """Add the client NAME, and print its credentials or write them to a file.

    A revoked NAME may call again, with a new key and with the roles given here.
    """
    _check_credentials_file(out, name)
    roles = roles or ("analyst",)
    if offline:
        body = _without_backend(terminal, "add", name, roles)
    else:
        body = terminal.client().post("clients", body={"client": name, "roles": list(roles)}).body
    _hand_out(terminal, body, out)
    if body["generation"] > 1:
        terminal.say(
            f"{name} was revoked before and may call again, as {' and '.join(body['roles'])}, with this new key only."
        )


@client.command("list")
@as_of
@offline
@shared
def list_clients(terminal: Terminal, as_of: str | None, *, offline: bool) -> None:
    """List the clients."""
    if offline and as_of:
        raise click.UsageError("--as-of asks a backend: leave out --offline, which knows only what is true now.")
    body = _without_backend(terminal, "list") if offline else terminal.client().get("clients", as_of=as_of).body
    terminal.show(body, View(lambda it: [list(it.get("clients", []))], rows="clients"))


@client.command()
@click.argument("name")
@out
@offline
@shared
def rotate(terminal: Terminal, name: str, out: Path | None, *, offline: bool) -> None:
    """Give the client NAME its next key; the one before is accepted for 24 hours."""
    _check_credentials_file(out, name)
    if offline:
        body = _without_backend(terminal, "rotate", name)
    else:
        body = terminal.client().post("clients", name, "rotation").body
    _hand_out(terminal, body, out)


@client.command()
@click.argument("name")
@offline
@shared
def revoke(terminal: Terminal, name: str, *, offline: bool) -> None:
    """Accept nothing of the client NAME any more."""
    if offline:
        body = _without_backend(terminal, "revoke", name)
    else:
        body = terminal.client().post("clients", name, "revocation").body
    terminal.show(body)


def _check_credentials_file(out: Path | None, name: str) -> None:
    """Refuse a file that cannot be written or holds something else, before the key is made."""
    if out is None:
        return
    if not os.access(out.parent, os.W_OK):
        raise click.UsageError(f"--credentials-out: {out.parent} is not a folder that you may write to.")
    if out.exists():
        try:
            owner = json.loads(out.read_bytes())["client"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            owner = None
        if owner != name:
            raise click.UsageError(
                f"--credentials-out: {out} holds something else than credentials of {name}; nothing done."
            )


def _hand_out(terminal: Terminal, body: Facts, out: Path | None) -> None:
    from autolearn.credentials import Credentials  # noqa: PLC0415 - loads cryptography

    if not body.get("key"):
        raise UnprovenAnswerError("The backend answered without the client's key: rotate the client to get one.")
    key = str(body["key"])
    if out:
        Credentials(body["client"], body["generation"], key.encode()).write(out)
        terminal.show({name: value for name, value in body.items() if name != "key"} | {"credentials": str(out)})
        return
    if terminal.is_for_people:
        click.echo(as_json({"client": body["client"], "generation": body["generation"], "key": key}))
        terminal.say("Shown once: keep it in a file of mode 0600, and let AUTOLEARN_CREDENTIALS name that file.")
        return
    terminal.show(body)


def _without_backend(terminal: Terminal, action: str, name: str | None = None, roles: tuple[str, ...] = ()) -> Facts:
    from autolearn.locations import data_directory  # noqa: PLC0415 - with it
    from server.clients_offline import clients_offline, where  # noqa: PLC0415 - loads the adapters

    answer: Facts = clients_offline(action, str(data_directory()), name, roles)
    terminal.say(f"This is {where(str(data_directory()))}.")
    return answer
