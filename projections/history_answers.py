"""What the history answers: pages of committed experiments. A cursor keeps the first page's position: none shifts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from domain.errors import BadInputError
from domain.lookup import nearest_names
from projections.as_of import is_age, parse_time
from projections.catalog import CALLED
from projections.catalog import KIND as CATALOG
from projections.cursors import HistoryCursor, open_cursor, seal_cursor
from projections.filters.columns import COLUMNS
from projections.filters.conditions import And, Between, Compare, Condition, Not, OneOf, Operator, Or
from projections.filters.filter import parse, parse_sort
from projections.filters.vocabulary import vocabulary_at
from projections.ports import (
    MOST_PAGE_ROWS,
    PAGE_ROWS,
    Body,
    CursorSeal,
    Documents,
    Feed,
    History,
    HistoryQuery,
    Offset,
)
from projections.visibility import Viewer

MICROSECOND = timedelta(microseconds=1)  # commits have their times in these
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """What a client may ask: exact columns, a filter, times (ISO or age) or @positions, a sort key, a page size."""

    where: str | None = None
    model: str | None = None
    dataset: str | None = None
    actor: str | None = None
    session: str | None = None
    since: str | None = None
    until: str | None = None
    sort: str | None = None
    limit: int = PAGE_ROWS
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class HistoryAnswers:
    """Answers with `experiments`, `next` (a cursor or None), `position`, and a `note` of names that are none."""

    documents: Documents
    history: History
    feed: Feed
    seal: CursorSeal

    def page(
        self, viewer: Viewer, request: HistoryRequest, at: int, now: datetime, offset: Offset | None = None
    ) -> Body:
        """Return a page as of a position. Raises BadInputError, FilterError, AmbiguousNameError."""
        if not 1 <= request.limit <= MOST_PAGE_ROWS:
            sentence = f"A page has 1 to {MOST_PAGE_ROWS} rows, not {request.limit}."
            raise BadInputError(sentence, allowed=[1, MOST_PAGE_ROWS])
        names = vocabulary_at(self.documents, at)
        parts = [*_columns(request), *_times(request, now)]
        if request.where and request.where.strip():
            parts.append(parse(request.where, names))
        where = in_positions(And(tuple(parts)), self.feed.position_at) if parts else None
        sort = parse_sort(request.sort, names)
        found = self.history.page(HistoryQuery(at, where, sort, offset, request.limit, request.withdrawn))
        asked_at = now if is_age(request.since) or is_age(request.until) else None
        cursor = HistoryCursor(at, asked_at, found.next) if found.next else None
        next_ = seal_cursor(self.seal, viewer.client, _asked(request), cursor) if cursor else None
        note = "" if found.rows or offset else self._note_unknown(request, at)
        return {"experiments": found.rows, "next": next_, "position": at} | ({"note": note} if note else {})

    def open(self, viewer: Viewer, request: HistoryRequest, cursor: str) -> HistoryCursor:
        """Open a cursor of this request. Raises BadCursorError."""
        return open_cursor(self.seal, viewer.client, _asked(request), cursor)

    def _note_unknown(self, request: HistoryRequest, at: int) -> str:
        """Say which of the asked names has never been one; '' where all are known."""
        sentences = []
        for kind, given in (("model", request.model), ("dataset", request.dataset)):
            known = (
                [it.id.partition("/")[2] for it in self.documents.versions(CATALOG, at, f"{kind}/")] if given else []
            )
            if given and given not in known:
                near = nearest_names(given, known)
                hint = f"Nearest: {', '.join(near)}." if near else f"`autolearn catalog {kind}s` lists them."
                sentences.append(f"There is no {CALLED[kind]} {given!r}. {hint}")
        by_actor = HistoryQuery(at, Compare("actor", "=", request.actor or ""), limit=1, withdrawn=True)
        if request.actor and not self.history.page(by_actor).rows:
            sentences.append(f"No experiment was committed by {request.actor!r}.")
        return " ".join(sentences)


def in_positions(condition: Condition, position_at: Callable[[datetime], int]) -> Condition:
    """Turn times into positions: commits have both in the same order. `position_at`: of the last commit until then."""
    match condition:
        case And(parts) | Or(parts):
            return type(condition)(tuple(in_positions(part, position_at) for part in parts))
        case Not(part):
            return Not(in_positions(part, position_at))
        case Compare("committed_at", operator, datetime() as moment):
            later = max(moment, EARLIEST)
            before, until = position_at(later - MICROSECOND), position_at(later)
            at_that_time = Between("position", before + 1, until)
            others: dict[str, Condition] = {"=": at_that_time, "!=": Not(at_that_time)}
            limit = before if operator in {"<", ">="} else until
            ordered: Operator = "<=" if operator in {"<", "<="} else ">"
            return others.get(operator) or Compare("position", ordered, limit)
        case OneOf("committed_at", moments):
            each = (in_positions(Compare("committed_at", "=", moment), position_at) for moment in moments)
            return Or(tuple(each))
        case Between("committed_at", low, high):
            ends = Compare("committed_at", ">=", low), Compare("committed_at", "<=", high)
            return in_positions(And(ends), position_at)
        case _:
            return condition


def _asked(request: HistoryRequest) -> Body:
    """Return what makes two requests the same list: all but the size of a page."""
    return {key: value for key, value in asdict(request).items() if key != "limit"}


def _columns(request: HistoryRequest) -> list[Condition]:
    given = {name: value for name, value in asdict(request).items() if name in COLUMNS}
    return [Compare(name, "=", value) for name, value in given.items() if value is not None]


def _times(request: HistoryRequest, now: datetime) -> list[Condition]:
    bounds: list[tuple[Operator, str | None]] = [(">=", request.since), ("<=", request.until)]
    return [_bound(operator, text, now) for operator, text in bounds if text]


def _bound(operator: Operator, text: str, now: datetime) -> Condition:
    position = text.strip().removeprefix("@")
    if text.strip().startswith("@") and position.isdecimal() and position.isascii():
        return Compare("position", operator, int(position[:19]))
    return Compare("committed_at", operator, parse_time(text, now))
