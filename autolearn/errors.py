"""The errors of the client. `slug` is the stable `type` of the problem object that a script sees."""

from __future__ import annotations

import json
import re
from typing import Any

NOT_FOUND = "not-found"
NOT_REACHED = "position-not-reached"
OUTCOME_RECORDED = "outcome-recorded"

HINTS = {"nearest": "Nearest", "allowed": "Allowed", "candidates": "Candidates", "unfinished": "Unfinished"}
# The last characters stay, they close quotes; digests, paths and the start of a cursor are shorter.
LONG_WORD = re.compile(r"(\S{200})\S{100,}(\S{3})")


class ClientError(Exception):
    """`status` is the HTTP status with which a proxy passes it on, `problem` its problem object (RFC 9457)."""

    slug: str = "internal-error"
    status: int = 503

    def __init__(self, sentence: str, **facts: Any) -> None:
        super().__init__(sentence)
        title = self.slug.replace("-", " ").capitalize()
        self.problem: dict[str, Any] = {"type": self.slug, "title": title, "detail": sentence, **facts}


class ProblemError(ClientError):
    """The backend refused the call; `slug` and `problem` are its own."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(sentence_of(problem))
        self.status, self.problem, self.slug = status, problem, slug_of(problem)


class NotFoundError(ProblemError):
    """There is no such thing, or not for this client; `problem["nearest"]` has names like it."""


class NotAllowedError(ProblemError):
    """The backend does not know this client, or its roles do not allow the call."""


class ConflictError(ProblemError):
    """Not in this state: something is unfinished, done already, or a short id means several things."""


class NotAbleError(ProblemError):
    """Not now: too many at a time, no disk, or a part of the backend is away. The same call may work later."""


class UnreachableError(ClientError):
    """Nobody answers at the URL."""

    slug = "unreachable"


class NoAnswerError(ClientError):
    """The answer did not come in time, or not to its end."""

    slug = "not-able-now"


class UnprovenAnswerError(ClientError):
    """The answer does not carry the backend's seal for this call."""

    slug = "not-able-now"


class MissingCredentialsError(ClientError):
    """The named credentials file does not exist."""

    slug, status = "not-authenticated", 401


class InvalidInputError(ClientError):
    """An argument or file that cannot be used; nothing was sent, or with RefusedInputError nothing done."""

    slug, status = "bad-input", 400


class RefusedInputError(ProblemError, InvalidInputError):
    """The backend says what of the input is wrong, and what would be right."""


class MissingPackageError(ClientError, ImportError):
    """A method needs a package that is not installed."""

    slug = "missing-package"


class WaitTimeoutError(ClientError):
    """The task has not ended within the given time."""

    slug = "waited-too-long"


class TaskFailedError(ClientError):
    """A task did not end well: it failed, or was cancelled. `task` is how it ended."""

    slug = "task-failed"

    def __init__(self, sentence: str, task: Any) -> None:
        super().__init__(sentence)
        self.task = task


class BrokenSealError(ClientError):
    """The bytes were not sealed with this key, or not for this call."""

    slug = "not-json"


OF_STATUS: dict[int, type[ProblemError]] = {
    **dict.fromkeys((400, 413, 414, 415, 422), RefusedInputError),
    **dict.fromkeys((401, 403), NotAllowedError),
    **dict.fromkeys((408, 429), NotAbleError),
    404: NotFoundError,
    409: ConflictError,
}
FIRST_SERVER_FAULT = 500


def refusal(status: int, problem: dict[str, Any]) -> ProblemError:
    """Return the error of a problem by its status."""
    other = NotAbleError if status >= FIRST_SERVER_FAULT else ProblemError
    return OF_STATUS.get(status, other)(status, problem)


def slug_of(problem: dict[str, Any]) -> str:
    """Return the last part of a problem's `type`."""
    return str(problem.get("type", "")).rpartition("/")[2].rpartition(":")[2]


def sentence_of(problem: dict[str, Any]) -> str:
    """Return the problem in one sentence, with the names or values that would be right where it has some."""
    text = str(problem.get("detail") or problem.get("title") or "The backend refused the call.")
    for key, lead in HINTS.items():
        values = problem.get(key)
        if isinstance(values, list) and values and not any(str(value) in text for value in values):
            listed = ", ".join(value if isinstance(value, str) else json.dumps(value) for value in values)
            text += f" {lead}: {listed}."
    return shortened(text)


def shortened(text: str) -> str:
    """Cut very long words: an argument of a megabyte helps nobody."""
    return LONG_WORD.sub(r"\1…\2", text)
