"""The small files of a data directory, held against each other: the next start, or clients, use what they say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from adapters.embedded.directory.data_format import FORMAT, said_in
from adapters.embedded.directory.receipts import NAME, read_receipts
from adapters.embedded.read_models.generations import Generations
from adapters.security.keys import client_key, fingerprint, read_master_key
from autolearn.credentials import Credentials
from autolearn.errors import InvalidInputError
from domain.errors import AutoLearnError


def small_file_faults(folder: Path, key_file: Path) -> Iterator[str]:
    """Name what was garbled or does not fit; a file that is not there is no fault: all but the key are made again."""
    yield from _of_pointer(folder)
    if (folder / NAME).exists() and not read_receipts(folder):
        yield f"{NAME} was garbled: it is written again at the next start"
    try:
        master = read_master_key(key_file) if key_file.exists() else None
    except AutoLearnError as error:
        master = None
        yield error.sentence
    yield from _of_format(folder, master)
    if master is not None and (folder / "credentials.json").exists():
        yield from _of_credentials(folder / "credentials.json", master)


def _of_pointer(folder: Path) -> Iterator[str]:
    pointer = folder / "read-models.current"
    if pointer.exists():
        named = Generations(folder).named()
        if named is None or not named.exists():
            yield f"{pointer.name} names no read models that are there: the next start folds new ones from the log"


def _of_format(folder: Path, master: bytes | None) -> Iterator[str]:
    if not (folder / "format.json").exists():
        return
    said = said_in(folder)
    if said is None:
        yield "format.json was garbled: it is written again at the next start"
    elif said.format != FORMAT:
        yield f"format.json says format {said.format}, and this version writes {FORMAT}"
    elif master is not None and said.master_key not in {None, fingerprint(master)}:
        yield "the master key is not the one that the data directory was begun with: restore that one"


def _of_credentials(path: Path, master: bytes) -> Iterator[str]:
    again = f"remove {path.name}, and the next start writes it again"
    try:
        held = Credentials.read(path)
    except InvalidInputError as error:
        yield f"{error} Or {again}."
        return
    if held.key != client_key(master, held.client, held.generation):
        yield f"the key in {path.name} is not that of client {json.dumps(held.client)}: {again}"
