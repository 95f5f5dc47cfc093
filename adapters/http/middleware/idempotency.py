"""A command's request id on its way through the gate: taken before anything runs, and its repeats answered alike."""

from __future__ import annotations

import logging
from asyncio import sleep
from collections.abc import AsyncIterator
from dataclasses import dataclass

from adapters.audit_log.request_ids import LARGEST_KEPT, Earlier, FirstAnswer, Trace
from adapters.http.backend import Backend
from adapters.http.middleware.pending_response import Held
from adapters.http.middleware.request_context import Passage
from adapters.http.middleware.thread_pools import Lanes
from autolearn.protocol.headers import POSITION
from commands.context import append_id
from domain.errors import AutoLearnError, KeyReusedError, NotAbleError, RequestUsedError

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.05, 1.0, 1.5  # seconds between two looks
LONGEST_WAIT = 20.0  # longer than the lease of a process that died over the first sending
UNABLE = 500


@dataclass(slots=True)
class FirstUse:
    """The claim of one call on its request id; `is_mine` once it has it."""

    backend: Backend
    lanes: Lanes
    passage: Passage
    is_mine: bool = False
    is_repeat: bool = False

    def claim(self) -> None:
        """Take the request id of a command, where nobody has."""
        it = self.passage
        if it.is_command:
            self.is_mine = self.backend.request_ids.claim(it.client, it.claims.request_id)
            self.is_repeat = not self.is_mine

    async def answer(self) -> FirstAnswer | None:
        """Return the first answer for a repeat; None for one that has to run, to be answered from the log.

        Raises KeyReusedError, RequestUsedError (no answer is kept), NotAbleError (the first is still at work).
        """
        if self.passage.row is not None and self.passage.row.upload:
            self.passage.digest_in = self.passage.claims.body_sha256  # signed; the file itself is not read again
        async for earlier in self._looks():
            if earlier is None:
                self.is_mine, self.is_repeat = True, False
                return None
            if earlier.answer is not None:
                return self._checked(earlier.answer)
            if await self.lanes.quick(self._is_in_log):
                return None
            if not earlier.is_running:
                raise used()
        raise NotAbleError("The first sending of this request is still at work: repeat it in a moment.")

    async def answer_unread(self) -> FirstAnswer:
        """Return the first answer for a repeat whose body is not the signed one; raises RequestUsedError."""
        it, ids = self.passage, self.backend.request_ids
        earlier = await self.lanes.quick(lambda: ids.earlier(it.client, it.claims.request_id))
        if earlier is None:  # it ended without a trace: this sending ends it for good
            self.is_mine, self.is_repeat = True, False
        if earlier is None or earlier.answer is None:
            raise used()
        return earlier.answer

    def settle(self, held: Held, digest: str) -> None:
        """End the claim with an answer that is archived; `digest` is that of the plain body."""
        if self.is_mine:
            self.end(Trace.TOLD if self.passage.is_in_log or self._keep(held, digest) else Trace.UNTOLD)

    def end(self, trace: Trace) -> None:
        """End the claim."""
        if not self.is_mine:
            return
        self.is_mine = False
        try:
            self.backend.request_ids.release(self.passage.client, self.passage.claims.request_id, trace)
        except AutoLearnError as trouble:
            log.warning("the end of a command is not noted: %s", trouble)

    def _keep(self, held: Held, digest: str) -> bool:
        """Keep an answer; what could not be answered may have been done all the same, and then the log tells it."""
        it = self.passage
        called, position = it.call.digest if it.is_read else "", int(held.headers.get(POSITION, "0"))
        told = tuple(held.headers.items())
        try:
            if len(held.body) > LARGEST_KEPT or (held.status >= UNABLE and self._is_in_log()):
                return False
            answer = FirstAnswer(held.status, told, held.body, called, held.problem, position, digest)
            self.backend.request_ids.keep(it.client, it.claims.request_id, answer)
        except AutoLearnError as trouble:
            log.warning("the answer of a command is not kept: %s", trouble)
            return False
        return True

    async def _looks(self) -> AsyncIterator[Earlier | None]:
        it, ids = self.passage, self.backend.request_ids
        pause, waited = FIRST_PAUSE, 0.0
        while waited < LONGEST_WAIT:
            yield await self.lanes.quick(lambda: ids.earlier(it.client, it.claims.request_id))
            await sleep(pause)
            waited, pause = waited + pause, min(pause * GROWTH, LONGEST_PAUSE)

    def _is_in_log(self) -> bool:
        first = append_id(self.passage.call.command_id, 1)
        return self.backend.application.ports.store.find_append(first) is not None

    def _checked(self, answer: FirstAnswer) -> FirstAnswer:
        if answer.call and answer.call != self.passage.call.digest:
            raise KeyReusedError("This request id was used with another body: take a new one.")
        return answer


def used() -> RequestUsedError:
    """Say that the first answer cannot be given again."""
    return RequestUsedError(
        "This request was answered before, and its answer is not kept: look at what it did, "
        "and take a new request id to ask anew."
    )
