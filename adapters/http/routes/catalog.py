"""Catalog: what is on offer; data sets come and go."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.context import Context, command_response
from adapters.http.routes.files import receive_file
from adapters.http.routes.response_schemas import Catalog, Offered, ProfileView
from autolearn.protocol.headers import RAW
from commands.call import Answer
from commands.cancellation import Cancellation
from commands.catalog.register_dataset import RegisterDataset
from commands.catalog.retire_dataset import RetireDataset
from commands.catalog.withdraw_offer import WithdrawOffer

router = APIRouter(tags=["catalog"])

RAW_FILE = {"requestBody": {"required": True, "content": {RAW: {"schema": {"type": "string", "format": "binary"}}}}}


@router.get("/catalog", responses={200: {"model": Catalog}})
async def show_catalog(context: Context, when: schemas.WhenQuery) -> Response:
    """List everything on offer."""
    return await context.query(when, lambda at: context.backend.queries.catalog(context.viewer, at=at))


def _add_kind(kind: str) -> None:
    kinds = f"{kind}s"

    @router.get(f"/catalog/{kinds}", name=f"list_{kinds}", responses={200: {"model": Catalog}})
    async def list_kind(context: Context, when: schemas.WhenQuery) -> Response:
        """List what is on offer."""
        return await context.query(when, lambda at: context.backend.queries.catalog(context.viewer, kinds, at=at))

    @router.get(f"/catalog/{kinds}/{{name}}", name=f"show_{kind}", responses={200: {"model": Offered}})
    async def show_entry(context: Context, name: str, when: schemas.WhenQuery) -> Response:
        """Show one entry."""

        def entry(at: int | None) -> dict[str, Any]:
            answer = context.backend.queries.catalog(context.viewer, kinds, name, at)
            return {**answer[kinds][0], "position": answer["position"]}

        return await context.query(when, entry)


for each in ("model", "dataset", "measure"):
    _add_kind(each)


@router.get("/catalog/datasets/{name}/profile", responses={200: {"model": ProfileView}})
async def show_profile(context: Context, name: str, wanted: schemas.ProfileQuery) -> Response:
    """Show what a data set holds, column by column, and what of it to look at before training."""

    def profile(at: int | None) -> dict[str, Any]:
        answer = context.backend.queries.catalog(context.viewer, "datasets", name, at)
        entry, keys = answer["datasets"][0], ("name", "version", "sha256", "rows", "target", "task", "positive")
        body = {key: entry[key] for key in keys} | {"profile": None, "first_rows": [], "position": answer["position"]}
        if entry["profile"] is None:
            return body | {"note": f"Version {entry['version']} has no profile: release 0.1.0 made none."}
        with context.open_blob(entry["profile"]["blob"]["sha256"], f"profile of {name}") as file:
            found = json.load(file)
        names, rows = [it["name"] for it in found["columns"]], found.pop("first_rows")
        shown = [dict(zip(names, row, strict=True)) for row in rows[: wanted.rows or 0]]
        fewer = {"note": f"The profile keeps {len(rows)} rows."} if len(shown) < (wanted.rows or 0) else {}
        return body | {"profile": found, "first_rows": shown} | fewer

    return await context.query(wanted, profile)


@router.post(
    "/catalog/datasets",
    status_code=201,
    responses={201: {"model": Offered}, 200: {"model": Offered}},
    openapi_extra=RAW_FILE,
)
async def add_dataset(context: Context, upload: schemas.UploadQuery) -> Response:
    """Register a data set from the raw file in the body; 200 where this content is its latest version already."""
    client, cancellation = context.request.client, Cancellation()
    context.request.resources.enter_context(context.shared.uploads.take(client))
    async with receive_file(context) as path:
        origin = {"name", "target", "format", "gzip", "licence", "source", "like"}
        facts = {name: getattr(upload, name) for name in origin}
        given = {name: getattr(upload, name) for name in upload.model_fields_set - origin}

        async def register() -> Answer:
            async with context.shared.ingests.take(client):
                return await context.run_long(
                    RegisterDataset(path=path, cancellation=cancellation, given=given, **facts)
                )

        answer = await context.while_connected(cancellation, register)
    status = 201 if answer.body["new"] else 200
    return command_response(answer, status, {"Location": f"/catalog/datasets/{upload.name}"})


@router.post("/catalog/datasets/{name}/retirement", responses={200: {"model": Offered}})
async def retire_dataset(context: Context, name: str, _: schemas.Nothing | None = None) -> Response:
    """Take a data set off the catalog."""
    return command_response(await context.run(RetireDataset(name)))


@router.post("/catalog/models/{name}/withdrawal", responses={200: {"model": Offered}})
async def withdraw_model(context: Context, name: str, _: schemas.Nothing | None = None) -> Response:
    """Take a model off the catalog."""
    return command_response(await context.run(WithdrawOffer("model", name)))


@router.post("/catalog/measures/{name}/withdrawal", responses={200: {"model": Offered}})
async def withdraw_measure(context: Context, name: str, _: schemas.Nothing | None = None) -> Response:
    """Take a measure off the catalog."""
    return command_response(await context.run(WithdrawOffer("measure", name)))
