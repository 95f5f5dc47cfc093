"""`serve`, `work`, `relay`, `project`: the processes of the distributed mode, one of each per command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from domain.errors import BadInputError

if TYPE_CHECKING:
    from adapters.http.routes.process_health import Vitals
    from server.follower import Follower
    from server.service_node import ServiceNode
    from server.serving import Door
    from server.settings import Settings

SERVICES = ("catalog", "training", "evaluation", "session", "storage")
DEFAULT_PORT = 8420

service_argument = click.argument("service", type=click.Choice(SERVICES))
port_option = click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0: any free one."
)
vitals_option = click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Of health and metrics.  [default: any free one]"
)


@click.command()
@service_argument
@port_option
def serve(service: str, port: int) -> None:
    """Answer the calls of one SERVICE (distributed mode); any number of instances."""
    from adapters.http.app import make_service_app  # noqa: PLC0415 - only this process needs it
    from server.compose.distributed import open_service  # noqa: PLC0415 - idem
    from server.serving import Reception, begin_process, check_exposure, door_at, run_app  # noqa: PLC0415 - idem

    begin_process()
    settings = _settings()
    with door_at(settings.listen, port) as door:
        node = open_service(settings, "serve", service)
        try:
            check_exposure(settings, node.backend)
            node.serve()
            _announce(f"serve {service}", door)
            app = make_service_app(node.backend, service)
            run_app(app, door, node.application.close, Reception.of(settings, app.refuse_connection))
        finally:
            node.close()


@click.command()
@service_argument
@vitals_option
def work(service: str, port: int) -> None:
    """Do the queued and lost tasks of one SERVICE (distributed mode); any number of instances."""
    from adapters.http.routes.process_health import make_vitals_app  # noqa: PLC0415 - only this process needs it
    from server.compose.distributed import open_service  # noqa: PLC0415 - idem
    from server.compose.stores import BUILTIN_DATASETS  # noqa: PLC0415 - idem
    from server.serving import Reception, begin_process, door_at, run_app  # noqa: PLC0415 - idem

    begin_process()
    settings = _settings()
    with door_at(settings.listen, port) as door:
        node = open_service(settings, "work", service)
        try:
            node.work(BUILTIN_DATASETS)
            _announce(f"work {service}", door)
            app = make_vitals_app(work_vitals(service, node))
            run_app(app, door, node.application.close, Reception.of(settings))
        finally:
            node.close()


def work_vitals(service: str, node: ServiceNode) -> Vitals:
    """Return what `work SERVICE` tells: it is ready once it has taken over what was unfinished, and follows the log."""
    from adapters.http.routes.process_health import Vitals  # noqa: PLC0415 - only this process needs it

    worker, tasks = node.worker, node.application.tasks
    return Vitals(
        f"work {service}",
        fault=lambda: worker.fault,
        measure=lambda: {"tasks_running": len(tasks.running()), "followed_position": worker.position},
    )


@click.command()
@vitals_option
def relay(port: int) -> None:
    """Carry the log and the archive to Kafka, exactly once, in order (distributed mode); several stand by."""
    from server.compose.followers import open_relay  # noqa: PLC0415 - only this process needs it

    _follow("relay", open_relay, port)


@click.command()
@vitals_option
def project(port: int) -> None:
    """Fold the topic into the read models (distributed mode); several stand by."""
    from server.compose.followers import open_project  # noqa: PLC0415 - only this process needs it

    _follow("project", open_project, port)


def _follow(kind: str, open_follower: Callable[[Settings], Follower], port: int) -> None:
    from adapters.http.routes.process_health import make_vitals_app  # noqa: PLC0415 - only these processes need it
    from server.serving import Reception, begin_process, door_at, run_app  # noqa: PLC0415 - idem

    begin_process()
    settings = _settings()
    with door_at(settings.listen, port) as door:
        follower = open_follower(settings)
        try:
            follower.start()
            _announce(kind, door)
            run_app(make_vitals_app(follower.vitals), door, follower.stop, Reception.of(settings))
        finally:
            follower.close()


def _announce(what: str, door: Door) -> None:
    door.open()
    sys.stderr.write(f"AutoLearn {what} answers at {door.url}\n")
    sys.stderr.flush()


def _settings() -> Settings:
    from server.settings import read_settings  # noqa: PLC0415 - pydantic only where a process starts

    settings = read_settings() if os.environ.get("AUTOLEARN_MODE") else read_settings(mode="distributed")
    if settings.mode != "distributed":
        raise BadInputError("This is a process of the distributed mode, but AUTOLEARN_MODE says embedded: unset it.")
    return settings
