"""The state that a replay computed."""

from __future__ import annotations

from autolearn.views import Block, Facts, experiment_rows, flatten

PARTS = ("sessions", "experiments", "catalog", "events")


def replay_blocks(body: Facts) -> list[Block]:
    facts = flatten({key: value for key, value in body.items() if key not in PARTS and value not in (None, [])})
    facts |= {f"catalog.{kind}": len(offers) for kind, offers in (body.get("catalog") or {}).items()}
    events = [
        {"position": it.get("position"), "at": it.get("at"), "event": it.get("name"), "facts": it.get("facts")}
        for it in body.get("events") or []
    ]
    found = body.get("experiments") or []
    experiments = [
        {"standing": it.get("standing")} | row for it, row in zip(found, experiment_rows(found), strict=True)
    ]
    return [facts, list(body.get("sessions") or []), experiments, events]
