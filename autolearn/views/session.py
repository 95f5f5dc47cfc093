"""A session with its experiments, and a list of sessions."""

from __future__ import annotations

from autolearn.views import Block, Facts, experiment_rows


def session_blocks(body: Facts) -> list[Block]:
    facts = {key: value for key, value in body.items() if key != "experiments" and value not in (None, {})}
    shows_standing = body.get("state") != "open"  # only then it matters which were committed
    experiments = body.get("experiments", [])
    rows = [
        row | ({"standing": it.get("standing")} if shows_standing else {})
        for it, row in zip(experiments, experiment_rows(experiments), strict=True)
    ]
    return [facts, rows]


def session_list_blocks(body: Facts) -> list[Block]:
    rows = []
    for it in body.get("sessions", []):
        experiments = it.get("experiments")
        count = len(experiments) if isinstance(experiments, list) else experiments
        rows.append({key: value for key, value in it.items() if key != "experiments"} | {"experiments": count})
    return [rows]
