"""Clients, for sys-admins: who may call. Keys are derived when they are handed out, and kept nowhere."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.context import Context, RouteContext, command_response
from adapters.http.routes.response_schemas import Clients, ClientView
from commands.answers import clients_body
from commands.call import Answer
from commands.storage.add_client import AddClient
from commands.storage.revoke_client import RevokeClient
from commands.storage.rotate_client import RotateClient
from domain.values import Role

router = APIRouter(tags=["storage"])


@router.get("/clients", responses={200: {"model": Clients}})
async def list_clients(context: Context, when: schemas.WhenQuery) -> Response:
    """List the clients, the first thousand by name."""
    store = context.backend.application.ports.store
    return await context.query(when, lambda at: clients_body(store, at))


@router.post("/clients", status_code=201, responses={201: {"model": ClientView}})
async def add_client(context: Context, body: schemas.NewClient) -> Response:
    """Let a client call; the answer has its key, once."""
    answer = await context.run(AddClient(body.client, cast("tuple[Role, ...]", body.roles)))
    return command_response(_with_key(context, answer), 201, {"Location": "/clients"})


@router.post("/clients/{name}/rotation", responses={200: {"model": ClientView}})
async def rotate_client(context: Context, name: str, _: schemas.Nothing | None = None) -> Response:
    """Give a client its next key; the one before is accepted for 24 h."""
    return command_response(_with_key(context, await context.run(RotateClient(name))))


@router.post("/clients/{name}/revocation", responses={200: {"model": ClientView}})
async def revoke_client(context: Context, name: str, _: schemas.Nothing | None = None) -> Response:
    """Accept nothing of a client any more."""
    return command_response(await context.run(RevokeClient(name)))


def _with_key(context: RouteContext, answer: Answer) -> Answer:
    key = context.backend.keyring.key(answer.body["client"], answer.body["generation"])
    return Answer(answer.body | {"key": key.decode()}, answer.position, answer.head)
