"""Whether a topic still has its beginning. Kafka removes the oldest records by retention; damage looks otherwise."""

from __future__ import annotations

from typing import NamedTuple

from adapters.distributed.topics.seek import TopicSeeker


class LostBeginning(NamedTuple):
    """`position`: with which one the topic begins now; None where no record is left."""

    position: int | None
    sentence: str


def lost_beginning(address: str, topic: str) -> LostBeginning | None:
    """Return what a topic lacks whose first records were deleted; None where it begins as it was written.

    A topic begins at offset 0, and only a deletion of its oldest records moves that. Raises NotAbleError.
    """
    with TopicSeeker(address, topic) as seeker:
        low, end = seeker.bounds()
        first = seeker.first(low, end, lambda it: it.is_readable) if low > 0 else None
    if low == 0 or (first is not None and first.record.position == 1):
        return None
    left = "no record any more" if first is None else f"only what comes from position {first.record.position} on"
    sentence = f"The topic {topic} has {left}: Kafka deleted the records before offset {low}, by retention or on demand"
    return LostBeginning(None if first is None else first.record.position, sentence)
