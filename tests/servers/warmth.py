"""What lets a broker start in one second instead of five: classes archived by the JVM (AppCDS), formatted files.

Made once per Java and set of jars, in the cache folder; the files have the internal topics already.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import Final

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from filelock import FileLock

from tests.servers import places
from tests.servers.broker import ColdKafka

CLASSES: Final = "classes.jsa"
SECONDS: Final = 30.0
TOPIC: Final = "warm-up"


class Rehearsal(ColdKafka):
    """A broker that archives the classes it has loaded when it stops."""

    def options(self) -> list[str]:
        """Return the option that names the archive."""
        return [f"-XX:ArchiveClassesAtExit={self.folder / CLASSES}"]


def of(java: Path, jars: Path) -> Path:
    """Return the folder with `classes.jsa` and `data`, made if need be; one process makes it, the others wait."""
    place = places.cache() / f"kafka-warm-{_identity(java, jars)}"
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place}.lock"):
        if not place.exists():
            with tempfile.TemporaryDirectory(dir=place.parent) as folder:
                rehearse(Path(folder) / "kafka").rename(place)
    return place


def rehearse(folder: Path) -> Path:
    """Run a broker through what tests do; return its folder without what the tests should not see."""
    broker = Rehearsal(folder)
    broker.start()
    use(broker.url)
    broker.stop()
    for leftover in (folder / "data").glob(f"{TOPIC}-*"):
        shutil.rmtree(leftover)
    return folder


def use(url: str) -> None:
    """Make a topic, write to it in a transaction, read it as a group, delete it."""
    admin = AdminClient({"bootstrap.servers": url, "log_level": 0})
    admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(SECONDS)
    producer = Producer({"bootstrap.servers": url, "transactional.id": TOPIC, "log_level": 0})
    producer.init_transactions(SECONDS)
    producer.begin_transaction()
    producer.produce(TOPIC, b"warm")
    producer.commit_transaction(SECONDS)
    chosen = {"group.id": TOPIC, "auto.offset.reset": "earliest", "log_level": 0}
    consumer = Consumer({"bootstrap.servers": url, **chosen})
    consumer.subscribe([TOPIC])
    consumer.consume(1, SECONDS)
    consumer.commit(offsets=[TopicPartition(TOPIC, 0, 1)], asynchronous=False)
    consumer.close()
    admin.delete_topics([TOPIC])[TOPIC].result(SECONDS)


def _identity(java: Path, jars: Path) -> str:
    files = [java.resolve(), *sorted(jars.glob("*.jar"))]
    facts = [f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
