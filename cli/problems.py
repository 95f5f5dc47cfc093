"""What is said when something is refused: the problem object (RFC 9457) in JSON modes, else one readable sentence."""

from __future__ import annotations

import json
import re
from typing import Any

from domain.errors import AutoLearnError

# The last characters stay, they close quotes; digests, cursors' beginnings and paths are shorter.
LONG_WORD = re.compile(r"(\S{200})\S{100,}(\S{3})")
HINTS = {"nearest": "Nearest", "allowed": "Allowed", "candidates": "Candidates", "unfinished": "Unfinished"}


class ProblemError(Exception):
    """The backend refused a call: its status and its problem object."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(sentence(problem))
        self.status = status
        self.problem = problem

    @property
    def slug(self) -> str:
        """The stable name of the problem."""
        return slug_of(self.problem)


def slug_of(problem: dict[str, Any]) -> str:
    """Return the last part of a problem's `type`."""
    return str(problem.get("type", "")).rpartition("/")[2].rpartition(":")[2]


def problem_of(error: AutoLearnError) -> dict[str, Any]:
    """Return an error of this side in the shape of a problem of the backend."""
    title = error.slug.replace("-", " ").capitalize()
    return {"type": error.slug, "title": title, "detail": error.sentence, **error.facts}


def sentence(problem: dict[str, Any]) -> str:
    """Return the problem in one sentence, with the names or values that would be right where it has some."""
    said = str(problem.get("detail") or problem.get("title") or "The backend refused the call.")
    for key, lead in HINTS.items():
        values = problem.get(key)
        if isinstance(values, list) and values and not any(str(value) in said for value in values):
            said += f" {lead}: {', '.join(map(_shown, values))}."
    return shortened(said)


def shortened(text: str) -> str:
    """Cut words that no one reads to their end: a megabyte of an argument tells nothing."""
    return LONG_WORD.sub(lambda match: f"{match[1]}…{match[2]}", text)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
