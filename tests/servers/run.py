"""`make servers`: a Kafka and a MongoDB on this machine, for trying the distributed mode without Docker. Not for data.

They listen on loopback, keep their files in `.servers/`, and end with Ctrl-C.
"""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.servers.kafka import KafkaServer
from tests.servers.mongod import MongoServer
from tests.servers.process import is_open

FOLDER = Path(".servers")
PORTS = {KafkaServer: 9092, MongoServer: 27017}


def main() -> int:
    """Start both on their usual ports, say so, and wait for the end."""
    taken = [port for port in PORTS.values() if is_open(port)]
    if taken:
        sys.stderr.write(f"Something listens on port {taken[0]} already: name it by AUTOLEARN_KAFKA or _MONGODB.\n")
        return 1
    with ExitStack() as running:
        for kind, port in PORTS.items():
            try:
                server = kind(FOLDER / kind.__name__)
            except LookupError as missing:
                sys.stderr.write(f"{missing}\n")
                return 1
            server.port = port
            running.callback(server.stop)
            server.start()
        sys.stdout.write(
            f"Kafka (port {PORTS[KafkaServer]}) and MongoDB (port {PORTS[MongoServer]}) are ready, their files are in"
            f" {FOLDER}/ until you remove it. Now: autolearn up --mode distributed. Ctrl-C stops them.\n"
        )
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    sys.exit(main())
