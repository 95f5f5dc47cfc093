"""Compare: experiments side by side, what differs first."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from autolearn.comparison import LEAST, compare_experiments
from console.formats import ABSENT
from console.page import Page


def show_compare(page: Page) -> Response:
    ticked = list(dict.fromkeys(page.all_given("tick")))
    facts: dict[str, Any] = {"ids": ticked, "rows": [], "differing": 0, "hidden": 0, "baseline": None}
    if len(ticked) >= LEAST:
        facts = _compared(page, ticked)
    return page.show(
        "compare.html",
        title="Compare",
        cli=page.cli_line("compare", *ticked),
        python=page.python_line("compare", *ticked),
        least=LEAST,
        everything=page.given("show") == "all",
        is_transposed=bool(page.given("transposed")),
        **facts,
    )


def _compared(page: Page, ticked: list[str]) -> dict[str, Any]:
    compared = compare_experiments(page.client, ticked, page.as_of)
    page.position = max(page.position, compared.position)
    names = dict.fromkeys(name for it in compared.facts for name in it)
    rows = [(name, [it.get(name, ABSENT) for it in compared.facts]) for name in names]
    differing = [(name, values) for name, values in rows if any(it != values[0] for it in values)]
    alike = [(name, values) for name, values in rows if all(it == values[0] for it in values)]
    baseline = page.given("baseline")
    return {
        "ids": list(compared.ids),
        "rows": differing + (alike if page.given("show") == "all" else []),
        "differing": len(differing),
        "hidden": len(alike),
        "baseline": compared.ids.index(baseline) if baseline in compared.ids else None,
    }
