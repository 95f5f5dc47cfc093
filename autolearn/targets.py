"""Targets: paths with their query. What cannot be a name in a path is refused here: it would mean another route."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from urllib.parse import quote, urlencode

from autolearn.errors import InvalidInputError, refusal

LONGEST_TARGET = 16_000  # bytes, percent-encoded; room for the longest filter
KINDS = {
    "experiments": "experiment",
    "trainings": "experiment",
    "evaluations": "evaluation",
    "reproductions": "reproduction",
    "predictions": "prediction",
    "models": "model",
    "datasets": "data set",
    "measures": "measure",
    "clients": "client",
}


def target_of(path: tuple[str, ...], query: dict[str, Any]) -> str:
    """Return the target of folders and names; values that are None are left out.

    Raises InvalidInputError for an empty name and text that is not Unicode, ProblemError (404) for a name with a slash.
    """
    for folder, name in pairwise(path):
        kind = KINDS.get(folder, "thing")
        if not name:
            raise InvalidInputError(f"An empty text names no {kind}.")
        if "/" in name or name in (".", ".."):
            detail = f"There is no {kind} {name!r}."
            raise refusal(404, {"type": "not-found", "title": "Not found", "detail": detail, "nearest": []})
    given = {name: value for name, value in query.items() if value is not None}
    try:
        target = "/".join(("", *(quote(part, safe="") for part in path)))
        return target + (f"?{urlencode(given)}" if given else "")
    except UnicodeEncodeError as wrong:
        raise InvalidInputError(f"{wrong.object!r} is not Unicode text.") from None


def check_length(target: str) -> None:
    """Raise InvalidInputError for a target that the backend would not read."""
    if len(target) > LONGEST_TARGET:
        raise InvalidInputError(
            f"The arguments are too long: {len(target)} bytes as a path with its query, of at most {LONGEST_TARGET}."
        )
