"""What is shown of an answer: facts, tables and texts. The command line and Python show the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autolearn.printable import visible_lines
from autolearn.text_table import NO_VALUE, Style, format_facts, format_table, format_value

Facts = dict[str, Any]
Block = Facts | Sequence[Facts] | str  # facts are shown as one line each, a sequence of facts as a table, text whole

NOTES = ("intervals", "resamples", "spread", "folds", "reasons", "positives")  # in the table of the measures
HIDDEN = ("measures", *NOTES, "report", "learned", "audit")
USUAL = {"standing": ("uncommitted",), "withdrawn": (False,), "attempt": (0, 1)}  # worth a line only where it differs
SHOWN_OF_SETTINGS = 48
LONGEST_LIST, SHOWN_OF_LIST = 12, 3


def non_empty_facts(body: Facts) -> list[Block]:
    """Show every fact of an object in a line of its own, but no empty ones."""
    return [{name: value for name, value in flatten(body).items() if value not in (None, [], {})}]


@dataclass(frozen=True, slots=True)
class View:
    """How an object is shown: `blocks` for people; `rows` names or makes the list that is the rows of jsonl and csv."""

    blocks: Callable[[Facts], Sequence[Block]] = non_empty_facts
    rows: str | Callable[[Facts], list[Facts]] | None = None
    csv_rows: Callable[[Facts], list[Facts]] | None = None  # where csv needs other rows: no list fits in a cell

    def rows_of(self, body: Facts) -> list[Facts]:
        if callable(self.rows):
            return self.rows(body)
        return list(body.get(self.rows, [])) if self.rows else [body]


def flatten(value: Facts, prefix: str = "") -> Facts:
    """Return nested dictionaries as one, keys joined by dots."""
    columns: Facts = {}
    for key, item in value.items():
        columns |= flatten(item, f"{prefix}{key}.") if isinstance(item, dict) else {f"{prefix}{key}": item}
    return columns


def draw_blocks(blocks: Sequence[Block], style: Style) -> tuple[str, list[str]]:
    """Return blocks as text, and the columns that found no room."""
    parts: list[str] = []
    left_out: list[str] = []
    for block in blocks:
        if not block:
            continue
        if isinstance(block, str):
            lines = visible_lines(block).splitlines()
        elif isinstance(block, dict):
            lines = format_facts(block, style)
        else:
            lines, names = format_table(list(block), style)
            left_out += names
        parts.append("\n".join(lines))
    return "\n\n".join(parts), left_out


def name_of(thing: Any) -> Any:
    return thing.get("name") if isinstance(thing, dict) else thing


def name_and_version(thing: Any) -> Any:
    """Return name and version of a data set: `iris v1`."""
    version = thing.get("version") if isinstance(thing, dict) else None
    return f"{name_of(thing)} v{version}" if version else name_of(thing)


def format_split(split: Any) -> Any:
    """Return how rows were held out, and how many of them: `time:date: 112 rows learned from, 38 held out`."""
    if not isinstance(split, dict) or split.get("train_rows") is None:
        return split.get("request") if isinstance(split, dict) else split
    return f"{split.get('request')}: {split['train_rows']} rows learned from, {split.get('test_rows')} held out"


def origin_of(it: Facts) -> Facts:
    """Return of an experiment in a list what it learned from, with which seed, and how long its fit took."""
    split = it.get("split") or {}
    found = {"rows": split.get("train_rows"), "features": it.get("features"), "split": split.get("request")}
    found |= {name: it.get(name) for name in ("seed", "fit_seconds")}
    return {name: NO_VALUE if value is None else value for name, value in found.items()}


def cut_lists(facts: Facts) -> Facts:
    """Return facts whose long lists are cut: `200 classes: a, b, c, …`."""
    return {
        name: f"{len(value)} {name}: {', '.join(map(format_value, value[:SHOWN_OF_LIST]))}, …"
        if isinstance(value, list) and len(value) > LONGEST_LIST
        else value
        for name, value in facts.items()
    }


def format_failure(error: Any) -> Any:
    if not isinstance(error, dict):
        return error
    return ": ".join(str(error[key]) for key in ("reason", "detail") if error.get(key))


def task_blocks(body: Facts) -> list[Block]:
    """Show a training, evaluation or reproduction, its measures as a table; or a search with its trials."""
    if "planned" in body:
        return search_blocks(body)
    facts = {key: value for key, value in body.items() if key not in HIDDEN and value not in (None, {}, [])}
    facts = {key: value for key, value in facts.items() if value not in USUAL.get(key, ())}
    formats = {"model": name_of, "dataset": name_and_version, "on": name_and_version, "error": format_failure}
    formats["split"] = format_split
    facts |= {key: formats[key](facts[key]) for key in formats if key in facts}
    return [facts, measure_rows(body)]


def measure_rows(body: Facts) -> list[Facts]:
    """Return a row for each measure: its value and how sure it is, of what class it is, and why it is none."""
    reasons, positives, rows = body.get("reasons") or {}, body.get("positives") or {}, []
    intervals, spread, folds = (body.get(key) or {} for key in ("intervals", "spread", "folds"))
    for name, value in (body.get("measures") or {}).items():
        row = {"measure": name, "value": format_measure(value)}
        if name in intervals:
            row["95 % interval"] = " to ".join(map(format_value, intervals[name]))
        if name in spread:
            row |= {"std": spread[name], "folds": folds.get(name)}
        if name in positives:
            row["positive"] = positives[name]
        rows.append(row | ({"reason": reasons[name]} if name in reasons else {}))
    return rows


def positive_of(it: Facts) -> Facts:
    """Return the classes that values of an experiment in a list count, if any counts one."""
    classes = dict.fromkeys((it.get("positives") or {}).values())
    return {"positive": ", ".join(classes)} if classes else {}


def count_warnings(it: Facts) -> Facts:
    """Return the mark of an experiment in a list: how many warnings it has, if any."""
    return {"warnings": len(it["warnings"])} if it.get("warnings") else {}


def format_measure(value: Any) -> Any:
    """Return a number as it is, a confusion matrix by its rows, and of a large table the blob that has it."""
    if isinstance(value, dict) and "blob" in value:
        return f"blob {value['blob']}"
    if isinstance(value, list) and value and all(isinstance(row, list) for row in value):
        return " / ".join(" ".join(map(str, row)) for row in value)
    return value


def format_settings(settings: Any) -> str:
    """Return settings as `C=1, penalty=l2`, as far as a row of a table has room for them."""
    text = format_value(settings or {})
    return text if len(text) <= SHOWN_OF_SETTINGS else text[: SHOWN_OF_SETTINGS - 1] + "…"


def measure_columns(experiments: Sequence[Facts]) -> list[Facts]:
    """Return for each experiment the measures that fit into a table: of all of them, precision and recall first."""
    measured = [
        {name: value for name, value in (it.get("measures") or {}).items() if isinstance(value, int | float)}
        for it in experiments
    ]
    found = {name for it in measured for name in it}
    names = sorted(found, key=lambda name: (not name.startswith("precision"), not name.startswith("recall"), name))
    return [{name: it.get(name, NO_VALUE) for name in names} for it in measured]


def experiment_rows(experiments: Sequence[Facts]) -> list[Facts]:
    rows = []
    for it, measures in zip(experiments, measure_columns(experiments), strict=True):
        row = {"experiment": it.get("experiment"), "state": it.get("state"), "model": name_of(it.get("model"))}
        row |= {"dataset": name_and_version(it.get("dataset")), "settings": format_settings(it.get("settings"))}
        rows.append(row | measures | positive_of(it) | origin_of(it) | count_warnings(it))
    return rows


def search_blocks(body: Facts) -> list[Block]:
    """Show a search: what was asked for, how far it is, and its trials by rank."""
    names = ("search", "state", "session", "target", "columns", "strategy", "by", "seed", "split", "stopped")
    facts = {name: body[name] for name in names if body.get(name) is not None}
    folds = body.get("folds") or {}
    repeats = f", {folds.get('repeats')} times" if (folds.get("repeats") or 1) > 1 else ""
    facts |= {
        "dataset": name_and_version(body.get("dataset")),
        "models": ", ".join(str(name_of(model)) for model in body.get("models") or ()),
        "folds": "one per row" if folds.get("kind") == "loo" else f"{folds.get('k')}{repeats}",
        "trials": f"{body.get('completed')} of {max(body['planned'], body.get('proposed') or 0)} completed"
        + (f", {body['failed']} failed" if body.get("failed") else ""),
    }
    facts |= {name: body[name] for name in ("experiments", "position") if body.get(name)}
    facts |= {"error": format_failure(body["error"])} if body.get("error") else {}
    begun = [it for it in body.get("trials") or () if it.get("state") in ("started", "completed", "failed")]
    return [facts, [_trial_row(it, body) for it in begun]]


def search_list_blocks(body: Facts) -> list[Block]:
    return [
        [
            {
                "search": it.get("search"),
                "state": it.get("state"),
                "session": it.get("session"),
                "dataset": name_and_version(it.get("dataset")),
                "models": ", ".join(str(name_of(model)) for model in it.get("models") or ()),
                "strategy": it.get("strategy"),
                "trials": it.get("completed"),
                "by": it.get("by"),
                "best": (it.get("best") or {}).get("mean"),
            }
            for it in body.get("searches") or ()
        ]
    ]


def _trial_row(it: Facts, body: Facts) -> Facts:
    row = {"rank": it.get("rank") or NO_VALUE, "trial": it.get("trial"), "state": it.get("state")}
    row |= {"model": it.get("model")} if len(body.get("models") or ()) > 1 else {}
    row |= {"rows": it["rows"]} if body.get("strategy") == "halving" else {}
    row |= {name: NO_VALUE if it.get(name) is None else it[name] for name in ("mean", "std", "seconds")}
    row |= {"settings": format_settings(it.get("settings"))} | count_warnings(it)
    return row | ({"reason": it["reason"]} if it.get("reason") else {})


TASK = View(task_blocks)
SEARCH = View(search_blocks, rows="trials")
