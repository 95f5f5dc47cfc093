"""How much of a topic its readers hold in memory ahead of what they return."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from adapters.distributed.topics import consumer
from adapters.distributed.topics.consumer import READ_AHEAD_KIBIBYTES, TopicConsumer
from adapters.distributed.topics.feed import KafkaFeed
from adapters.distributed.topics.kafka import KafkaConsumer
from adapters.distributed.topics.scan import TopicScan
from domain.errors import NotAbleError

NOBODY = "127.0.0.1:1"
QUEUE = "queued_max_messages_kbytes"


def read(address: str) -> None:
    TopicConsumer(address, "some-topic").close()


def follow(address: str) -> None:
    KafkaFeed(address, "some-database").after(0, 1)


def scan(address: str) -> None:
    list(TopicScan(address, "some-topic").records())


@pytest.mark.parametrize("use", [read, follow, scan])
def test_no_reader_holds_what_librdkafka_would_by_default(
    use: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    class Noting(KafkaConsumer):
        def __init__(self, address: str, **more: Any) -> None:
            made.append(more[QUEUE])
            super().__init__(address, **more)

        def get_watermark_offsets(self, *_: Any, **__: Any) -> tuple[int, int]:
            return 0, 0

    monkeypatch.setattr(consumer, "KafkaConsumer", Noting)
    with suppress(NotAbleError):
        use(NOBODY)
    assert made
    assert max(made) <= READ_AHEAD_KIBIBYTES
