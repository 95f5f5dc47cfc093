"""Everything about one experiment that a person reads; its JSON has more."""

from __future__ import annotations

from autolearn.views import NOTES, Block, Facts, format_split, measure_rows, name_and_version, name_of

LISTS = ("evaluations", "reproductions", "annotations", "events", "measures")
HIDDEN = (*NOTES, "learned", "provenance", "blobs", "report")


def experiment_blocks(body: Facts) -> list[Block]:
    facts = {key: value for key, value in body.items() if key not in LISTS + HIDDEN and value not in (None, {}, [])}
    facts |= {"model": name_of(body.get("model")), "dataset": name_and_version(body.get("dataset"))}
    facts["split"] = format_split(body.get("split"))
    events = [
        {"position": it.get("position"), "at": it.get("at"), "event": it.get("name"), "actor": it.get("actor")}
        for it in body.get("events") or []
    ]
    return [facts, measure_rows(body), list(body.get("annotations") or []), events]
