"""The request id of a command: claimed before anything runs, and its repeats are answered with the first answer."""

from __future__ import annotations

import logging
from asyncio import sleep
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders

from adapters.audit_log.request_ids import LARGEST_KEPT, Earlier, FirstAnswer, Trace
from adapters.http.backend import Backend
from adapters.http.middleware.limits import ThreadPools
from adapters.http.middleware.request_context import RequestContext
from autolearn.protocol.headers import POSITION
from commands.command_appends import append_id
from domain.errors import AutoLearnError, KeyReusedError, NotAbleError, RequestUsedError

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.05, 1.0, 1.5  # seconds between two looks
LONGEST_WAIT = 20.0  # longer than the lease of a process that died over the first sending
SERVER_ERRORS = 500


@dataclass(slots=True)
class RequestIdClaim:
    """The claim of one call on its request id; `is_mine` once it has it."""

    backend: Backend
    pools: ThreadPools
    context: RequestContext
    is_mine: bool = False
    is_repeat: bool = False

    def claim(self) -> None:
        """Take the request id of a command, where nobody has."""
        if self.context.is_command:
            self.is_mine = self.backend.request_ids.claim(self.context.client, self.context.claims.request_id)
            self.is_repeat = not self.is_mine

    async def first_answer(self) -> FirstAnswer | None:
        """Return the first answer for a repeat; None for one that has to run, to be answered from the log.

        Raises KeyReusedError, RequestUsedError (no answer is kept), NotAbleError (the first is still at work).
        """
        if self.context.is_upload:
            self.context.body_sha256 = self.context.claims.body_sha256  # signed; the file itself is not read again
        async for earlier in self._poll():
            if earlier is None:
                self.is_mine, self.is_repeat = True, False
                return None
            if (answer := earlier.answer) is not None:
                if answer.call and answer.call != self.context.call.digest:
                    raise KeyReusedError("This request id was used with another body: take a new one.")
                return answer
            if await self.pools.run(self._is_in_log):
                return None
            if not earlier.is_running:
                raise request_used()
        raise NotAbleError("The first sending of this request is still at work: repeat it in a moment.")

    async def first_answer_unread(self) -> FirstAnswer:
        """Return the first answer for a repeat whose body is not the signed one; raises RequestUsedError."""
        earlier = await self.pools.run(self._earlier)
        if earlier is None:  # it ended without a trace: this sending ends it for good
            self.is_mine, self.is_repeat = True, False
        if earlier is None or earlier.answer is None:
            raise request_used()
        return earlier.answer

    def settle(self, status: int, headers: MutableHeaders, body: bytes, problem: str, digest: str) -> None:
        """End the claim with an answer that is recorded; `digest` is that of the plain body.

        What could not be answered may have been done all the same: then the log tells it, and no answer is kept.
        """
        if not self.is_mine:
            return
        if self.context.is_in_log:
            self.release(Trace.ANSWERABLE)
            return
        called = self.context.call.digest if self.context.body_is_verified else ""
        answer = FirstAnswer(
            status, tuple(headers.items()), body, called, problem, int(headers.get(POSITION, "0")), digest
        )
        trace = Trace.UNANSWERABLE
        try:
            if len(body) <= LARGEST_KEPT and not (status >= SERVER_ERRORS and self._is_in_log()):
                self.backend.request_ids.keep(self.context.client, self.context.claims.request_id, answer)
                trace = Trace.ANSWERABLE
        except AutoLearnError as trouble:
            logger.warning("the answer of a command is not kept: %s", trouble)
        self.release(trace)

    def release(self, trace: Trace) -> None:
        """End the claim."""
        if not self.is_mine:
            return
        self.is_mine = False
        try:
            self.backend.request_ids.release(self.context.client, self.context.claims.request_id, trace)
        except AutoLearnError as trouble:
            logger.warning("the end of a command is not noted: %s", trouble)

    async def _poll(self) -> AsyncIterator[Earlier | None]:
        pause, waited = FIRST_PAUSE, 0.0
        while waited < LONGEST_WAIT:
            yield await self.pools.run(self._earlier)
            await sleep(pause)
            waited, pause = waited + pause, min(pause * GROWTH, LONGEST_PAUSE)

    def _earlier(self) -> Earlier | None:
        return self.backend.request_ids.earlier(self.context.client, self.context.claims.request_id)

    def _is_in_log(self) -> bool:
        first = append_id(self.context.call.command_id, 1)
        return self.backend.application.ports.store.find_append(first) is not None


def request_used() -> RequestUsedError:
    return RequestUsedError(
        "This request was answered before, and its answer is not kept: look at what it did, "
        "and take a new request id to ask anew."
    )
