"""Answers of the backend, opened: what came, at which position, and whether it was refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPMessage, HTTPResponse
from typing import Any

from adapters.security.calls import OutgoingCall
from adapters.security.sealing import SEALED
from cli.exit_codes import FIRST_SERVER_FAULT
from cli.problems import ProblemError
from domain.errors import NotAbleError, NotJsonError

REFUSED = 400
OPEN_PATHS = ("/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json")
PLAIN_MEDIA = ("application/octet-stream", "text/event-stream")  # raw files; streams whose every event is sealed
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: `body` is the opened JSON value, or None where `content` (bytes as they came) is none.

    The names of `headers` count in any case, as HTTP says: uvicorn writes them small.
    """

    status: int
    headers: HTTPMessage
    content: bytes
    body: Any
    media: str

    @property
    def is_refusal(self) -> bool:
        """Whether it is a problem."""
        return self.status >= REFUSED

    @property
    def position(self) -> int:
        """The position that it is true for; 0 where it says none."""
        said = self.headers.get("AutoLearn-Position", "")
        return int(said) if said.isascii() and said.isdigit() else 0

    @property
    def head(self) -> str:
        """The chain hash after a command; '' for everything else."""
        return self.headers.get("AutoLearn-Head", "")

    @property
    def location(self) -> str:
        """Where the task of a 202 can be asked for: a path."""
        return self.headers.get("Location", "")

    def checked(self) -> Answer:
        """Return it, or raise its refusal as ProblemError."""
        if not self.is_refusal:
            return self
        raise ProblemError(self.status, self.problem)

    @property
    def problem(self) -> dict[str, Any]:
        """The problem object of a refusal."""
        if isinstance(self.body, dict):
            return self.body
        return {"type": "no-problem-object", "detail": f"The answer was HTTP {self.status}.", "status": self.status}


def opened(url: str, call: OutgoingCall, reply: HTTPResponse, content: bytes) -> Answer:
    """Open an answer; raises NotAbleError for one that was not sealed for this very call, though it had to be."""
    media = reply.headers.get_content_type()
    if media not in (SEALED, PROBLEM, *PLAIN_MEDIA) and not _is_ours(call, reply):
        raise NotAbleError(f"What answers at {url} is no AutoLearn backend (HTTP {reply.status}).")
    if media == SEALED:
        try:
            content = call.opened(content)
        except NotJsonError as wrong:
            raise NotAbleError(f"This is not the backend's answer to this call. {wrong.sentence}") from None
        media = PROBLEM if reply.status >= REFUSED else "application/json"
    elif reply.status < REFUSED and media not in PLAIN_MEDIA and not _is_open(call.target):
        raise NotAbleError("The answer was not sealed: whoever answered may not be the backend. Check the URL.")
    return Answer(reply.status, reply.headers, content, _json(media, content), media)


def _is_ours(call: OutgoingCall, reply: HTTPResponse) -> bool:
    """Whether an answer without a seal may be a backend's; a proxy before it may tell (5xx) that it is away."""
    marked = any(name in reply.headers for name in ("AutoLearn-Request", "AutoLearn-Position"))
    return marked or reply.status >= FIRST_SERVER_FAULT or (_is_open(call.target) and reply.status < REFUSED)


def _is_open(target: str) -> bool:
    return target.partition("?")[0].endswith(OPEN_PATHS)


def _json(media: str, content: bytes) -> Any:
    if media not in ("application/json", PROBLEM) or not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        raise NotAbleError("The answer holds no JSON: who answered may not be the backend. Check the URL.") from None
