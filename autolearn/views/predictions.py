"""Predictions: what was predicted for each row, and a list of what was predicted when."""

from __future__ import annotations

from autolearn.views import Block, Facts

LISTED = ("prediction", "at", "actor", "experiment", "rows", "missing", "unseen", "beyond", "seconds")
SHOWN = 20  # rows of a table for people
HIDDEN = ("classes", "numbers", "answer", "predictions")


def prediction_list_blocks(body: Facts) -> list[Block]:
    return [[{name: it.get(name) for name in LISTED} for it in body.get("predictions", [])]]


def prediction_rows(body: Facts) -> list[Facts]:
    return list(body.get("predictions") or [body.get("answer") or {}])


def prediction_blocks(body: Facts) -> list[Block]:
    rows = prediction_rows(body)
    flat = [
        {"prediction": it.get("prediction")}
        | it.get("probabilities", {})
        | {name: ", ".join(it[name]) for name in ("unseen_words", "beyond_range") if any(row.get(name) for row in rows)}
        for it in rows[:SHOWN]
        if it
    ]
    more = f"{len(rows) - SHOWN} more rows: --out FILE writes all." if len(rows) > SHOWN else ""
    return [summary_of(body), flat, more]


def summary_of(body: Facts) -> Facts:
    """Return what a person wants to know of a prediction."""
    facts = {name: value for name, value in body.items() if name not in HIDDEN and value not in (None, [], {}, False)}
    facts |= {name: body[name]["sha256"] for name in ("input", "output") if isinstance(body.get(name), dict)}
    counts = body.get("numbers") or body.get("classes") or {}
    return facts | ({"predicted": ", ".join(f"{name}: {value}" for name, value in counts.items())} if counts else {})
