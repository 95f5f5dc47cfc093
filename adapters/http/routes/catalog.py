"""Catalog: what is on offer; data sets come and go."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.query_parameters import Upload, When
from adapters.http.routes.response_schemas import Catalog, Offered
from adapters.http.routes.route_context import Here, Visit, told
from adapters.http.routes.upload import uploaded, while_connected
from commands.call import Answer
from commands.cancellation import Cancellation
from commands.catalog.register_dataset import RegisterDataset
from commands.catalog.retire_dataset import RetireDataset
from commands.catalog.withdraw_offer import WithdrawOffer

router = APIRouter(tags=["catalog"])

RAW_FILE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/catalog", responses={200: {"model": Catalog}})
async def show_catalog(it: Here, when: When) -> Response:
    """List everything on offer."""
    return await it.ask(when, lambda at: it.backend.queries.catalog(it.viewer, at=at))


def _add_kind(kind: str) -> None:
    @router.get(f"/catalog/{kind}s", name=f"list_{kind}s", responses={200: {"model": Catalog}})
    async def listed(it: Here, when: When) -> Response:
        """List what is on offer."""
        return await it.ask(when, lambda at: it.backend.queries.catalog(it.viewer, f"{kind}s", at=at))

    @router.get(f"/catalog/{kind}s/{{name}}", name=f"show_{kind}", responses={200: {"model": Offered}})
    async def shown(it: Here, name: str, when: When) -> Response:
        """Show one entry."""
        return await it.ask(when, lambda at: _entry(it, f"{kind}s", name, at))


def _entry(it: Visit, shelf: str, name: str, at: int | None) -> dict[str, Any]:
    answer = it.backend.queries.catalog(it.viewer, shelf, name, at)
    entry: dict[str, Any] = answer[shelf][0]
    return entry | {"position": answer["position"]}


for each in ("model", "dataset", "measure"):
    _add_kind(each)


@router.post(
    "/catalog/datasets",
    status_code=201,
    responses={201: {"model": Offered}, 200: {"model": Offered}},
    openapi_extra=RAW_FILE,
)
async def add_dataset(it: Here, request: Request, what: Upload) -> Response:
    """Register a data set from the raw file in the body; 200 where this content is its latest version already."""
    it.passage.held.enter_context(it.live.uploads.taking(it.call.client))
    async with uploaded(it, request) as path:
        facts = what.model_dump(include={"name", "target", "format", "gzip", "licence", "source"})

        async def registered(cancellation: Cancellation) -> Answer:
            async with it.live.ingests.taking(it.call.client):
                return await it.work(RegisterDataset(path=path, cancellation=cancellation, **facts))

        answer = await while_connected(request, registered)
    return told(answer, 201 if answer.body["new"] else 200, Location=f"/catalog/datasets/{what.name}")


@router.post("/catalog/datasets/{name}/retirement", responses={200: {"model": Offered}})
async def retire_dataset(it: Here, name: str, _: schemas.Nothing | None = None) -> Response:
    """Take a data set off the catalog."""
    return told(await it.decide(RetireDataset(name)))


@router.post("/catalog/models/{name}/withdrawal", responses={200: {"model": Offered}})
async def withdraw_model(it: Here, name: str, _: schemas.Nothing | None = None) -> Response:
    """Take a model off the catalog."""
    return told(await it.decide(WithdrawOffer("model", name)))


@router.post("/catalog/measures/{name}/withdrawal", responses={200: {"model": Offered}})
async def withdraw_measure(it: Here, name: str, _: schemas.Nothing | None = None) -> Response:
    """Take a measure off the catalog."""
    return told(await it.decide(WithdrawOffer("measure", name)))
