"""What a process does by itself at its start: it offers the catalog, and takes over what was left unfinished."""

from __future__ import annotations

import logging
from itertools import count
from threading import Event as Signal
from typing import TYPE_CHECKING
from uuid import uuid4

from adapters.host.retry import Retry
from commands.call import Call, command_id
from commands.catalog.offer_catalog import OfferCatalog
from domain.errors import AutoLearnError, DiskReserveError, NotAbleError

if TYPE_CHECKING:
    from server.compose.services import Services

logger = logging.getLogger(__name__)

CATCH_UP_SECONDS = 60.0  # then it is said, and waited for again: read models that are rebuilt at start take their time
RETRY_SECONDS = 1.0


def process_call(name: str, start: str) -> Call:
    """Return the call under which a process acts by itself at its start; no client can have such a name."""
    actor = f"system:{name}"
    return Call(actor, frozenset(), command_id(actor, start), start)


def offer_catalog(services: Services, start: str, closing: Signal) -> bool:
    """Offer what is installed; False where it is worth trying again, as a store is away.

    A failure does not stop the start; it is logged unless the process is closing.
    """
    try:
        services.application.handle(OfferCatalog(services.builtin), process_call("offer", start))
    except AutoLearnError as refused:
        if closing.is_set():
            return True
        logger.warning("what is installed could not be offered: %s", refused.sentence)
        return not isinstance(refused, NotAbleError | DiskReserveError)
    return True


def keep_offering(services: Services, closing: Signal) -> None:
    """Offer what is installed as soon as that is possible."""
    pauses = Retry(shortest=1.0, longest=5.0)
    for failures in count(1):
        if offer_catalog(services, uuid4().hex, closing):  # a command of its own: a part of another may be in the log
            return
        closing.wait(pauses.pause(failures))


def take_over(services: Services, closing: Signal) -> None:
    """Start the event worker once the read models know what was unfinished when this process began."""
    backend, end = services.backend, None
    while not closing.is_set():
        try:
            end = backend.feed.end()[0] if end is None else end
            if backend.documents.wait(end, CATCH_UP_SECONDS):
                services.worker.start(end)
                return
            logger.warning("queued and lost tasks wait for the read models to reach %s (%s)", end, backend.fault())
        except AutoLearnError as trouble:
            if closing.is_set():
                return
            logger.warning("queued and lost tasks wait: %s", trouble.sentence)
            closing.wait(RETRY_SECONDS)
