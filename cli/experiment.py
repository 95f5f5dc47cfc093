"""`autolearn show`, `reproduce` and `export`: one experiment by its id or any unique beginning of it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import click

from autolearn.errors import UnprovenAnswerError
from cli.ending import finished, leave
from cli.options import as_of, no_wait, shared
from cli.output import Block, Facts, View
from cli.terminal import Terminal
from cli.umask import give_users_mode
from cli.views import TASK, measure_rows, named, numbered

LISTS = ("evaluations", "reproductions", "annotations", "events", "measures")
HIDDEN = ("learned", "split", "provenance", "blobs")
EQUAL = ("bit-identical", "metric-equal")


@click.command()
@click.argument("experiment")
@as_of
@shared
def show(terminal: Terminal, experiment: str, as_of: str | None) -> None:
    """Show everything known about EXPERIMENT: an id, or a beginning of 4 characters or more that no other one has.

    JSON has also learned parameters, split, provenance and blobs.
    """
    terminal.show(terminal.client().get("experiments", experiment, as_of=as_of).body, View(_blocks))


@click.command()
@click.argument("experiment")
@no_wait
@shared
def reproduce(terminal: Terminal, experiment: str, *, no_wait: bool) -> None:
    """Train EXPERIMENT again from its record; exit code 1 where it does not learn the same."""
    client = terminal.client()
    with terminal.working("Training again"):
        answer = client.post("experiments", experiment, "reproductions", background=no_wait)
    body = finished(terminal, client, answer, wait=not no_wait)
    terminal.show(body, TASK)
    leave(terminal, body, different=bool(body.get("verdict")) and body["verdict"] not in EQUAL)


@click.command()
@click.argument("experiment")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@as_of
@shared
def export(terminal: Terminal, experiment: str, file: Path, as_of: str | None) -> None:
    """Write the fitted model of EXPERIMENT to FILE, a skops file; its SHA-256 is checked."""
    if not os.access(file.parent, os.W_OK) or not file.parent.is_dir():
        raise click.UsageError(f"{file.parent} is no folder that you may write to.")
    client = terminal.client()
    known = client.get("experiments", experiment, as_of=as_of).body
    descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".new", dir=file.parent)
    os.close(descriptor)
    fresh = Path(draft)
    try:
        size = client.download("experiments", known["experiment"], "model", to=fresh, as_of=as_of)
        with fresh.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        _check(known, sha256)
        give_users_mode(fresh)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
    terminal.show({"experiment": known["experiment"], "file": str(file), "bytes": size, "sha256": sha256})


def _check(known: Facts, sha256: str) -> None:
    """Hold the model, which travels in plain, against its digest, which came sealed."""
    recorded = (known.get("blobs") or {}).get("model") or {}
    wanted = recorded.get("sha256") if isinstance(recorded, dict) else recorded
    if wanted and wanted != sha256:
        raise UnprovenAnswerError(f"The file that came is not the recorded model: SHA-256 {sha256}, recorded {wanted}.")


def _blocks(body: Facts) -> list[Block]:
    facts = {key: value for key, value in body.items() if key not in LISTS + HIDDEN and value not in (None, {}, [])}
    facts |= {"model": named(body.get("model")), "dataset": numbered(body.get("dataset"))}
    events = [
        {"position": it.get("position"), "at": it.get("at"), "event": it.get("name"), "actor": it.get("actor")}
        for it in body.get("events") or []
    ]
    return [facts, measure_rows(body.get("measures")), list(body.get("annotations") or []), events]
