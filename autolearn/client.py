"""The Remote Proxy: the backend as an object of this process. It signs, seals, repeats and unseals calls."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from autolearn.answers import (
    FIRST_PROBLEM,
    Response,
    changed,
    read_sealed,
    read_unsealed,
    unseal_headers,
    with_doubt,
)
from autolearn.credentials import Credentials
from autolearn.errors import (
    NOT_REACHED,
    OUTCOME_RECORDED,
    InvalidInputError,
    MissingCredentialsError,
    NoAnswerError,
    UnreachableError,
    refusal,
    slug_of,
)
from autolearn.events import StreamEvent, read_events
from autolearn.locations import backend_url, credentials_file
from autolearn.outgoing_call import Body, FileBody, OutgoingCall
from autolearn.positions import Positions
from autolearn.protocol.answer_facts import AnswerFacts
from autolearn.protocol.headers import EVENT_STREAM, POSITION, RAW, SEAL, SEALED
from autolearn.retries import pauses
from autolearn.targets import check_length, target_of
from autolearn.transport import BrokenConnectionError, read_body, read_lines, send_request, unreachable

if TYPE_CHECKING:
    from http.client import HTTPResponse

BLOCK = 1 << 20
BACKGROUND = {"Prefer": "respond-async"}


@dataclass(frozen=True)
class StreamedAnswer:
    """An answer that is read as it comes, and what its seal says."""

    reply: HTTPResponse
    facts: AnswerFacts


@dataclass(frozen=True)
class BackendClient:
    """One client at one backend. `tell` gets a sentence about each answer that the read models were late for.

    Methods raise ProblemError (refused), UnreachableError, NoAnswerError, UnprovenAnswerError, InvalidInputError.
    """

    url: str
    credentials: Credentials
    positions: Positions
    pause: Callable[[float], None] = field(default=time.sleep, repr=False)
    tell: Callable[[str], None] = field(default=lambda _: None, repr=False)

    def get(self, *path: str, **query: Any) -> Response:
        """Ask for what the parts of `path` name, at least as new as this client's own writes."""
        answer = self.exchange(self.call("GET", target_of(path, query | self._after())))
        if answer.is_problem and slug_of(answer.problem) == NOT_REACHED:
            detail = f"{answer.problem.get('detail', '')}{self._hint(answer.problem)}"
            raise refusal(answer.status, answer.problem | {"detail": detail})
        return answer.raise_for_status()

    def post(self, *path: str, body: Any = None, background: bool = False, **query: Any) -> Response:
        """Send a command; with `background` the answer (202) does not wait for the end of its task."""
        call = self.call("POST", target_of(path, query))
        return self.exchange(call, encode(body), BACKGROUND if background else {}).raise_for_status()

    def delete(self, *path: str) -> Response:
        return self.exchange(self.call("DELETE", target_of(path, {}))).raise_for_status()

    def upload(self, *path: str, file: Path, **query: Any) -> Response:
        return self.exchange(self.call("POST", target_of(path, query)), FileBody.of(file)).raise_for_status()

    def download(self, *path: str, to: Path, **query: Any) -> int:
        """GET raw bytes into a file, whole and as they were sealed for; return their number."""
        self._receive(self.call("GET", target_of(path, query | self._after())), None, to)
        return to.stat().st_size

    def upload_for_file(self, *path: str, file: Path, to: Path, **query: Any) -> str:
        """Send a file with a command that is answered by another file; return the path that the answer names."""
        facts = self._receive(self.call("POST", target_of(path, query)), FileBody.of(file), to)
        self.positions.advance(int(facts.headers.get(POSITION.lower(), 0)))
        return facts.headers.get("location", "")

    def _receive(self, call: OutgoingCall, body: Body, to: Path) -> AnswerFacts:
        answer = self._deliver(call, body, {}, streamed=RAW)
        if isinstance(answer, Response):
            answer.raise_for_status()
            raise changed(call, "no file came")
        digest = hashlib.sha256()
        with closing(answer.reply), to.open("wb") as file:
            try:
                while block := read_body(answer.reply, BLOCK):
                    digest.update(block)
                    file.write(block)
            except BrokenConnectionError:
                raise NoAnswerError(f"The answer of {self.url} broke off: repeat the command.") from None
            if digest.hexdigest() != answer.facts.sha256:
                raise changed(call, "another file came than was sent")
            return answer.facts

    def stream(self, method: str, *path: str, body: Any = None, **query: Any) -> Iterator[StreamEvent]:
        """Yield the events of a stream as they come; a backend that answers at once gives one event, `result`."""
        call = self.call(method, target_of(path, query))
        accept = {"Accept": f"{EVENT_STREAM}, {SEALED}"}
        answer = self.send(call, None if method == "GET" else encode(body), accept)
        if isinstance(answer, Response):
            yield StreamEvent("result", answer.raise_for_status().body)
        else:
            yield from answer

    def call(self, method: str, target: str, key: str = "") -> OutgoingCall:
        """Return a new call: its request id stays the same however often it is sent. `key` is its Idempotency-Key."""
        whole = urlsplit(self.url).path + target
        check_length(whole)
        return OutgoingCall(self.credentials, method, whole, idempotency_key=key)

    def exchange(self, call: OutgoingCall, body: Body = None, headers: dict[str, str] | None = None) -> Response:
        """Send a call until it is answered; problems are answers too."""
        answer = self.send(call, body, headers or {})
        if not isinstance(answer, Response):
            raise NoAnswerError("The backend answers this call by a stream.")
        return answer

    def send(self, call: OutgoingCall, body: Body, headers: dict[str, str]) -> Response | Iterator[StreamEvent]:
        """Send a call until it is answered, by an answer or by a stream of events."""
        answer, retries = self._deliver(call, body, headers, streamed=EVENT_STREAM), pauses()
        while _is_only_recorded(answer) and (pause := next(retries, None)) is not None:
            self.pause(pause)
            call = call.renew()
            answer = self._deliver(call, body, headers, streamed=EVENT_STREAM)
        if isinstance(answer, StreamedAnswer):
            return self._read_events(call, answer)
        if answer.is_sealed and answer.lag:
            self.tell(answer.lag)
        if answer.is_sealed and answer.head:
            self.positions.advance(answer.position)
        return answer

    def _deliver(
        self, call: OutgoingCall, body: Body, headers: dict[str, str], streamed: str
    ) -> Response | StreamedAnswer:
        """Repeat a call whose connection broke: the same request id is the same command, so nothing is done twice."""
        retries, was_sent = pauses(), False
        while True:
            try:
                with call.sign(body) as (signed, content):
                    sent = {"Accept": SEALED} | headers | signed
                    reply = send_request(self.url, call.method, call.target, sent, content)
                return self._read(call, reply, streamed)
            except BrokenConnectionError as broken:
                was_sent = True
                if (pause := next(retries, None)) is None:
                    raise UnreachableError(with_doubt(call, str(unreachable(self.url, broken)))) from None
                self.pause(pause)
            except UnreachableError as refused:
                raise UnreachableError(with_doubt(call, str(refused)) if was_sent else str(refused)) from None
            except NoAnswerError as late:
                raise NoAnswerError(with_doubt(call, str(late))) from None

    def _read(self, call: OutgoingCall, reply: HTTPResponse, streamed: str) -> Response | StreamedAnswer:
        with ExitStack() as unless_streamed:
            unless_streamed.callback(reply.close)
            facts = unseal_headers(call, reply)
            if facts is None:
                return read_unsealed(self.url, call, reply)
            if reply.headers.get_content_type() == streamed and facts.status < FIRST_PROBLEM:
                unless_streamed.pop_all()
                return StreamedAnswer(reply, facts)
            return read_sealed(call, facts, read_body(reply))

    def _read_events(self, call: OutgoingCall, answer: StreamedAnswer) -> Iterator[StreamEvent]:
        try:
            yield from read_events(call, answer.reply.headers[SEAL], read_lines(answer.reply))
        except BrokenConnectionError as broken:
            raise unreachable(self.url, broken) from None
        finally:
            answer.reply.close()

    def _after(self) -> dict[str, int]:
        position = self.positions.last()
        return {"after_position": position} if position else {}

    def _hint(self, problem: dict[str, Any]) -> str:
        """Say what to do about a position that is not reached: wait, or forget one that the log has lost."""
        if int(problem.get("head", 0)) >= self.positions.last():
            return " They catch up; if they stand still, `/health/ready` of the backend says why."
        why = "Was it restored from a back-up, or is it another log at the same address?"
        return f" {why} Then remove {self.positions.file}, which knows a later one."


