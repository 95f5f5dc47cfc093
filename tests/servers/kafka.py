"""A Kafka of a test's own, which starts in about a second: `KafkaServer(folder)`."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.servers import warmth
from tests.servers.broker import ColdKafka


class KafkaServer(ColdKafka):
    """A lean broker that begins with archived classes and with a copy of files that are formatted already."""

    def __init__(self, folder: Path, more: dict[str, object] | None = None) -> None:
        super().__init__(folder, more)
        self.warmth = warmth.of(self.java, self.jars)

    def options(self) -> list[str]:
        """Return what lets the JVM take its classes from the archive, and load them itself if they are others."""
        return [f"-XX:SharedArchiveFile={self.warmth / warmth.CLASSES}", "-Xshare:auto"]

    def format(self) -> None:
        """Copy the files of the cluster that was warmed up."""
        shutil.copytree(self.warmth / "data", self.folder / "data")
