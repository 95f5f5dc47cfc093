"""Clients, for sys-admins: who may call. Keys are derived when they are handed out, and kept nowhere."""

from __future__ import annotations

from typing import Any, cast

from fastapi import APIRouter, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.query_parameters import When
from adapters.http.routes.response_schemas import Clients, ClientView
from adapters.http.routes.route_context import Here, Visit, told
from commands.call import Answer
from commands.clients.add_client import AddClient
from commands.clients.revoke_client import RevokeClient
from commands.clients.rotate_client import RotateClient
from commands.unit_of_work import load
from domain.client import Client
from domain.values import Role

router = APIRouter(tags=["storage"])

MOST_CLIENTS = 1000


@router.get("/clients", responses={200: {"model": Clients}})
async def list_clients(it: Here, when: When) -> Response:
    """List the clients, the first thousand by name."""
    return await it.ask(when, lambda at: _listed(it, at))


@router.post("/clients", status_code=201, responses={201: {"model": ClientView}})
async def add_client(it: Here, body: schemas.NewClient) -> Response:
    """Let a client call; the answer has its key, once."""
    answer = await it.decide(AddClient(body.client, cast("tuple[Role, ...]", body.roles)))
    return told(_with_key(it, answer), 201, Location="/clients")


@router.post("/clients/{name}/rotation", responses={200: {"model": ClientView}})
async def rotate_client(it: Here, name: str, _: schemas.Nothing | None = None) -> Response:
    """Give a client its next key; the one before is accepted for 24 h."""
    return told(_with_key(it, await it.decide(RotateClient(name))))


@router.post("/clients/{name}/revocation", responses={200: {"model": ClientView}})
async def revoke_client(it: Here, name: str, _: schemas.Nothing | None = None) -> Response:
    """Accept nothing of a client any more."""
    return told(await it.decide(RevokeClient(name)))


def _with_key(visit: Visit, answer: Answer) -> Answer:
    key = visit.backend.keyring.key(answer.body["client"], answer.body["generation"])
    return Answer(answer.body | {"key": key.decode()}, answer.position, answer.head)


def _listed(visit: Visit, at: int | None) -> dict[str, Any]:
    """Read them from the log itself: what counts for a call counts here."""
    store = visit.backend.application.ports.store
    position = store.head()[0] if at is None else at
    clients = [load(store, Client, stream, position) for stream in store.streams("client:", MOST_CLIENTS)]
    shown = [
        {"client": it.name, "roles": list(it.roles), "generation": it.generation, "revoked": it.revoked}
        for it in clients
        if it.exists
    ]
    return {"clients": shown, "position": position}
