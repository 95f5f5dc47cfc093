"""Searches: the caller's own, and the trials of one by rank, with its best so far."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from autolearn.errors import ClientError
from autolearn.tasks import UNFINISHED
from console.page import Page
from console.plots import Row, line_plot, parallel_coordinates

MOST_TRIALS = 1_000
LEAST_FOR_A_PLOT = 2


def show_searches(page: Page) -> Response:
    searches = page.ask("searches")["searches"]
    return page.show(
        "searches.html",
        title="Searches",
        cli=page.cli_line("search list"),
        python=page.python_line("searches"),
        searches=searches,
        live=any(it["state"] in UNFINISHED for it in searches),
    )


def show_search(page: Page, refused: ClientError | None = None) -> Response:
    page.path = f"/searches/{page.part('id')}"
    search = page.ask("searches", page.part("id"), limit=MOST_TRIALS)
    trials = search["trials"]
    return page.show(
        "search.html",
        title=f"Search {search['search']}",
        cli=page.cli_line("search show", search["search"]),
        python=page.python_line("search", search["search"]),
        status=refused.status if refused else 200,
        search=search,
        trials=trials,
        settings=list(dict.fromkeys(name for it in trials for name in it["settings"])),
        plots=_plots(search["by"], trials),
        is_running=search["state"] in UNFINISHED,
        refused=refused,
        live=search["state"] in UNFINISHED,
    )


def cancel_search(page: Page) -> Response:
    try:
        page.client.delete("searches", page.part("id"))
    except ClientError as refused:
        return show_search(page, refused)
    return page.go(f"/searches/{page.part('id')}")


def _plots(measure: str, trials: list[dict[str, Any]]) -> list[Markup]:
    """Draw the best so far over the trials, and which settings went with which value."""
    valued = [it for it in trials if it["mean"] is not None]
    if len(valued) < LEAST_FOR_A_PLOT:
        return []
    progress = _best_so_far(valued, lower_is_better=_is_lower_better(valued))
    lines = [
        ("trial", [(number, value) for number, value, _ in progress]),
        ("best so far", [(number, best) for number, _, best in progress]),
    ]
    settings = list(dict.fromkeys(name for it in valued for name in it["settings"]))
    rows = [
        Row([*(it["settings"].get(name) for name in settings), it["mean"]], f"trial {it['trial']}") for it in valued
    ]
    return [
        line_plot("Best so far", ("trial", measure), lines),
        parallel_coordinates("Settings and what came of them", [*settings, measure], rows),
    ]


def _is_lower_better(trials: list[dict[str, Any]]) -> bool:
    """Tell by the ranks: the backend ranked the trials by its measure."""
    means = [it["mean"] for it in trials if it["mean"] is not None]
    return bool(means) and means[0] < means[-1]


def _best_so_far(trials: list[dict[str, Any]], *, lower_is_better: bool) -> list[tuple[int, float, float]]:
    """Return of each trial that has a value: number, value, and the best up to it; by number."""
    found: list[tuple[int, float, float]] = []
    for it in sorted((it for it in trials if it["mean"] is not None), key=lambda it: int(it["trial"])):
        best = it["mean"]
        if found:
            best = min(best, found[-1][2]) if lower_is_better else max(best, found[-1][2])
        found.append((it["trial"], it["mean"], best))
    return found
