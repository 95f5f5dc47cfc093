"""Answers of the backend, opened: what came, at which position, and whether it was refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPResponse
from typing import Any

from adapters.security.answer_facts import AnswerFacts
from adapters.security.calls import OutgoingCall
from cli.beliefs import PROBLEM, changed, check_plain, not_ours, with_doubt
from cli.problems import ProblemError
from cli.wire import read_whole
from domain.errors import NotAbleError, NotJsonError

REFUSED, NOT_ADMITTED = 400, 401
LONGEST_POSITION = 18  # digits
JSON = ("application/json", PROBLEM)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: `body` is the opened JSON value, or None where `content` (bytes as they came) is none.

    Status and headers are those of the seal; the names of `headers` count in any case, as HTTP says.
    """

    status: int
    headers: Message
    content: bytes
    body: Any
    media: str
    is_sealed: bool

    @property
    def is_refusal(self) -> bool:
        """Whether it is a problem."""
        return self.status >= REFUSED

    @property
    def position(self) -> int:
        """The position that it is true for; 0 where it says none."""
        said = str(self.headers.get("AutoLearn-Position", ""))
        return int(said) if said.isascii() and said.isdigit() and len(said) <= LONGEST_POSITION else 0

    @property
    def head(self) -> str:
        """The chain hash after a command; '' for everything else."""
        return str(self.headers.get("AutoLearn-Head", ""))

    @property
    def audit(self) -> str:
        """The place of the call's own record in the audit log, as `POSITION:HASH`; '' where it says none."""
        return str(self.headers.get("AutoLearn-Audit", ""))

    @property
    def location(self) -> str:
        """Where the task of a 202 can be asked for: a path."""
        return str(self.headers.get("Location", ""))

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


def opened_whole(call: OutgoingCall, facts: AnswerFacts, content: bytes) -> Answer:
    """Open an answer with its seal; raises NotAbleError for a body that is not the one of this seal."""
    if hashlib.sha256(content).hexdigest() != facts.sha256:
        raise changed(call, "another body came than was sent")
    media = facts.headers.get("content-type", "").partition(";")[0]
    if media in JSON:
        try:
            content = call.opened(content)
        except NotJsonError as wrong:
            raise not_ours(call, wrong) from None
    headers = Message()
    for name, value in facts.headers.items():
        headers[name] = value
    body = _json(media, content)
    if facts.status == NOT_ADMITTED and isinstance(body, dict):  # of this sending; whoever holds it may send another
        body |= {"detail": with_doubt(call, str(body.get("detail", "")))}
    return Answer(facts.status, headers, content, body, media, is_sealed=True)


def opened_plain(url: str, call: OutgoingCall, reply: HTTPResponse) -> Answer:
    """Read an answer without a seal; raises NotAbleError where only a sealed one is believed, BrokenError."""
    media, is_open = reply.headers.get_content_type(), check_plain(url, call, reply)
    content = read_whole(reply)
    body = _json(media, content)
    if not is_open:
        told = body if isinstance(body, dict) else {"type": "no-problem-object"}
        detail = str(told.get("detail") or f"The answer was HTTP {reply.status}.")
        body = told | {"detail": with_doubt(call, f"{detail} (This answer is not sealed.)"), "status": reply.status}
    return Answer(reply.status, reply.headers, content, body, media, is_sealed=False)


def _json(media: str, content: bytes) -> Any:
    if media not in JSON or not content:
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise NotAbleError("The answer holds no JSON: who answered may not be the backend. Check the URL.") from None
