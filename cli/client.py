"""The Remote Proxy: the backend as an object of this process. It signs, seals, repeats and opens calls."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from adapters.security.calls import OutgoingCall
from adapters.security.credentials import Credentials
from adapters.security.sealing import SEALED
from cli.answers import REFUSED, Answer, opened
from cli.bodies import NO_BODY, Body, JsonBody, RawBody
from cli.events import Event, opened_events
from cli.names import check_length, path_with
from cli.positions import Positions
from cli.problems import ProblemError, slug_of
from cli.wire import BrokenError, Wire, unreachable
from domain.errors import BadInputError, NotAbleError, NotReachedError, OutcomeRecordedError

PAUSES = (0.1, 0.3, 1.0, 2.0)  # seconds before each repetition of a call whose connection broke
BLOCK = 1 << 20
EVENT_STREAM = "text/event-stream"
BACKGROUND = {"Prefer": "respond-async"}


@dataclass(frozen=True)
class Client:
    """One client at one backend. Methods raise ProblemError (refused), UnreachableError, NotAbleError."""

    url: str
    credentials: Credentials
    positions: Positions
    pause: Callable[[float], None] = field(default=time.sleep, repr=False)

    def ask(self, *path: str, **query: Any) -> Answer:
        """GET what the parts of `path` name, at least as new as this client's own writes."""
        answer = self.exchange(self.call("GET", path, {**query, **self._after()}))
        if answer.is_refusal and slug_of(answer.problem) == NotReachedError.slug:
            said = f"{answer.problem.get('detail', '')}{self._hint(answer.problem)}"
            raise ProblemError(answer.status, answer.problem | {"detail": said})
        return answer.checked()

    def _hint(self, problem: dict[str, Any]) -> str:
        """Say what to do about a position that is not reached: wait, or forget one that the log has lost."""
        position = self.positions.last() or 0
        if int(problem.get("head", 0)) >= position:
            return " They catch up; if they stand still, `/health/ready` of the backend says why."
        why = "Was it restored from a back-up, or is it another log at the same address?"
        return f" {why} Then remove {self.positions.file}, which knows a later one."

    def tell(self, *path: str, body: Any = None, background: bool = False, method: str = "POST") -> Answer:
        """Give a command; `background` answers before its task is done. 202 means that the task goes on."""
        sent = NO_BODY if method == "DELETE" else JsonBody(json.dumps({} if body is None else body).encode())
        return self.exchange(self.call(method, path, {}), sent, BACKGROUND if background else {}).checked()

    def upload(self, *path: str, file: Path, **query: Any) -> Answer:
        """POST a raw file."""
        return self.exchange(self.call("POST", path, query), RawBody.of(file)).checked()

    def download(self, *path: str, to: Path, **query: Any) -> int:
        """GET raw bytes into a file; return their number."""
        call = self.call("GET", path, {**query, **self._after()})
        reply = self._delivered(call, NO_BODY, {})
        if reply.headers.get_content_type() in (SEALED, "application/problem+json"):
            self._opened(call, reply).checked()
        with to.open("wb") as file:
            while block := self._read(reply, BLOCK):
                file.write(block)
            return file.tell()

    def events(self, method: str, *path: str, body: Any = None, **query: Any) -> Iterator[Event]:
        """Yield the events of a stream as they come; a backend that answers at once gives one event, `result`."""
        sent = NO_BODY if method == "GET" else JsonBody(json.dumps({} if body is None else body).encode())
        return self.events_of(self.call(method, path, query), sent, {})

    def events_of(self, call: OutgoingCall, body: Body, headers: dict[str, str]) -> Iterator[Event]:
        """Do the same for a call that is ready to be sent."""
        came = self.converse(call, body, headers | {"Accept": f"text/event-stream, {SEALED}"})
        if isinstance(came, Answer):
            yield Event("result", came.checked().body)
        else:
            yield from came

    def converse(self, call: OutgoingCall, body: Body, headers: dict[str, str]) -> Answer | Iterator[Event]:
        """Send a call, and return what the backend gives: an answer, or a stream of events as they come."""
        reply = self._delivered(call, body, headers)
        if reply.headers.get_content_type() == EVENT_STREAM and reply.status < REFUSED:
            return self._opened_events(call, reply)
        return self._settled(call, body, headers, self._opened(call, reply))

    @property
    def base(self) -> str:
        """The path of the URL, which stands before every path of the backend."""
        return Wire(self.url).base

    def call(self, method: str, path: tuple[str, ...], query: dict[str, Any], key: str = "") -> OutgoingCall:
        """Return a new call: its request id stays the same however often it is sent.

        Raises BadInputError, NotFoundError for arguments that fit into no path.
        """
        given = {name: value for name, value in query.items() if value is not None}
        try:
            target = self.base + path_with(*path) + (f"?{urlencode(given)}" if given else "")
        except UnicodeEncodeError as wrong:
            raise BadInputError(f"{wrong.object!r} is no Unicode text.") from None
        return self.call_of(method, target, key)

    def call_of(self, method: str, target: str, key: str = "") -> OutgoingCall:
        """Return a new call of a target that is ready to be sent; raises BadInputError for one that is too long."""
        check_length(target)
        return OutgoingCall(self.credentials, method, target, idempotency_key=key)

    def exchange(self, call: OutgoingCall, body: Body = NO_BODY, headers: dict[str, str] | None = None) -> Answer:
        """Send a call until it is answered, and open the answer; problems are answers too."""
        sent = headers or {}
        return self._settled(call, body, sent, self._opened(call, self._delivered(call, body, sent)))

    def _settled(self, call: OutgoingCall, body: Body, headers: dict[str, str], answer: Answer) -> Answer:
        """Ask again where the outcome is recorded but was not told, and keep the position of what was written."""
        for pause in PAUSES:
            if not (answer.is_refusal and slug_of(answer.problem) == OutcomeRecordedError.slug):
                break
            self.pause(pause)
            answer = self._opened(call, self._delivered(call, body, headers))
        if answer.head:
            self.positions.reached(answer.position)
        return answer

    def _opened(self, call: OutgoingCall, reply: HTTPResponse) -> Answer:
        return opened(self.url, call, reply, self._read(reply))

    def _opened_events(self, call: OutgoingCall, reply: HTTPResponse) -> Iterator[Event]:
        try:
            yield from opened_events(call, reply)
        except (OSError, HTTPException) as broken:
            raise unreachable(self.url, f"the connection broke: {broken}") from None

    def _delivered(self, call: OutgoingCall, body: Body, headers: dict[str, str]) -> HTTPResponse:
        """Repeat a call whose connection broke: the same request id is the same command, so nothing is done twice."""
        reason: Exception | None = None
        for pause in (0.0, *PAUSES):
            if pause:
                self.pause(pause)
            try:
                with body.signed(call) as (signed, content):
                    return Wire(self.url).send(call.method, call.target, {"Accept": SEALED} | headers | signed, content)
            except BrokenError as broken:
                reason = broken
        raise unreachable(self.url, reason)

    def _read(self, reply: HTTPResponse, size: int | None = None) -> bytes:
        try:
            return reply.read(size) if size else reply.read()
        except (OSError, HTTPException):
            raise NotAbleError(f"The answer of {self.url} broke off: repeat the command.") from None

    def _after(self) -> dict[str, int]:
        position = self.positions.last()
        return {"after_position": position} if position else {}
