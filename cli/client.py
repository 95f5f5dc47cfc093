"""The Remote Proxy: the backend as an object of this process. It signs, seals, repeats and opens calls."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from adapters.security.answer_facts import SEAL, AnswerFacts
from adapters.security.calls import RAW, OutgoingCall
from adapters.security.credentials import Credentials
from adapters.security.sealing import SEALED
from cli.answers import REFUSED, Answer, opened_plain, opened_whole
from cli.beliefs import EVENT_STREAM, changed, facts_of
from cli.bodies import NO_BODY, Body, JsonBody, RawBody
from cli.events import Event, opened_events
from cli.names import check_length, path_with
from cli.positions import Positions
from cli.problems import ProblemError, slug_of
from cli.wire import BrokenError, Wire, read_whole, unreachable
from domain.errors import BadInputError, NotAbleError, NotReachedError, OutcomeRecordedError

PAUSES = (0.1, 0.3, 1.0, 2.0)  # seconds before each repetition of a call whose connection broke
BLOCK = 1 << 20
BACKGROUND = {"Prefer": "respond-async"}


@dataclass(frozen=True)
class Streamed:
    """An answer that is read as it comes, and what its seal says."""

    reply: HTTPResponse
    facts: AnswerFacts

    @property
    def seal(self) -> str:
        """The seal itself, to which events are bound."""
        return str(self.reply.headers[SEAL])


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
        """GET raw bytes into a file, whole and as they were sealed for; return their number."""
        call = self.call("GET", path, {**query, **self._after()})
        came = self._delivered(call, NO_BODY, {}, as_it_comes=(RAW,))
        if not isinstance(came, Streamed):
            came.checked()
            raise changed(call, "no file came")
        digest = hashlib.sha256()
        with closing(came.reply), to.open("wb") as file:
            while block := self._read_block(came.reply):
                digest.update(block)
                file.write(block)
            if digest.hexdigest() != came.facts.sha256:
                raise changed(call, "another file came than was sent")
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
        came = self._delivered(call, body, headers, as_it_comes=(EVENT_STREAM,))
        return (
            self._opened_events(call, came) if isinstance(came, Streamed) else self._settled(call, body, headers, came)
        )

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
        return self._settled(call, body, sent, self._answered(call, body, sent))

    def _settled(self, call: OutgoingCall, body: Body, headers: dict[str, str], answer: Answer) -> Answer:
        """Ask again where the outcome is recorded but was not told, and keep the position of what was written."""
        for pause in PAUSES:
            if not (answer.is_refusal and slug_of(answer.problem) == OutcomeRecordedError.slug):
                break
            self.pause(pause)
            call = call.anew()
            answer = self._answered(call, body, headers)
        if answer.is_sealed and answer.head:
            self.positions.reached(answer.position)
        return answer

    def _answered(self, call: OutgoingCall, body: Body, headers: dict[str, str]) -> Answer:
        came = self._delivered(call, body, headers, as_it_comes=(EVENT_STREAM,))
        if isinstance(came, Streamed):
            raise NotAbleError("The backend answers this call by a stream.")
        return came

    def _opened_events(self, call: OutgoingCall, came: Streamed) -> Iterator[Event]:
        try:
            yield from opened_events(call, came.seal, came.reply)
        except (OSError, HTTPException) as broken:
            raise unreachable(self.url, f"the connection broke: {broken}") from None
        finally:
            came.reply.close()

    def _delivered(
        self, call: OutgoingCall, body: Body, headers: dict[str, str], as_it_comes: tuple[str, ...] = ()
    ) -> Answer | Streamed:
        """Repeat a call whose connection broke: the same request id is the same command, so nothing is done twice."""
        reason: Exception | None = None
        for pause in (0.0, *PAUSES):
            if pause:
                self.pause(pause)
            try:
                with body.signed(call) as (signed, content):
                    sent = {"Accept": SEALED} | headers | signed
                    reply = Wire(self.url).send(call.method, call.target, sent, content)
                return self._opened(call, reply, as_it_comes)
            except BrokenError as broken:
                reason = broken
        raise unreachable(self.url, reason)

    def _opened(self, call: OutgoingCall, reply: HTTPResponse, as_it_comes: tuple[str, ...]) -> Answer | Streamed:
        with ExitStack() as unless_streamed:
            unless_streamed.callback(reply.close)
            facts = facts_of(call, reply)
            if facts is None:
                return opened_plain(self.url, call, reply)
            if reply.headers.get_content_type() in as_it_comes and facts.status < REFUSED:
                unless_streamed.pop_all()
                return Streamed(reply, facts)
            return opened_whole(call, facts, read_whole(reply))

    def _read_block(self, reply: HTTPResponse) -> bytes:
        try:
            return reply.read(BLOCK)
        except (OSError, HTTPException):
            raise NotAbleError(f"The answer of {self.url} broke off: repeat the command.") from None

    def _after(self) -> dict[str, int]:
        position = self.positions.last()
        return {"after_position": position} if position else {}
