"""Whether callers of event streams still count: asked once a second for each client, however many streams it has."""

from __future__ import annotations

import asyncio
from time import monotonic

from adapters.http.backend import Backend
from adapters.http.middleware.authentication import Admitted
from adapters.http.middleware.thread_pools import Lanes
from domain.errors import NotAuthenticatedError

FOR_SECONDS = 1.0
MOST_KNOWN = 1000

Look = asyncio.Task[None]


class Admissions:
    """Used in the event loop alone."""

    def __init__(self, backend: Backend, lanes: Lanes) -> None:
        self._backend, self._lanes = backend, lanes
        self._looks: dict[tuple[str, int], tuple[float, Look]] = {}

    async def check(self, caller: Admitted) -> None:
        """Raise NotAuthenticatedError where the caller was revoked, or its key replaced, since it was admitted."""
        who = (caller.client, caller.generation)
        known = self._looks.get(who)
        if known is None or monotonic() - known[0] > FOR_SECONDS or known[1].cancelled():
            if len(self._looks) >= MOST_KNOWN:
                self._looks.clear()
            known = self._looks[who] = (monotonic(), asyncio.create_task(self._look(*who)))
            known[1].add_done_callback(_retrieved)
        await asyncio.shield(known[1])

    async def _look(self, client: str, generation: int) -> None:
        known = await self._lanes.quick(lambda: self._backend.clients(client))
        if not known.accepts(generation, self._backend.clock.now()):
            raise NotAuthenticatedError(f"Client {client!r} does not count any more.")


def _retrieved(look: Look) -> None:
    """Take note of how a look ended, also where nobody waits for it any more."""
    if not look.cancelled():
        look.exception()
