"""Three brokers that make one Kafka: each a KRaft node of its own, one of them the controller as well."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.servers.kafka import KafkaServer

NODES = 3


class Node(KafkaServer):
    """One node of several; a broker without a quorum of its own learns from the first what there is."""

    def __init__(self, folder: Path, number: int, controller: int | None = None) -> None:
        super().__init__(folder)
        self.number, self.quorum = number, controller or self.controller
        more = {"node.id": number, "controller.quorum.voters": f"1@127.0.0.1:{self.quorum}"}
        if controller is not None:
            more |= {"process.roles": "broker", "listeners": f"PLAINTEXT://{self.url}"}
        self.more = more

    def format(self) -> None:
        """Make the data folder by the tool: the copy that others begin with is node 1's."""
        chosen = ("--cluster-id", "AutoLearnTestsCluster0", "--config", str(self.folder / "server.properties"))
        subprocess.run(self.jvm("kafka.tools.StorageTool", "format", *chosen), check=True, capture_output=True)


def nodes_in(folder: Path) -> list[Node]:
    """Return the nodes, none of them started."""
    first = Node(folder / "1", 1)
    return [first, *(Node(folder / str(number), number, first.quorum) for number in range(2, NODES + 1))]


@contextmanager
def running(nodes: list[Node]) -> Iterator[str]:
    """Run all nodes; yields bootstrap servers that name each of them."""
    try:
        for node in nodes:
            node.start()
        yield ",".join(node.url for node in nodes)
    finally:
        with ThreadPoolExecutor(len(nodes)) as pool:
            list(pool.map(lambda node: node.kill(), nodes))
