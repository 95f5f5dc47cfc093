"""The supervisor: all distributed processes of this machine, started wave by wave, kept running, stopped in reverse."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Mapping, Sequence

from domain.errors import WaitedTooLongError
from server.child import Child, Part

START_SECONDS = 120.0
LOOK_SECONDS = 0.05
SERVICES = ("catalog", "training", "evaluation", "session", "storage")
FREE_PORTS = range(12_000, 32_000)  # below those of outgoing connections: one of them could take a port in between

Wave = Sequence[Part]


class Supervisor:
    """Children in waves; each wave answers before the next one is started."""

    def __init__(self, waves: Sequence[Wave], environment: Mapping[str, str]) -> None:
        own = {**os.environ, **environment}
        self.waves = [[Child(part, own) for part in wave] for wave in waves]

    def start(self) -> None:
        """Start all; raises the refusal of the first child that does not start, or WaitedTooLongError."""
        deadline = time.monotonic() + START_SECONDS
        for wave in self.waves:
            for child in wave:
                child.start()
            while sum(child.is_ready() for child in wave) < len(wave):  # all are asked, so a refusal is seen at once
                if time.monotonic() > deadline:
                    raise WaitedTooLongError(f"Not all processes answered within {START_SECONDS:.0f} s.")
                time.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        """Stop all, the last wave first; a second time does nothing."""
        for wave in reversed(self.waves):
            for child in wave:
                child.ask_to_end()
            for child in wave:
                child.await_end()


def waves_of(instances: int) -> list[list[Part]]:
    """Return the processes of the distributed mode; `instances` of each, the services' doors last and gone first."""
    works, doors = ([(kind, service) for service in SERVICES] for kind in ("work", "serve"))
    kinds: list[Sequence[tuple[str, ...]]] = [[("relay",)], [("project",)], works, doors]
    return [[_part(words, n) for words in kind for n in range(1, instances + 1)] for kind in kinds]


def doors_of(waves: Sequence[Wave]) -> dict[str, list[str]]:
    """Return the URLs of each service's instances that answer calls."""
    return {service: [it.url for it in waves[-1] if it.words[1] == service] for service in SERVICES}


def _part(words: tuple[str, ...], number: int) -> Part:
    port = free_port()
    return Part(f"{' '.join(words)} {number}", (*words, "--port", str(port)), port)


def free_port() -> int:
    """Return a port of loopback that nobody has."""
    while True:
        port = random.choice(FREE_PORTS)  # noqa: S311 - no secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
