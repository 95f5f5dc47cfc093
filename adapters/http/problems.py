"""Problems (RFC 9457): the one table from a refusal's slug to its HTTP status and title."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from domain.errors import AutoLearnError, BadInputError

RETRY_SECONDS = "1"
COME_AGAIN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)

KINDS: dict[str, tuple[int, str]] = {
    "not-json": (400, "Not the JSON of this request"),
    "not-http": (400, "Not HTTP"),
    "not-authenticated": (401, "Not authenticated"),
    "forbidden": (403, "Not allowed"),
    "not-found": (404, "Not found"),
    "method-not-allowed": (405, "Method not allowed"),
    "too-slow": (408, "Too slow"),
    "conflict": (409, "Not in this state"),
    "ambiguous-id": (409, "Several experiments have this beginning"),
    "unfinished": (409, "Not finished yet"),
    "request-used": (409, "Request answered before"),
    "data-directory-in-use": (409, "Data directory in use"),
    "damaged-topic": (409, "Damaged topic"),
    "too-large": (413, "Too large"),
    "target-too-long": (414, "Target too long"),
    "not-sealed": (415, "Not sealed"),
    "bad-input": (422, "Bad input"),
    "bad-setting": (422, "Bad setting"),
    "bad-filter": (422, "Bad filter"),
    "ambiguous-name": (422, "Ambiguous name"),
    "bad-cursor": (422, "Bad cursor"),
    "key-reused": (422, "Key used for something else"),
    "too-many": (429, "Too many at a time"),
    "headers-too-large": (431, "Headers too large"),
    "internal-error": (500, "Internal error"),
    "not-able-now": (503, "Not able now"),
    "position-not-reached": (503, "Position not reached"),
    "outcome-recorded": (503, "Outcome recorded"),
    "disk-full": (507, "Too little free disk"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal on its way out: status, the JSON object, and headers of its own."""

    slug: str
    detail: str
    facts: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.slug][0]

    @property
    def title(self) -> str:
        """What kind of refusal it is, in a few words."""
        return KINDS[self.slug][1]

    @property
    def body(self) -> bytes:
        """The problem object; facts never hide its own members."""
        own = {"type": self.slug, "title": self.title, "status": self.status, "detail": self.detail}
        return json.dumps(own | {name: fact for name, fact in self.facts.items() if name not in own}).encode()


class MethodNotAllowedError(BadInputError):
    """The path exists, the method does not; facts: `allowed`."""

    slug = "method-not-allowed"


def problem_of(error: AutoLearnError) -> Problem:
    """Return the problem that tells of a refusal."""
    slug = error.slug if error.slug in KINDS else AutoLearnError.slug
    return Problem(slug, error.sentence, error.facts, _headers(KINDS[slug][0], error.facts))


def _headers(status: int, facts: dict[str, Any]) -> dict[str, str]:
    """Return what HTTP asks for beside the body (RFC 9110: 401, 405, 503; RFC 6585: 429)."""
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "AutoLearn"}
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return {"Allow": ", ".join(facts.get("allowed", []))}
    return {"Retry-After": RETRY_SECONDS} if status in COME_AGAIN else {}


INTERNAL = Problem("internal-error", "Something went wrong inside the backend; its own log says what.")
