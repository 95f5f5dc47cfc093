"""The catalog: models, measures, data sets; one entry with its settings or columns, and its suspects."""

from __future__ import annotations

from typing import Any

from autolearn.views import Block, Facts, cut_lists

MARKS = ("separator", "quote", "decimal", "thousands")  # shown in quotes, for some are blanks
MOST_SUSPECTS = 20  # shown
RANGES = (("minimum", ">="), ("exclusive_minimum", ">"), ("maximum", "<="), ("exclusive_maximum", "<"))


def describe_setting(setting: Facts) -> str:
    if "any_of" in setting:
        return " or ".join(map(describe_setting, setting["any_of"]))
    if "choices" in setting:
        return " | ".join("none" if choice is None else str(choice) for choice in setting["choices"])
    limits = [f"{sign} {setting[key]:g}" for key, sign in RANGES if setting.get(key) is not None]
    return " ".join([str(setting.get("type", "")), *limits])


def catalog_blocks(body: Facts) -> list[Block]:
    models = [
        {"model": it["name"]} | _tasks(it) | _facts(it, "version", "description") for it in body.get("models", [])
    ]
    datasets = [
        {"data set": it["name"]} | _facts(it, "version", "rows", "columns", "target", "task", "classes")
        for it in body.get("datasets", [])
    ]
    measures = [{"measure": it["name"]} | _tasks(it) | _facts(it, "description") for it in body.get("measures", [])]
    return [models, datasets, measures]


def entry_blocks(body: Facts) -> list[Block]:
    """Show one entry: of a data set how it was read, its columns and versions, and what may surprise."""
    apart = ("settings", "columns", "versions", "reading", "notes", "profile")
    facts = {key: value for key, value in cut_lists(body).items() if key not in apart and value not in (None, [], {})}
    columns = body.get("columns")
    spellings = (body.get("reading") or {}).get("spellings") or {}
    listed = [
        {"column": name, "type": kind} | ({"written": spellings.get(name, "")} if spellings else {})
        for name, kind in (columns.items() if isinstance(columns, dict) else ())
    ]
    settings = [
        {"setting": name, "default": it.get("default"), "allowed": describe_setting(it), "what": it.get("what")}
        for name, it in (body.get("settings") or {}).items()
    ]
    notes = [note for note in body.get("notes") or () if isinstance(note, str)]
    versions, suspects = body.get("versions") or [], suspect_rows(body.get("profile"))
    return [facts | _reading(body.get("reading")), listed, settings, versions, "\n".join(notes), *suspects]


def suspect_rows(profile: Any) -> list[Block]:
    """Return what to look at before training, the reasons and the commands that help; and how many more there are."""
    if not isinstance(profile, dict):
        return []
    suspects = [it for it in profile.get("suspects") or () if isinstance(it, dict)]
    rows = [
        {"suspect": it.get("kind")} | {key: it.get(key) for key in ("columns", "reason", "remedy")}
        for it in suspects[:MOST_SUSPECTS]
    ]
    more = int(profile.get("suspects_found", len(suspects))) - len(rows)
    return [rows, f"{more} more: `autolearn dataset show` with -o json has all." if more > 0 else ""]


def _reading(reading: Any) -> Facts:
    """Return how a file was read, as far as there was something to decide."""
    if not isinstance(reading, dict):
        return {}
    shown = {
        key: value for key, value in reading.items() if key != "spellings" and value not in (None, [], {}, 0, False)
    }
    if isinstance(shown.get("missing"), dict):
        shown["missing"] = ", ".join(f"{text!r} {count} times" for text, count in shown["missing"].items())
    return {f"reading.{key}": repr(value) if key in MARKS else value for key, value in shown.items()}


def _tasks(it: Facts) -> Facts:
    """Return what a model or measure is for; an older backend does not say."""
    return {"task": ", ".join(it["tasks"])} if it.get("tasks") else {}


def _facts(it: Facts, *names: str) -> Facts:
    """Return some facts of an entry; of lists and dictionaries, how long they are."""
    return {name: len(it[name]) if isinstance(it.get(name), list | dict) else it.get(name) for name in names}
