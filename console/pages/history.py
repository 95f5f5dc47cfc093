"""History: the committed experiments, filtered and sorted, in the columns that the reader wants; ticks go along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup
from starlette.responses import Response

from autolearn.csv_text import csv_text
from autolearn.errors import ProblemError
from console.axes import is_number
from console.history_table import cell_of, possible_columns, usual_columns, value_of
from console.page import Page
from console.plots import Dot, Row, parallel_coordinates, scatter_plot

ROWS, ROWS_OF_A_FILE = 100, 1_000  # a request
MOST_TICKS = 1_000
QUESTION: Final = ("where", "model", "dataset", "actor", "since", "until", "sort")
NOT_DRAWN: Final = ("committed_at", "actor", "warnings")
WRONG_INPUT = (400, 422)


def show_history(page: Page) -> Response:
    refused: ProblemError | None = None
    query, body = _query(page), dict[str, Any](experiments=[], next=None)
    try:
        body = page.ask("experiments", **query, cursor=page.given("cursor"), limit=ROWS)
    except ProblemError as error:
        if error.status not in WRONG_INPUT:
            raise
        refused = error
    rows: list[dict[str, Any]] = body["experiments"]
    columns = page.all_given("column") or usual_columns(rows)
    ticked, shown = page.all_given("tick")[:MOST_TICKS], {row["experiment"] for row in rows}
    return page.show(
        "history.html",
        title="History",
        cli=page.cli_line("history", **query),
        python=page.python_line("history", **query),
        status=refused.status if refused else 200,
        rows=[(row, [cell_of(row, column) for column in columns]) for row in rows],
        columns=columns,
        possible=list(dict.fromkeys([*columns, *possible_columns(rows)])),
        question={name: page.given(name) or "" for name in QUESTION},
        models=_names(page, "models"),
        datasets=_names(page, "datasets"),
        withdrawn=bool(page.given("withdrawn")),
        next=body["next"],
        ticked=ticked,
        ticked_elsewhere=[it for it in ticked if it not in shown],
        plots=_plots(page, rows, columns),
        axes=(page.given("x") or "", page.given("y") or ""),
        changed=page.changed_since(rows, "experiment", "experiments", **query, limit=ROWS),
        refused=refused,
        fault=_split_at_fault(refused, page.given("where") or ""),
    )


def download_history(page: Page) -> Response:
    """Answer with all rows of this question, in the columns of this view."""
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        body = page.ask("experiments", **_query(page), cursor=cursor, limit=ROWS_OF_A_FILE)
        rows += body["experiments"]
        cursor = body["next"]
        if cursor is None:
            break
    columns = page.all_given("column") or usual_columns(rows)
    text = csv_text([{"experiment": row["experiment"]} | {it: value_of(row, it) for it in columns} for row in rows])
    return page.send_file("history.csv", "text/csv", text.encode())


def _plots(page: Page, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[Markup]:
    """Draw the ticked rows of this page, or all of them: two chosen columns, and all shown ones side by side."""
    ticked = set(page.all_given("tick"))
    drawn = [row for row in rows if row["experiment"] in ticked] or rows
    x, y = page.given("x"), page.given("y")
    if not (x and y):
        return []
    dots = [
        Dot(one, other, row["experiment"], page.link(f"/experiments/{row['experiment']}"))
        for row in drawn
        if is_number(one := value_of(row, x)) and is_number(other := value_of(row, y))
    ]
    across = list(dict.fromkeys([*(it for it in columns if it not in NOT_DRAWN), x, y]))
    lines = [
        Row([value_of(row, it) for it in across], row["experiment"], page.link(f"/experiments/{row['experiment']}"))
        for row in drawn
    ]
    return [scatter_plot(f"{y} over {x}", (x, y), dots), parallel_coordinates("Side by side", across, lines)]


def _query(page: Page) -> dict[str, Any]:
    return {name: page.given(name) for name in QUESTION} | {"withdrawn": 1 if page.given("withdrawn") else None}


def _names(page: Page, part: str) -> list[str]:
    return sorted({it["name"] for it in page.ask("catalog", part)[part]})


def _split_at_fault(refused: ProblemError | None, where: str) -> tuple[str, str] | None:
    """Return the filter before and from the character that could not be read."""
    place = refused.problem.get("place") if refused else None
    return (where[:place], where[place:]) if isinstance(place, int) and where else None