def make_client(
    url: str | None = None, credentials: str | Path | None = None, tell: Callable[[str], None] = lambda _: None
) -> BackendClient:
    """Return the client of the backend at `url` (by default AUTOLEARN_URL), with the credentials of this user.

    `credentials` names another file of them.

    Raises InvalidInputError, MissingCredentialsError where AUTOLEARN_CREDENTIALS names no file, UnreachableError where
    this machine has no credentials at all.
    """
    url, file = backend_url(url), Path(credentials).expanduser() if credentials else credentials_file()
    try:
        caller = Credentials.read(file)
    except FileNotFoundError:
        if credentials:
            raise MissingCredentialsError(f"There is no file of credentials at {file}.") from None
        if os.environ.get("AUTOLEARN_CREDENTIALS"):
            raise MissingCredentialsError(f"AUTOLEARN_CREDENTIALS names {file}, and there is no such file.") from None
        raise UnreachableError(
            f"There are no credentials at {file}: `autolearn up` starts a backend on this machine and makes some; "
            "for another backend, set AUTOLEARN_URL and AUTOLEARN_CREDENTIALS."
        ) from None
    return BackendClient(url, caller, Positions.of(file, url, caller.client, caller.key), tell=tell)


def _is_only_recorded(answer: Response | StreamedAnswer) -> bool:
    """Whether the command is done, but its answer is to be asked for by a call of its own."""
    return isinstance(answer, Response) and answer.is_problem and slug_of(answer.problem) == OUTCOME_RECORDED


def encode(body: Any) -> bytes:
    """Return a body as JSON; raises InvalidInputError for what JSON has no form for."""
    return json.dumps({} if body is None else body, default=_plain).encode()


def _plain(value: Any) -> Any:
    """Return a number of numpy's as one of Python's, and a time as text."""
    for method in ("item", "isoformat"):
        if callable(getattr(value, method, None)):
            return getattr(value, method)()
    raise InvalidInputError(f"{value!r} cannot be sent: give numbers, texts, lists and dictionaries.")
