"""The report of an evaluation as tables, and the lines of its curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autolearn.printable import visible
from autolearn.views import Block, Facts, cut_lists, format_settings, measure_rows, name_and_version, name_of

MOST_COLUMNS = 12  # of a confusion matrix on a terminal; of a larger one the pairs that were mistaken most often
SHOWN_ROWS = 10
HEAD = ("experiment", "evaluation", "model", "settings", "dataset", "on", "target", "rows", "positive", "threshold")


Line = tuple[str, Sequence[Any], Sequence[Any]]
"""A name, and the places of its points."""


def report_blocks(body: Facts) -> list[Block]:
    """Return what is shown for the eye: the same tables on a terminal and on a page."""
    return [_head(body), measure_rows(body), *_titled(_of_classes(body)), *asked_blocks(body), *_titled(_wrong(body))]


def asked_blocks(body: Facts) -> list[Block]:
    """Return what an evaluation was asked for beyond its measures: slices, and the importance of columns."""
    slices, importance = body.get("slices") or {}, body.get("importance") or {}
    return _titled(
        [
            (f"By {slices.get('column')}{_left_out(slices, 'values')}", _slice_rows(slices)),
            (_importance_title(importance), list(importance.get("columns") or [])[:SHOWN_ROWS]),
        ]
    )


def _titled(sections: Sequence[tuple[str, Any]]) -> list[Block]:
    """Return each table below its title; those that have no rows are left out."""
    return [part for title, block in sections if block for part in (visible(title), block)]


def _wrong(body: Facts) -> list[tuple[str, Any]]:
    rows = [{key: value for key, value in row.items() if value is not None} for row in body.get("wrong") or []]
    return [("Rows that went most wrong", rows[:SHOWN_ROWS])]


def _of_classes(body: Facts) -> list[tuple[str, Any]]:
    return [
        ("By class", list(body.get("classes") or [])),
        ("True class (row), predicted class (column)", _matrix(body)),
        ("Mistaken most often", _mistaken(body)),
        ("Areas under curves", _areas(body)),
        ("Residuals (predicted minus true)", _residuals(body)),
    ]


def curves(of_classes: Sequence[Facts]) -> list[tuple[str, str, str, list[Line]]]:
    """Return title, axes and a line for each class, of the three kinds of curves."""
    tables = [(str(it.get("class")), it.get("thresholds") or {}, it.get("calibration") or {}) for it in of_classes]
    kinds = (
        ("ROC", "false positive rate", "recall", "false_positive_rate", "recall"),
        ("Precision and recall", "recall", "precision", "recall", "precision"),
    )
    found = [
        (title, x, y, [(name, table[of_x], table[of_y]) for name, table, _ in tables if table])
        for title, x, y, of_x, of_y in kinds
    ]
    calibrated = [(name, it["predicted"], it["observed"]) for name, _, it in tables if it]
    return [*found, ("Calibration", "probability", "share of the class", calibrated)]


def _head(body: Facts) -> Facts:
    facts = {key: body.get(key) for key in HEAD} | {"warnings": body.get("warnings")}
    facts |= {"model": name_of(body.get("model")), "settings": format_settings(body.get("settings"))}
    facts |= {key: name_and_version(body.get(key)) for key in ("dataset", "on")}
    return cut_lists({key: value for key, value in facts.items() if value not in (None, "", [], {})})


def _names(body: Facts) -> list[str]:
    return [str(it.get("class")) for it in body.get("classes") or []]


def _matrix(body: Facts) -> list[Facts]:
    names, counts = _names(body), (body.get("confusion") or {}).get("counts") or []
    if len(names) > MOST_COLUMNS:
        return []
    return [{"": name, **dict(zip(names, row, strict=False))} for name, row in zip(names, counts, strict=False)]


def _mistaken(body: Facts) -> list[Facts]:
    """Return the pairs of classes that were mistaken most often, where the matrix is too wide."""
    names, confusion = _names(body), body.get("confusion") or {}
    if len(names) <= MOST_COLUMNS:
        return []
    cells = confusion.get("cells") or [
        [true, predicted, count]
        for true, row in enumerate(confusion.get("counts") or [])
        for predicted, count in enumerate(row)
    ]
    wrong = sorted((it for it in cells if it[0] != it[1] and it[2]), key=lambda it: -it[2])
    return [{"true": names[it[0]], "predicted": names[it[1]], "rows": it[2]} for it in wrong[:SHOWN_ROWS]]


def _areas(body: Facts) -> list[Facts]:
    rows = []
    for it in (body.get("curves") or {}).get("of_classes") or []:
        calibration = it.get("calibration") or {}
        areas = {"ROC": it.get("roc_area"), "average precision": it.get("average_precision")}
        errors = {"calibration error": calibration.get("error"), "brier": calibration.get("brier")}
        rows.append({"class": it.get("class"), "rows": it.get("rows")} | areas | (errors if calibration else {}))
    return rows


def _residuals(body: Facts) -> Facts:
    residuals = body.get("residuals") or {}
    names = ("least", "quarter", "median", "three quarters", "greatest")
    quartiles = dict(zip(names, residuals.get("quartiles") or [], strict=False))
    return {key: residuals.get(key) for key in ("mean", "std") if residuals} | quartiles


def _slice_rows(slices: Facts) -> list[Facts]:
    rows = slices.get("slices") or []
    return [{"value": it.get("value"), "rows": it.get("rows")} | (it.get("measures") or {}) for it in rows]


def _left_out(part: Facts, what: str) -> str:
    number = part.get(f"{what}_left_out")
    return f" ({number} {what} with {part.get('rows_left_out')} rows are left out)" if number else ""


def _importance_title(importance: Facts) -> str:
    repeats = f"{importance.get('repeats')} times" if importance.get("repeats") != 1 else "once"
    return f"Importance: how far {importance.get('measure')} falls if a column is shuffled ({repeats})"
