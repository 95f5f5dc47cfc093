"""Names on their way into a path: what cannot be one is told before it is sent, for it would mean another route."""

from __future__ import annotations

from itertools import pairwise
from urllib.parse import quote

from domain.errors import BadInputError, NotFoundError

LONGEST_TARGET = 16_000  # bytes of a path with its query; what a filter of full length takes, percent-encoded
KINDS = {
    "experiments": "experiment",
    "trainings": "experiment",
    "evaluations": "evaluation",
    "reproductions": "reproduction",
    "models": "model",
    "datasets": "data set",
    "measures": "measure",
    "clients": "client",
}


def path_with(*parts: str) -> str:
    """Return a path of names and folders; raises BadInputError for an empty one, NotFoundError for one with a slash."""
    for folder, name in pairwise(parts):
        _check(KINDS.get(folder, "thing"), name)
    return "/".join(("", *(quote(part, safe="") for part in parts)))


def check_length(target: str) -> None:
    """Raise BadInputError for a path with query that the backend would not read."""
    if len(target) > LONGEST_TARGET:
        raise BadInputError(
            f"The arguments are too long: {len(target)} bytes as a path with its query, of at most {LONGEST_TARGET}."
        )


def _check(kind: str, name: str) -> None:
    if not name:
        raise BadInputError(f"An empty text names no {kind}.")
    if "/" in name or name in (".", ".."):
        raise NotFoundError.named(kind, name)
