"""How often, and after which pauses, a call is repeated."""

from __future__ import annotations

from collections.abc import Iterator

PAUSES = (0.1, 0.3, 1.0, 2.0)  # seconds before each repetition; after the last one the call has failed
JITTER = 0.5  # each pause is at most this part shorter or longer: clients that lost a backend do not return together


def pauses() -> Iterator[float]:
    import random  # noqa: PLC0415 - only after a failure

    for seconds in PAUSES:
        yield seconds * random.Random().uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
