"""Which communications: filters as the archive takes them, and the cursor that goes on where a page ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.http.backend import Backend
from adapters.http.routes.request_schemas import LogFilter, LogPage
from domain.errors import BadCursorError
from projections.as_of import TIMES as FORMS
from projections.as_of import parse_time
from projections.ports import Archived

EQUAL = ("correlation", "actor", "operation", "outcome", "kind")
TIMES = ("since", "until")


def filters_of(given: LogFilter, backend: Backend) -> dict[str, str]:
    """Return the filters that were given; times as ISO timestamps in UTC."""
    named = {name: value for name in EQUAL if (value := getattr(given, name)) is not None}
    times = {name: value for name in TIMES if (value := getattr(given, name)) is not None}
    return named | {name: parse_time(value, backend.clock.now(), FORMS).isoformat() for name, value in times.items()}


def matches(record: Archived, filters: dict[str, str]) -> bool:
    """Whether a record passes: what the archive does for pages, for the ones that stream by."""
    if not all(str(getattr(record.communication, name)) == filters[name] for name in EQUAL if name in filters):
        return False
    since, until = (datetime.fromisoformat(filters[name]) if name in filters else record.at for name in TIMES)
    return since <= record.at <= until


@dataclass(frozen=True, slots=True)
class LogQuestion:
    """Filters, the position before which the page begins (None: the newest), and how to go on."""

    backend: Backend
    client: str
    filters: dict[str, str]
    before: int | None

    @classmethod
    def of(cls, page: LogPage, backend: Backend, client: str) -> LogQuestion:
        """Read parameters and cursor; raises BadCursorError where the cursor is of other filters or another client."""
        filters = filters_of(page, backend)
        if page.cursor is None:
            return cls(backend, client, filters, None)
        payload: Any = backend.cursors.open(page.cursor)
        if not isinstance(payload, dict) or payload.get("log") != client:
            raise BadCursorError("This cursor is of another client or of another question.")
        if filters and filters != payload["filters"]:
            raise BadCursorError("This cursor was made for other filters: repeat those, or leave them out.")
        return cls(backend, client, payload["filters"], payload["before"])

    def cursor_after(self, position: int) -> str:
        """Return the cursor of the page that follows a record."""
        return self.backend.cursors.sign({"log": self.client, "filters": self.filters, "before": position})
