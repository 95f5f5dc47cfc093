"""The OpenAPI document and a page that shows it: plain HTML without scripts, nothing comes from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from adapters.http.openapi import describe_api

router = APIRouter(tags=["docs"])

STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}code{background:#eee;padding:.1em .3em}"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@router.get("/openapi.json", include_in_schema=False)
async def document(request: Request) -> Response:
    """Give the OpenAPI document of what this process serves."""
    return Response(_once(request.app, "document", json.dumps), media_type="application/json")


@router.get("/docs", include_in_schema=False)
async def page(request: Request) -> HTMLResponse:
    """Give the same as a page."""
    return HTMLResponse(_once(request.app, "page", render_page), headers={"Content-Security-Policy": POLICY})


def _once(app: FastAPI, name: str, make: Callable[[dict[str, Any]], str]) -> str:
    """Return what is the same for everybody, made once: anybody may ask for it, and it takes a tenth of a second."""
    kept: dict[str, str] = app.state.shared.documents
    if name not in kept:
        kept[name] = make(describe_api(app))
    return kept[name]


def render_page(openapi: dict[str, Any]) -> str:
    by_tag: dict[str, list[str]] = {}
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    parts = "".join(f"<h2>{escape(tag)}</h2>{''.join(operations)}" for tag, operations in by_tag.items())
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>AutoLearn</title><style>{STYLE}</style>"
    intro = (
        f"<h1>AutoLearn</h1><p>{_code(openapi['info']['description'])}</p><p><a href=openapi.json>openapi.json</a></p>"
    )
    return f"{head}{intro}{parts}"


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    names = [it["name"] for it in operation.get("parameters", []) if it["in"] == "query"]
    body = "".join(
        f"<li>body: <code>{escape(kind)}</code> {_schema(content['schema'])}</li>"
        for kind, content in operation.get("requestBody", {}).get("content", {}).items()
    )
    query = f"<li>query: {' '.join(f'<code>{escape(name)}</code>' for name in names)}</li>" if names else ""
    answers = " ".join(f"<code>{status}</code>" for status in operation["responses"])
    roles = f"<li>roles: {escape(', '.join(operation['x-roles']))}</li>" if "x-roles" in operation else ""
    lead = f"<h3><code>{method.upper()} {escape(path)}</code></h3><p>{_code(operation.get('description', ''))}</p>"
    return f"{lead}<ul>{roles}{query}{body}<li>answers: {answers}</li></ul>"


def _schema(schema: dict[str, Any]) -> str:
    options = [schema, *schema.get("anyOf", [])]
    return ", ".join(escape(it["$ref"].rpartition("/")[2]) for it in options if "$ref" in it)


def _code(text: str) -> str:
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
