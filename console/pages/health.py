"""Health: whether the backend answers from what is newest; who may call it."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from autolearn.errors import ClientError, InvalidInputError
from console.page import Page

ROLES: Final = ("analyst", "sys-admin")


def show_health(page: Page, handed_out: dict[str, Any] | None = None, refused: ClientError | None = None) -> Response:
    """`handed_out` are new credentials: they are shown once, in the answer to the command that made them."""
    page.path = "/health"
    clients = page.ask("clients")["clients"]
    return page.show(
        "health.html",
        title="Health",
        cli=page.cli_line("client list"),
        python=page.python_line("clients"),
        status=refused.status if refused else 200,
        ready=page.client.exchange(page.client.call("GET", "/health/ready")).body,  # 503 has the reason in it
        clients=clients,
        changed=page.changed_since(clients, "client", "clients"),
        roles=ROLES,
        ticked=[str(it) for it in page.form.getlist("role")] if refused else [ROLES[0]],
        typed=page.field("client") if refused else None,
        handed_out=handed_out,
        refused=refused,
    )


def add_client(page: Page) -> Response:
    name, roles = page.field("client"), [str(it) for it in page.form.getlist("role")]
    try:
        if name is None or not roles:
            raise InvalidInputError("Give the client a name, and tick a role.")
        return show_health(page, handed_out=page.send("clients", body={"client": name, "roles": roles}))
    except ClientError as refused:
        return show_health(page, refused=refused)


def rotate_client(page: Page) -> Response:
    try:
        made = page.send("clients", page.part("name"), "rotation")
        return show_health(page, handed_out=made | {"rotated": True})
    except ClientError as refused:
        return show_health(page, refused=refused)


def revoke_client(page: Page) -> Response:
    try:
        page.send("clients", page.part("name"), "revocation")
    except ClientError as refused:
        return show_health(page, refused=refused)
    return page.go("/health")
