"""`autolearn proxy`: this client's door on loopback, for curl, the OpenAPI page and notebooks."""

from __future__ import annotations

from contextlib import suppress

import click

from cli.options import shared
from cli.terminal import Terminal


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8421, show_default=True, help="0 takes a free one.")
@shared
def proxy(terminal: Terminal, port: int) -> None:
    """Open a door on this machine: plain HTTP in, signed and sealed out, in your name.

    Its URL has a secret that is new at every start: who has the URL acts as you. It ends with Ctrl-C.
    """
    from cli.local_proxy import Door  # noqa: PLC0415 - loads http.server

    door = Door(terminal.client(), port)
    terminal.show({"url": door.url, "docs": f"{door.url}/docs"})
    terminal.say("Ctrl-C closes the door.")
    with door, suppress(KeyboardInterrupt):
        door.serve_forever()
