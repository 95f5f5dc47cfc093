"""What is answered about predictions: one, or a page of them, newest first. Who may see the experiment may see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from domain.errors import BadCursorError, BadInputError, NotFoundError
from domain.lookup import require_single_match
from domain.values import check_id_prefix
from projections import experiment, prediction
from projections.filters.columns import PREDICTION_COLUMNS, value_at
from projections.filters.conditions import Condition
from projections.filters.filter import parse
from projections.filters.matching import holds
from projections.filters.vocabulary import Vocabulary
from projections.ports import MOST_PAGE_ROWS, PAGE_ROWS, Body, CursorSeal, Documents
from projections.visibility import Viewer

NAMES = Vocabulary({}, frozenset(), frozenset(), PREDICTION_COLUMNS)
BATCH, MOST_LOOKED_AT = 1000, 20_000  # documents; a page that looked at so many ends, and the next one goes on


@dataclass(frozen=True, slots=True)
class PredictionRequest:
    """Which predictions: of one experiment (its whole id), and those for which a filter holds."""

    experiment: str | None = None
    where: str | None = None
    limit: int = PAGE_ROWS


@dataclass(frozen=True, slots=True)
class PredictionAnswers:
    documents: Documents
    seal: CursorSeal

    def show(self, viewer: Viewer, given: str, at: int) -> Body:
        """Return the only one that is named by a prefix; raises NotFoundError, AmbiguousIdError."""
        found = self.documents.versions(prediction.KIND, at, check_id_prefix(given))
        bodies = {it.id: it.body for it in found if self._may_see(viewer, it.body["experiment"], {})}
        if not bodies:
            raise NotFoundError.for_name("prediction", given, listed_by="autolearn predictions")
        return bodies[require_single_match(given, [*bodies], "predictions")]

    def page(self, viewer: Viewer, request: PredictionRequest, at: int, after: str = "") -> Body:
        """Return `{predictions, next, position}`. Raises BadInputError, FilterError."""
        if not 1 <= request.limit <= MOST_PAGE_ROWS:
            raise BadInputError(f"A page has 1 to {MOST_PAGE_ROWS} rows, not {request.limit}.")
        where = parse(request.where, NAMES) if request.where and request.where.strip() else None
        rows, last = self._rows(viewer, request, where, at, after)
        cursor = None if last is None else self.seal.sign(_asked(viewer, request) | {"at": at, "after": last})
        return {"predictions": rows, "next": cursor, "position": at}

    def open(self, viewer: Viewer, request: PredictionRequest, cursor: str) -> tuple[int, str]:
        """Return the position and the place of a cursor of this request; raises BadCursorError."""
        payload = self.seal.open(cursor)
        if not isinstance(payload, dict) or {**payload, **_asked(viewer, request)} != payload:
            raise BadCursorError("This cursor is of another client or of another question.")
        return int(payload["at"]), str(payload["after"])

    def _rows(
        self, viewer: Viewer, request: PredictionRequest, where: Condition | None, at: int, after: str
    ) -> tuple[list[Body], str | None]:
        """Return the rows of a page, and after which document the next one begins; None at the end."""
        prefix, rows, seen = f"{request.experiment or prediction.ALL}/", list[Body](), dict[str, bool]()
        for _ in range(MOST_LOOKED_AT // BATCH):
            found = self.documents.list(prediction.LISTED, prefix, at, BATCH, after)
            for document in found:
                after = document.id
                body = document.body
                if self._may_see(viewer, body["experiment"], seen) and (where is None or holds(where, _fact(body))):
                    rows.append(body)
                    if len(rows) == request.limit:
                        return rows, after
            if len(found) < BATCH:
                return rows, None
        return rows, after

    def _may_see(self, viewer: Viewer, name: str, seen: dict[str, bool]) -> bool:
        if name not in seen:
            document = self.documents.get(experiment.KIND, name)
            seen[name] = document is not None and viewer.may_see(document.body)
        return seen[name]


def _fact(body: Body) -> Callable[[str], object]:
    return lambda name: value_at(PREDICTION_COLUMNS[name], body)


def _asked(viewer: Viewer, request: PredictionRequest) -> Body:
    return {"viewer": viewer.client} | {key: value for key, value in asdict(request).items() if key != "limit"}
