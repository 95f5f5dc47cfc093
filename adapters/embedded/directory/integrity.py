"""What is wrong with the files of a data directory besides its databases: their kinds, and what the small ones say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from adapters.embedded.directory import format as data_format
from adapters.embedded.directory import receipts
from adapters.embedded.read_models.generations import Generations
from adapters.embedded.schema import FORMAT
from adapters.host.files import special_files
from adapters.security.keys import client_key, fingerprint, read_master_key
from autolearn.credentials import Credentials
from autolearn.errors import InvalidInputError
from domain.errors import AutoLearnError

BESIDE: Final = ("", "-wal", "-shm", "-journal")  # what SQLite has beside a file
POINTER, CREDENTIALS = "read-models.current", "credentials.json"
SMALL: Final = (data_format.NAME, POINTER, receipts.NAME, CREDENTIALS, "lock")


def special_files_in(folder: Path, key_file: Path) -> Iterator[str]:
    """Yield a sentence for each file that is not a regular one: nothing may open it."""
    names = [path.name for path in folder.iterdir() if path.name.startswith("read-models-")]
    for name in ("events.db", "communications.db"):
        names += [name + ending for ending in BESIDE]
    yield from special_files(folder / name for name in sorted({*names, *SMALL} - {key_file.name}))
    key = key_file.resolve()  # secrets are mounted as links
    yield from (what.replace(str(key), str(key_file)) for what in special_files([key]))


def small_file_faults(folder: Path, key_file: Path) -> Iterator[str]:
    """Name what was garbled or does not fit; a missing file is not a fault: all but the key are made again."""
    if (folder / POINTER).exists():
        named = Generations(folder).named()
        if named is None or not named.exists():
            yield f"{POINTER} names no read models that are there: the next start folds new ones from the log"
    if (folder / receipts.NAME).exists() and not receipts.read_receipts(folder):
        yield f"{receipts.NAME} was garbled: it is written again at the next start"
    try:
        master = read_master_key(key_file) if key_file.exists() else None
    except AutoLearnError as error:
        master = None
        yield error.sentence
    if (folder / data_format.NAME).exists():
        yield from _format_faults(folder, master)
    if master is not None and (folder / CREDENTIALS).exists():
        yield from _credential_faults(folder / CREDENTIALS, master)


def _format_faults(folder: Path, master: bytes | None) -> Iterator[str]:
    found = data_format.read_format(folder)
    if found is None:
        yield "format.json was garbled: it is written again at the next start"
    elif found.format != FORMAT:
        yield f"format.json says format {found.format}, and this version writes {FORMAT}"
    elif master is not None and found.master_key not in {None, fingerprint(master)}:
        yield "the master key is not the one that the data directory was begun with: restore that one"


def _credential_faults(path: Path, master: bytes) -> Iterator[str]:
    again = f"remove {path.name}, and the next start writes it again"
    try:
        stored = Credentials.read(path)
    except InvalidInputError as error:
        yield f"{error} Or {again}."
        return
    if stored.key != client_key(master, stored.client, stored.key_generation):
        yield f"the key in {path.name} is not that of client {json.dumps(stored.client)}: {again}"
