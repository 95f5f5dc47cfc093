"""`autolearn console`: the pages for people, on loopback; asked from here, signed and sealed, in your name."""

from __future__ import annotations

import webbrowser

import click

from autolearn.errors import InvalidInputError
from cli.options import shared
from cli.terminal import Terminal


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8422, show_default=True, help="0 takes a free one.")
@click.option("--open", "is_opened", is_flag=True, help="Open it in the browser of this machine.")
@shared
def console(terminal: Terminal, port: int, *, is_opened: bool) -> None:
    """Serve the console: pages for data sets, training, history, time travel and the audit log.

    The URL has a secret that is new at every start: whoever has the URL acts as you. Ctrl-C ends it.
    """
    from console.server import ConsoleServer  # noqa: PLC0415 - loads Starlette and uvicorn

    client = terminal.client()
    try:
        server = ConsoleServer(client, port)
    except OSError as taken:
        raise InvalidInputError(f"Port {port} cannot be used ({taken.strerror}): choose another with --port.") from None
    terminal.show({"url": server.url})
    terminal.say("Ctrl-C ends it.")
    if is_opened:
        webbrowser.open(server.url)
    server.run()
