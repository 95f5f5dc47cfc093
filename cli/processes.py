"""`serve`, `work`, `relay`, `project`: a process of the distributed mode with one role."""

from __future__ import annotations

import click

from cli.options import port_option
from server.roles import SERVICES, Roles

service_argument = click.argument("service", type=click.Choice(SERVICES))
health_option = click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Of health and metrics.  [default: any free one]"
)


@click.command()
@service_argument
@port_option
def serve(service: str, port: int) -> None:
    """Answer the calls of one SERVICE (distributed mode); any number of instances."""
    _run(Roles(serve=(service,)), port)


@click.command()
@service_argument
@health_option
def work(service: str, port: int) -> None:
    """Do the queued and lost tasks of one SERVICE (distributed mode); any number of instances."""
    _run(Roles(work=(service,)), port)


@click.command()
@health_option
def relay(port: int) -> None:
    """Carry the log and the audit log to Kafka, exactly once, in order (distributed mode); several stand by."""
    _run(Roles(relay=True), port)


@click.command()
@health_option
def project(port: int) -> None:
    """Fold the topic into the read models (distributed mode); several stand by."""
    _run(Roles(project=True), port)


def _run(roles: Roles, port: int) -> None:
    from server.programs import run_roles  # noqa: PLC0415 - the backend's imports, not needed by --help

    run_roles(roles, port)
