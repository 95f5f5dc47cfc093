"""The composition root (the deck's Singleton): the one place that names adapter classes, and makes each part once."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from projections.ports import Documents
    from server.compose.stores import Stores
    from server.settings import Settings


def open_stores(settings: Settings, worker: str, opened: ExitStack, *, read_only: bool = False) -> Stores:
    """Open what is stored, of either mode; `opened` closes it.

    `read_only` never changes a file of the embedded mode, nor what a MongoDB holds; the id of a new installation is
    made by whoever comes first.
    """
    if settings.mode == "distributed":
        from server.compose.distributed import open_stores as distributed  # noqa: PLC0415 - the drivers of one mode only

        return distributed(settings, worker, opened, read_only=read_only)
    from server.compose.embedded import open_stores as embedded  # noqa: PLC0415 - idem

    return embedded(settings, worker, opened, read_only=read_only)


def fresh_documents(settings: Settings, projection: str | None) -> AbstractContextManager[tuple[str, Documents]]:
    """Make read models beside those that serve, to rebuild a projection or all in; yields their name and documents."""
    if settings.mode == "distributed":
        from server.compose.distributed import fresh_documents as distributed  # noqa: PLC0415 - idem

        return distributed(settings, projection)
    from server.compose.embedded import fresh_documents as embedded  # noqa: PLC0415 - idem

    return embedded(settings, projection)
