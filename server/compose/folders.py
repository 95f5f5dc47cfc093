"""The folders of an installation on this machine: each is made, looked at and closed to others before it is used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from adapters.files.blobs import folder_of
from adapters.host.private_files import check_folder_of_secret, close_files, make_own_folder
from domain.errors import BadInputError
from server.settings import Settings

SCRATCH: Final = "scratch"
BLOB_CACHE: Final = "blob-cache"
# `master.key` and `credentials.json` are not among them: who could read those may have done so, and that is told.
OURS: Final = re.compile(
    r"(lock|format\.json|receipts\.json|last-backup\.json|restore\.json|positions\.json|backend\.log[.\d]*|read-models\.current"
    r"|(events|communications|read-models-\d+)\.db(-wal|-shm|-journal)?)"
)


def scratch_of(settings: Settings) -> Path:
    """Return where temporary files go. A data directory may serve several installations of the distributed mode."""
    scratch = settings.data / SCRATCH
    return scratch / settings.database if settings.mode == "distributed" else scratch


def prepare_places(settings: Settings) -> None:
    """Make the folders of a process that stores or trains; raises BadInputError where others may change one."""
    make_own_folder(settings.data)
    close_files(settings.data, OURS)
    make_own_folder(settings.data / SCRATCH, real=True)
    make_own_folder(scratch_of(settings), real=True)
    blobs = folder_of(settings.blobs_url)
    if blobs is not None:
        _refuse_secrets_in(blobs, settings)
        make_own_folder(blobs)
    else:
        make_own_folder(settings.data / BLOB_CACHE, real=True)
    check_folder_of_secret(settings.key_file.absolute().parent)


def _refuse_secrets_in(blobs: Path, settings: Settings) -> None:
    """Tasks read the blobs, so nothing else may be among them."""
    for secret in (settings.data, settings.key_file):
        if secret.resolve().is_relative_to(blobs.resolve()):
            raise BadInputError(
                f"{secret} is in the folder of blobs {blobs}, which task processes read:"
                " let AUTOLEARN_BLOBS name a folder of its own."
            )
