"""Answers of the backend. A client accepts one with the seal of its call; without, only that the call was refused."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from autolearn.errors import BrokenSealError, NoAnswerError, UnprovenAnswerError, refusal
from autolearn.outgoing_call import OutgoingCall
from autolearn.protocol.answer_facts import ONLY_SEALED, AnswerFacts, is_sealed
from autolearn.protocol.headers import AUDIT, EVENT_STREAM, HEAD, LAG, POSITION, PROBLEM, RAW, REQUEST_ID, SEAL, SEALED
from autolearn.transport import read_body

if TYPE_CHECKING:
    from email.message import Message
    from http.client import HTTPResponse

FIRST_PROBLEM, NOT_AUTHENTICATED, FIRST_SERVER_FAULT = 400, 401, 500
LONGEST_POSITION = 18  # digits
LAGGING = re.compile(r"([0-9]{1,18})/([0-9]{1,18})(?:; seconds=([0-9]{1,18}))?")
JSON = ("application/json", PROBLEM)
# Answered in plain, as the backend's policy says; a gateway asks one service that is named before.
OPEN_TARGETS = re.compile(r"(/services/[a-z]+)?/(health/live|health/ready|metrics|docs|openapi\.json)")
# Refused before the caller's key is known: HTTP itself, Host, size, pace, a token of another key. Beside them 5xx of a
# proxy in between. The backend seals all the rest.
UNSEALED_STATUSES = frozenset({400, 401, 403, 408, 413, 414, 431})


@dataclass(frozen=True, slots=True)
class Response:
    """`body` is the JSON value, None where `content` (the bytes) is none. Status and headers are those of the seal."""

    status: int
    headers: Message
    content: bytes
    body: Any
    media: str
    is_sealed: bool

    @property
    def is_problem(self) -> bool:
        return self.status >= FIRST_PROBLEM

    @property
    def position(self) -> int:
        """The position that it is true for; 0 where it says none."""
        text = str(self.headers.get(POSITION, ""))
        return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_POSITION else 0

    @property
    def head(self) -> str:
        """The chain hash after a command; '' for everything else."""
        return str(self.headers.get(HEAD, ""))

    @property
    def audit(self) -> str:
        """The call's own record in the audit log, as `POSITION:HASH`; '' where it says none."""
        return str(self.headers.get(AUDIT, ""))

    @property
    def lag(self) -> str:
        """How old it is, where read models catch up: `as of position 7 of 12, 3 s to go`; '' where it is of now."""
        told = LAGGING.fullmatch(str(self.headers.get(LAG, "")))
        if told is None:
            return ""
        to_go = f", {int(told[3]):,} s to go" if told[3] else ""
        return f"as of position {int(told[1]):,} of {int(told[2]):,}{to_go}"

    @property
    def location(self) -> str:
        """Where the task of a 202 can be asked for: a path."""
        return str(self.headers.get("Location", ""))

    def raise_for_status(self) -> Response:
        """Return it, or raise its problem as ProblemError."""
        if self.is_problem:
            raise refusal(self.status, self.problem)
        return self

    @property
    def problem(self) -> dict[str, Any]:
        if isinstance(self.body, dict):
            return self.body
        return {"type": "no-problem-object", "detail": f"The answer was HTTP {self.status}.", "status": self.status}


def unseal_headers(call: OutgoingCall, reply: HTTPResponse) -> AnswerFacts | None:
    """Return what the seal says (None: there is no seal); raises UnprovenAnswerError where the rest differs from it."""
    seals = reply.headers.get_all(SEAL) or []
    if not seals:
        return None
    try:
        facts = call.unseal_facts(seals[0])
    except BrokenSealError as wrong:
        raise unproven(call, f"This is not the backend's answer to this call. {wrong}") from None
    if difference := _difference(facts, reply) or (SEAL if len(seals) > 1 else ""):
        raise changed(call, difference)
    return facts


