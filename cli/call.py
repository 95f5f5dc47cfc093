"""`autolearn call`: any route, signed and sealed, for what has no command of its own and for trying things out."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from autolearn.answers import Response
from autolearn.events import check_problem
from autolearn.outgoing_call import Body, FileBody
from autolearn.printable import as_json, visible_lines
from autolearn.views import View
from cli.options import shared
from cli.terminal import Terminal

METHODS = ("GET", "POST", "DELETE")


@click.command()
@click.argument("method", type=click.Choice(METHODS, case_sensitive=False))
@click.argument("path")
@click.option("-d", "--data", metavar="JSON", help="The body: JSON, or @FILE with JSON, or @- for standard input.")
@click.option("--raw", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file as the body.")
@click.option(
    "-H",
    "--header",
    "headers",
    multiple=True,
    metavar="NAME:VALUE",
    help="For example `Idempotency-Key: once`, `Prefer: respond-async`, or `Prefer: wait=10` (seconds for a task).",
)
@click.option("-i", "--include", is_flag=True, help="Status and headers too, on stderr.")
@shared
def call(
    terminal: Terminal,
    *,
    method: str,
    path: str,
    data: str | None,
    raw: Path | None,
    headers: tuple[str, ...],
    include: bool,
) -> None:
    """Call PATH (with its query) by METHOD, and print the answer: JSON, unless -o names another format."""
    if not path.startswith("/"):
        raise click.UsageError(f"PATH begins with a slash: /{path}")
    sent = dict(map(_parse_header, headers))
    key = next((sent.pop(name) for name in list(sent) if name.lower() == "idempotency-key"), "")
    body, client = _read_body(method.upper(), data, raw), terminal.client()
    answer = client.send(client.call(method.upper(), path, key), body, sent)
    if isinstance(answer, Response):
        _print_answer(terminal, answer, include=include)
        return
    for event in answer:
        click.echo(as_json({"event": event.name, "data": event.data}))
        check_problem(event)


def _print_answer(terminal: Terminal, answer: Response, *, include: bool) -> None:
    if include:
        terminal.say(f"HTTP {answer.status}")
        for name, value in answer.headers.items():
            terminal.say(f"{name}: {value}")
    answer.raise_for_status()
    if isinstance(answer.body, dict) and terminal.form in ("jsonl", "csv"):
        lists = [name for name, value in answer.body.items() if isinstance(value, list)]
        terminal.show(answer.body, View(rows=lists[0] if lists and "next" in answer.body else None))
        if answer.body.get("next"):
            terminal.say(f"More: the same path with cursor={answer.body['next']}")
    elif answer.body is not None:
        click.echo(as_json(answer.body, 2))
    elif answer.media.startswith("text/"):
        click.echo(visible_lines(answer.content.decode(errors="replace")), nl=False)
    elif sys.stdout.isatty():  # the bytes of a file would steer a terminal
        raise click.UsageError("The answer is a file: send it to one, `autolearn call … > FILE`.")
    else:
        sys.stdout.flush()
        with open(sys.stdout.fileno(), "wb", closefd=False) as output:
            output.write(answer.content)


def _read_body(method: str, data: str | None, raw: Path | None) -> Body:
    if raw is not None:
        if data is not None:
            raise click.UsageError("Either -d or --raw.")
        return FileBody.of(raw)
    if data is None:
        return b"{}" if method == "POST" else None
    try:
        if data == "@-":
            content = sys.stdin.buffer.read()
        else:
            content = Path(data[1:]).read_bytes() if data.startswith("@") else data.encode()
        json.loads(content)
    except RecursionError:
        raise click.UsageError("-d is no JSON that can be read: it is nested too deeply.") from None
    except ValueError as wrong:
        raise click.UsageError(f"-d is no JSON: {wrong}.") from None
    return content


def _parse_header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or not (name + value).isprintable():
        raise click.UsageError(f"-H {text!r}: a header looks like NAME:VALUE.")
    return name.strip(), value.strip()
