"""The composition root: the one place that names adapter classes, and makes each part once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from adapters.host.directory_lock import DirectoryLock
from server.compose.folders import prepare_places
from server.roles import ALL, Roles

if TYPE_CHECKING:
    from projections.ports import Documents
    from server.compose.stores import Stores
    from server.runner import Runner
    from server.settings import Settings


def import_distributed() -> None:
    """Import what a process of the distributed mode needs, so that those forked from here have it already."""
    for module in ("server.compose.distributed", "adapters.http.app"):
        import_module(module)


@contextmanager
def lock_directory(settings: Settings) -> Iterator[DirectoryLock]:
    """Make the data directory where there is none, and own it; raises DataDirectoryInUseError."""
    prepare_places(settings)
    with DirectoryLock(settings.data) as lock:
        yield lock


def open_runner(
    settings: Settings, lock: DirectoryLock | None, roles: Roles = ALL, accept_loss: str | None = None
) -> Runner:
    """Put a process together, of either mode; in the embedded mode it has all roles, and needs the directory's lock.

    `accept_loss`: why it goes on where the end of log or audit log is lost (embedded).
    """
    if settings.mode == "distributed" or lock is None:
        from server.compose.distributed import open_runner as distributed  # noqa: PLC0415 - the drivers of one mode

        return distributed(settings, roles)
    from server.compose.embedded import open_runner as embedded  # noqa: PLC0415 - idem

    return embedded(settings, lock, accept_loss)


def open_stores(settings: Settings, name: str, opened: ExitStack, *, read_only: bool = False) -> Stores:
    """Open what is stored, of either mode; `opened` closes it.

    `read_only` never changes a file of the embedded mode, nor what a MongoDB holds; the id of a new installation is
    made by whoever comes first.
    """
    if settings.mode == "distributed":
        from server.compose.distributed import open_stores as distributed  # noqa: PLC0415 - the drivers of one mode

        return distributed(settings, name, opened, read_only=read_only)
    from server.compose.embedded import open_stores as embedded  # noqa: PLC0415 - idem

    return embedded(settings, name, opened, read_only=read_only)


def fresh_documents(settings: Settings, projection: str | None) -> AbstractContextManager[tuple[str, Documents]]:
    """Make read models beside those that serve, to rebuild a projection or all in; yields their name and documents."""
    if settings.mode == "distributed":
        from server.compose.distributed import fresh_documents as distributed  # noqa: PLC0415 - idem

        return distributed(settings, projection)
    from server.compose.embedded import fresh_documents as embedded  # noqa: PLC0415 - idem

    return embedded(settings, projection)