def read_sealed(call: OutgoingCall, facts: AnswerFacts, content: bytes) -> Response:
    """Open an answer with its seal; raises UnprovenAnswerError for a body that is not the one of this seal."""
    from email.message import Message  # noqa: PLC0415 - the start does without

    if hashlib.sha256(content).hexdigest() != facts.sha256:
        raise changed(call, "another body came than was sent")
    media = facts.headers.get("content-type", "").partition(";")[0]
    if media in JSON:
        try:
            content = call.unseal(content)
        except BrokenSealError as wrong:
            raise unproven(call, f"This is not the backend's answer to this call. {wrong}") from None
    headers = Message()
    for name, value in facts.headers.items():
        headers[name] = value
    body = _json(media, content)
    if facts.status == NOT_AUTHENTICATED and isinstance(body, dict):  # of this sending; a copy of it may count
        body |= {"detail": _with_distrust(call, str(body.get("detail", "")))}
    return Response(facts.status, headers, content, body, media, is_sealed=True)


def read_unsealed(url: str, call: OutgoingCall, reply: HTTPResponse) -> Response:
    """Read an answer without a seal; raises UnprovenAnswerError where only a sealed one counts."""
    media, status, base = reply.headers.get_content_type(), reply.status, urlsplit(url).path
    path = call.target.removeprefix(base).partition("?")[0]
    is_open = call.target.startswith(base) and bool(OPEN_TARGETS.fullmatch(path))
    if not (is_open or status >= FIRST_SERVER_FAULT or (status in UNSEALED_STATUSES and media == PROBLEM)):
        if media in (SEALED, PROBLEM) or REQUEST_ID in reply.headers or POSITION in reply.headers:
            raise unproven(call, "The answer was not sealed: it may not come from the backend. Check the URL.")
        raise unproven(call, f"What answers at {url} is no AutoLearn backend (HTTP {status}).")
    content = read_body(reply)
    body = _json(media, content)
    if not is_open:
        problem = body if isinstance(body, dict) else {"type": "no-problem-object"}
        detail = str(problem.get("detail") or f"The answer was HTTP {status}.")
        add = with_doubt if status >= FIRST_SERVER_FAULT else _with_distrust  # a proxy may have passed the call on
        body = problem | {"detail": add(call, f"{detail} (This answer is not sealed.)"), "status": status}
    return Response(status, reply.headers, content, body, media, is_sealed=False)


def changed(call: OutgoingCall, what: str) -> UnprovenAnswerError:
    return unproven(call, f"Somebody changed the answer on its way ({what}): it is not believed.")


def unproven(call: OutgoingCall, sentence: str) -> UnprovenAnswerError:
    return UnprovenAnswerError(with_doubt(call, sentence))


def with_doubt(call: OutgoingCall, sentence: str) -> str:
    """Add what is not known of a command whose answer does not count, or did not come."""
    if not call.is_command:
        return sentence
    return (
        f"{sentence} Whether the command was carried out is not known: look before you give it again"
        " (`autolearn session`, `autolearn history`), for that would be a new command."
    )


def _with_distrust(call: OutgoingCall, sentence: str) -> str:
    """Add what a refusal of this sending leaves open: a relay can forge it, or send a copy of the command before."""
    if not call.is_command:
        return sentence
    return f"{sentence} If you do not trust the network, check that the command was not carried out."


def _difference(facts: AnswerFacts, reply: HTTPResponse) -> str:
    """Say what is not as the seal has it; '' where everything is."""
    if reply.status != facts.status:
        return f"the status came as {reply.status} and was sent as {facts.status}"
    media = facts.headers.get("content-type", "").partition(";")[0]
    if reply.headers.get_content_type() != (media if media in (RAW, EVENT_STREAM) else SEALED):
        return "Content-Type"
    outside = {name.lower() for name in reply.headers if is_sealed(name.lower())}
    for name in sorted((outside | set(facts.headers)) - {"content-type"}):
        values = reply.headers.get_all(name) or []
        if values != [facts.headers.get(name)] and not (name in ONLY_SEALED and not values):
            return name
    return ""


def _json(media: str, content: bytes) -> Any:
    if media not in JSON or not content:
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise NoAnswerError("The answer holds no JSON: it may not come from the backend. Check the URL.") from None
