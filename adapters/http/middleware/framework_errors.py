"""What the web framework refuses by itself, as errors of the one tree: the gate makes problems of them."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import NoReturn

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from adapters.http.problems import MethodNotAllowedError
from domain.errors import BadInputError, NotFoundError, NotJsonError

MOST_ERRORS = 20


async def on_validation_error(_: Request, error: Exception) -> NoReturn:
    """Raise BadInputError with `errors: [{pointer, detail}]`; a pointer is RFC 6901, `?name` a query parameter."""
    if not isinstance(error, RequestValidationError):
        raise error
    found = [
        {"pointer": _pointer(each["loc"]), "detail": str(each["msg"])} for each in list(error.errors())[:MOST_ERRORS]
    ]
    first = found[0]
    raise BadInputError(f"{first['pointer'] or 'The body'}: {first['detail']}.", errors=found) from None


async def on_http_error(request: Request, error: Exception) -> NoReturn:
    """Raise NotFoundError, MethodNotAllowedError or NotJsonError for what the router says."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == HTTPStatus.NOT_FOUND:
        raise NotFoundError("There is no such route; `/openapi.json` lists them.") from None
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "").replace(" ", "").split(",")
        raise MethodNotAllowedError(f"{request.method} is not for this route.", allowed=allowed) from None
    if error.status_code == HTTPStatus.BAD_REQUEST:
        raise NotJsonError("The body cannot be read as JSON.") from None
    raise error


def _pointer(place: Sequence[int | str]) -> str:
    kind, *rest = place
    path = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in rest)
    return f"?{path[1:]}" if kind == "query" else path
