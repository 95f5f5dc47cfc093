"""Recovery put together: it works on the settings' MongoDB and Kafka directly, with no process of the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from adapters.distributed.recovery import Recovery, Until
from cli.compose.distributed import open_database
from cli.settings import Settings


def recovery(settings: Settings, events: int | None, communications: int | None) -> Iterator[dict[str, Any]]:
    """Yield `{step, position, of}` and, last, what was recovered; raises as `Recovery.run`.

    `events`, `communications`: the last positions to bring back, where not all.
    """
    with ExitStack() as opened:
        mongo = open_database(settings, opened, seconds=None)
        yield from Recovery(mongo, settings.kafka, Until(events, communications)).run()
