"""`doctor` put together: the checks of the machine, then those of the stores and servers of the mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.embedded.directory.format import read_format
from adapters.embedded.directory.last_backup import last_backup
from adapters.embedded.schema import FORMAT
from adapters.files.blobs import folder_of
from adapters.files.remote_files import RemoteFiles
from adapters.files.store_check import StoreCheck
from adapters.security.keys import fingerprint, read_master_key
from adapters.tasks.confinement import Confinement
from domain.errors import BadInputError, ConflictError
from server.compose.embedded import EVENTS, OVERRIDE_COMMAND, EmbeddedStores, find_loss, known_key, open_stores
from server.compose.stores import SystemClock
from server.doctor import Checks, Finding, age_of_backup, check_folder, checks_of_machine, findings
from server.settings import Settings


def examine(settings: Settings) -> Iterator[Finding]:
    """Yield what each check found, in the order in which trouble should be mended."""
    with ExitStack() as opened:
        yield from findings(checks_of_machine(settings))
        yield from findings(_checks_of_both(settings))
        if settings.mode == "distributed":
            from server.compose.doctor_distributed import checks_of_servers  # noqa: PLC0415 - the drivers of one mode

            yield from findings(checks_of_servers(settings, opened))
        else:
            yield from findings(_checks_of_directory(settings, opened))


def _checks_of_both(settings: Settings) -> Checks:
    yield "clock", lambda: f"{SystemClock().now():%Y-%m-%d %H:%M:%SZ}"
    yield "sandbox", Confinement(settings.sandbox).describe
    yield "blobs", lambda: _blobs(settings)


def _checks_of_directory(settings: Settings, opened: ExitStack) -> Checks:
    if not (settings.data / EVENTS).exists():
        yield "log", lambda: "none yet: the first start begins it"
        yield "master key", lambda: check_key(settings.key_file, None, begun=False)
        return
    stores = list[EmbeddedStores]()
    yield "log", lambda: _log(settings, opened, stores)
    yield "master key", lambda: check_key(settings.key_file, _known_key(settings, stores), begun=True)
    yield "last back-up", lambda: age_of_backup(last_backup(settings.data))


def _log(settings: Settings, opened: ExitStack, stores: list[EmbeddedStores]) -> str:
    """Return how far the logs are, and keep the opened stores; raises where a start would be refused."""
    found = read_format(settings.data)
    if found is not None and found.format > FORMAT:
        raise ConflictError(f"A newer AutoLearn wrote {settings.data}: use that version.")
    stores.append(open_stores(settings, "doctor", opened, read_only=True))
    loss = find_loss(stores[0], settings.data)
    loss.refuse_loss(override_command=OVERRIDE_COMMAND)
    return f"format {FORMAT}, log at position {loss.log.end.position}, audit log at {loss.audit.end.position}"


def _known_key(settings: Settings, stores: list[EmbeddedStores]) -> str | None:
    if stores:
        return known_key(settings.data, stores[0])
    found = read_format(settings.data)
    return found.master_key if found else None


def check_key(file: Path, known: str | None, *, begun: bool) -> str:
    """Hold the master key against the fingerprint that the installation was begun with; raises BadInputError."""
    if not file.exists():
        if not begun:
            return f"{file} is not there: the first start makes it"
        of = f" of fingerprint {known}" if known else ""
        raise BadInputError(f"The master key {file}{of} is missing, and all clients' keys depend on it: restore it.")
    found = fingerprint(read_master_key(file))
    if known not in {None, found}:
        raise BadInputError(f"The master key {file} has fingerprint {found}, but the installation's is {known}.")
    return f"{file}, fingerprint {found}" + ("" if known else " (nothing to compare it with yet)")


def _blobs(settings: Settings) -> str:
    folder = folder_of(settings.blobs_url)
    if folder is not None:
        return check_folder(folder, "the first start makes it")
    files = RemoteFiles(settings.blobs_url)
    with TemporaryDirectory() as scratch:
        StoreCheck(files, Path(scratch)).run()
    return f"{files.url}: written and read"
