"""A file that the user asked for by name: written whole or not at all, and never over another without `--force`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from cli.umask import give_users_mode

force_option = click.option("--force", is_flag=True, help="Overwrite the file if there is one.")


@contextmanager
def new_file(file: Path, *, force: bool) -> Iterator[Path]:
    """Yield the path of a draft in the same folder, which becomes the file at the end; raises click.UsageError."""
    if not os.access(file.parent, os.W_OK) or not file.parent.is_dir():
        raise click.UsageError(f"{file.parent} is not a folder that you may write to.")
    if not force and os.path.lexists(file):
        raise click.UsageError(f"{file} exists already: name another file, or overwrite it with --force.")
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".new", dir=file.parent)
    os.close(descriptor)
    draft = Path(name)
    try:
        yield draft
        give_users_mode(draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
