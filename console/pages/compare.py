"""Compare: experiments side by side, what differs first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from autolearn.comparison import LEAST, ComparedExperiments, compare_experiments
from autolearn.errors import ConflictError, NotFoundError, ProblemError, RefusedInputError
from autolearn.printable import as_json
from console.formats import ABSENT, format_fact
from console.page import Page

UNKNOWN = (RefusedInputError, NotFoundError, ConflictError)


@dataclass(frozen=True, slots=True)
class Row:
    """A fact of each experiment: its values, and the texts that tell them apart."""

    name: str
    differs: bool
    values: Sequence[Any]
    texts: Sequence[str]

    is_numeric: bool


def show_compare(page: Page) -> Response:
    ticked = list(dict.fromkeys(page.all_given("tick")))
    if (removed := page.given("remove")) is not None:
        return page.go_here(remove=None, tick=[it for it in ticked if it != removed])
    refused: ProblemError | None = None
    unknown = ""
    try:
        compared = _compared(page, ticked)
    except UNKNOWN:
        ticked, unknown, refused = _without_unknown(page, ticked)
        compared = _compared(page, ticked)
    facts = (
        dict(zip(compared.ids, compared.facts, strict=True)) if compared else {}
    )  # one may be ticked twice, by prefix
    ids, rows = list(facts) or ticked, _rows(list(facts.values()))
    alike = [row for row in rows if not row.differs]
    baseline, everything = page.given("baseline"), page.given("show") == "all"
    return page.show(
        "compare.html",
        title="Compare",
        cli=page.cli_line("compare", *ids),
        python=page.python_line("compare", *ids),
        status=refused.status if refused else 200,
        ids=ids,
        rows=[row for row in rows if row.differs] + (alike if everything else []),
        hidden=len(alike),
        baseline=ids.index(baseline) if baseline in ids else None,
        least=LEAST,
        everything=everything,
        is_transposed=bool(page.given("transposed")),
        unknown=unknown,
        refused=refused,
    )


def _compared(page: Page, ticked: list[str]) -> ComparedExperiments | None:
    """Return what is compared; None where there are too few. Raises ClientError for an id that is none."""
    if len(ticked) < LEAST:
        for it in ticked:
            page.ask("experiments", it)
        return None
    compared = compare_experiments(page.client, ticked, page.as_of)
    page.position = max(page.position, compared.position)
    return compared


def _without_unknown(page: Page, ticked: list[str]) -> tuple[list[str], str, ProblemError | None]:
    """Return the ids that are known, and the last one that is not, with what the backend says of it."""
    known, unknown, refused = list[str](), "", None
    for it in ticked:
        try:
            known.append(page.ask("experiments", it)["experiment"])
        except UNKNOWN as error:
            unknown, refused = it, error
    return list(dict.fromkeys(known)), unknown, refused


def _rows(facts: Sequence[Mapping[str, Any]]) -> list[Row]:
    names = dict.fromkeys(name for it in facts for name in it)
    return [_row(name, [it.get(name, ABSENT) for it in facts]) for name in names]


def _row(name: str, values: list[Any]) -> Row:
    differs = any(it != values[0] for it in values)
    texts = [str(it) if name == "seed" else format_fact(it) for it in values]  # a seed is no quantity: all its digits
    if differs and len(set(texts)) == 1:  # all digits where shorter ones look the same
        texts = [as_json(it) for it in values]
    given = [it for it in values if it not in (None, ABSENT)]
    is_numeric = bool(given) and all(isinstance(it, int | float) and not isinstance(it, bool) for it in given)
    return Row(name, differs, values, texts, is_numeric)
