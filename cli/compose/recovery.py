"""Recovery put together: it works on the settings' MongoDB and Kafka directly, with no process of the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from adapters.distributed.recovery import Recovery
from cli.compose.distributed import open_database
from cli.settings import Settings


def recovery(settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield `{step, position, of}` and, last, what was recovered; raises as `Recovery.run`."""
    with ExitStack() as opened:
        yield from Recovery(open_database(settings, opened, seconds=None), settings.kafka).run()
