"""`autolearn export`: the fitted model as a file."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import click

from autolearn.errors import UnprovenAnswerError
from cli.options import as_of, shared
from cli.terminal import Terminal
from cli.umask import give_users_mode


@click.command()
@click.argument("experiment")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@as_of
@shared
def export(terminal: Terminal, experiment: str, file: Path, as_of: str | None) -> None:
    """Write the fitted model of EXPERIMENT to FILE, a skops file; its SHA-256 is checked."""
    if not os.access(file.parent, os.W_OK) or not file.parent.is_dir():
        raise click.UsageError(f"{file.parent} is not a folder that you may write to.")
    client = terminal.client()
    shown = client.get("experiments", experiment, as_of=as_of).body
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".new", dir=file.parent)
    os.close(descriptor)
    draft = Path(name)
    try:
        size = client.download("experiments", shown["experiment"], "model", to=draft, as_of=as_of)
        with draft.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        # the model travels in plain, its digest sealed
        recorded = (shown.get("blobs") or {}).get("model") or {}
        expected = recorded.get("sha256") if isinstance(recorded, dict) else recorded
        if expected and expected != sha256:
            raise UnprovenAnswerError(
                f"The file that came is not the recorded model: SHA-256 {sha256}, recorded {expected}."
            )
        give_users_mode(draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    terminal.show({"experiment": shown["experiment"], "file": str(file), "bytes": size, "sha256": sha256})
