"""Recovery put together: it works on the settings' MongoDB and Kafka directly, with no process of the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from adapters.distributed.recovery import Recovery
from cli.compose.distributed import open_database
from cli.settings import Settings
from domain.errors import BadInputError


def recovery(settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield `{step, position, of}` and, last, what was recovered; raises as `Recovery.run`, and BadInputError."""
    if settings.mode != "distributed":
        raise BadInputError(
            "There is no Kafka in the embedded mode: set AUTOLEARN_MODE=distributed, and AUTOLEARN_KAFKA, "
            "AUTOLEARN_MONGODB and AUTOLEARN_DATABASE as those of the installation that was lost."
        )
    with ExitStack() as opened:
        yield from Recovery(open_database(settings, opened, seconds=None), settings.kafka).run()
