"""A Kafka as it comes: one lean KRaft node, formatted by Kafka's own tool at the first start."""

from __future__ import annotations

import subprocess
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.servers import places
from tests.servers.process import Server, free_port

LEAN = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.segment.delete.delay.ms": 1000,
    "auto.create.topics.enable": "false",
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "num.network.threads": 2,
    "num.io.threads": 2,
    "log.cleaner.dedupe.buffer.size": 2_097_152,
    # back within 4 s of a kill, not 14: the controller keeps the dead broker's registration for one session
    "broker.session.timeout.ms": 2000,
    "broker.heartbeat.interval.ms": 500,
    # consumers and transactions whose process died are given up as quickly as tests want to see it
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "group.consumer.min.session.timeout.ms": 1000,
    "group.consumer.session.timeout.ms": 3000,
    "group.consumer.min.heartbeat.interval.ms": 100,
    "group.consumer.heartbeat.interval.ms": 1000,
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
}
JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")


class ColdKafka(Server):
    """A broker and its controller in one process; `more` settings of server.properties win."""

    def __init__(self, folder: Path, more: dict[str, object] | None = None) -> None:
        super().__init__(folder)
        self.controller = free_port()
        self.more = more or {}
        self.java, self.jars = places.java(), places.jars()

    @property
    def url(self) -> str:
        """Bootstrap servers."""
        return f"127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """Return the JVM's command line, the properties written and the data folder formatted."""
        self._write_properties()
        if not (self.folder / "data").exists():
            self.format()
        return self.jvm(*self.options(), "kafka.Kafka", str(self.folder / "server.properties"))

    def options(self) -> list[str]:
        """Return the JVM's options beyond the lean ones."""
        return []

    def format(self) -> None:
        """Make the data folder; by the tool, as hand-made files would leave features of the cluster at level 0."""
        chosen = ("--cluster-id", "AutoLearnTestsCluster0", "--config", str(self.folder / "server.properties"))
        subprocess.run(self.jvm("kafka.tools.StorageTool", "format", *chosen), check=True, capture_output=True)

    def jvm(self, *arguments: str) -> list[str]:
        """Return the command line of a JVM with Kafka's jars: options, class, arguments of the class."""
        return [str(self.java), *JVM, "-cp", f"{self.jars}/*", *arguments]

    def answers(self) -> bool:
        """Tell whether the broker can be asked for its topics."""
        client = AdminClient({"bootstrap.servers": self.url, "log_level": 0})
        try:
            return bool(client.list_topics(timeout=5).brokers)
        except KafkaException:
            return False

    def _write_properties(self) -> None:
        broker, controller = f"127.0.0.1:{self.port}", f"127.0.0.1:{self.controller}"
        own = {
            "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{broker}",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": self.folder / "data",
        }
        lines = [f"{key}={value}\n" for key, value in (LEAN | own | self.more).items()]
        (self.folder / "server.properties").write_text("".join(lines))
