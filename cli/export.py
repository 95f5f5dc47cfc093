"""`autolearn export`: the fitted model as a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from autolearn.errors import UnprovenAnswerError
from cli.new_file import STDOUT, force_option, new_file
from cli.options import as_of, shared
from cli.terminal import Terminal

PICKLED = (".pickle", ".pkl", ".joblib")


@click.command()
@click.argument("experiment")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@force_option
@as_of
@shared
def export(terminal: Terminal, experiment: str, file: Path, *, force: bool, as_of: str | None) -> None:
    """Write the fitted model of EXPERIMENT to FILE (`-`: standard output), a skops file; its SHA-256 is checked.

    A FILE named .onnx becomes ONNX, where the model has that form; it is compared with the model on the held-out rows
    before it is given out. docs/export.md says how both are used.
    """
    if file.suffix.lower() in PICKLED:
        raise click.UsageError(f"{file.name} would not be a pickle, but a skops file: name it .skops (or .onnx).")
    with new_file(file, force=force) as draft:
        client, form = terminal.client(), "onnx" if file.suffix.lower() == ".onnx" else None
        shown = client.get("experiments", experiment, as_of=as_of).body
        size = client.download("experiments", shown["experiment"], "model", to=draft, as_of=as_of, format=form)
        with draft.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        # the model travels in plain, its digest sealed
        recorded = (shown.get("blobs") or {}).get("model") or {}
        expected = recorded.get("sha256") if isinstance(recorded, dict) else recorded
        if form is None and expected and expected != sha256:
            raise UnprovenAnswerError(
                f"The file that came is not the recorded model: SHA-256 {sha256}, recorded {expected}."
            )
    if file != STDOUT:
        terminal.show({"experiment": shown["experiment"], "file": str(file), "bytes": size, "sha256": sha256})
