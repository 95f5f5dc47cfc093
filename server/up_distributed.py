"""`up --mode distributed`: all processes of the distributed mode on this machine, and the gateway in front of them."""

from __future__ import annotations

import sys

from adapters.host.directory_lock import DirectoryLock
from adapters.http.gateway import Gateway
from domain.errors import BadInputError
from server.compose.folders import prepare_places
from server.offline import make_local
from server.serving import LOOPBACK, Reception, begin_process, door_at, run_app, watched
from server.settings import Settings
from server.supervisor import Supervisor, doors_of, waves_of


def up_distributed(settings: Settings, port: int, instances: int = 1) -> None:
    """Run everything until SIGTERM or SIGINT, against the Kafka and MongoDB of the settings; raises domain.errors."""
    if settings.listen not in LOOPBACK:
        raise BadInputError(
            f"`up` does not listen on {settings.listen} in the distributed mode: it is for this machine alone."
            " Beyond it, a reverse proxy stands before `serve`, `work`, `relay` and `project`: see docker-compose.yml."
        )
    begin_process()
    prepare_places(settings)
    waves = waves_of(instances)
    supervisor = Supervisor(waves, environment_of(settings))
    with DirectoryLock(settings.data) as lock, door_at(settings.listen, port) as door:
        try:
            make_local(settings)
            supervisor.start()
            door.open()
            lock.announce(door.url)
            many = sum(map(len, waves))
            sys.stderr.write(
                f"AutoLearn answers at {door.url}: {many} processes on {settings.database}. Ctrl-C stops them.\n"
            )
            with watched(lock):
                run_app(Gateway(doors_of(waves)), door, supervisor.stop, Reception.of(settings, each=2))
        finally:
            supervisor.stop()


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment of the processes below: the same settings, and doors on loopback alone."""
    own = {"blobs": settings.blobs_url, "master_key_file": settings.key_file.absolute()}
    own |= {"proxies": LOOPBACK[0] if settings.proxies else ""}  # the gateway says who called, if it knows more
    own |= {"data": settings.data.absolute(), "mode": "distributed", "listen": "127.0.0.1"}
    return {f"AUTOLEARN_{name}".upper(): str(value) for name, value in (settings.model_dump() | own).items()}
