"""What a verification found; of faults of one sort only the first."""

from __future__ import annotations

import re

from autolearn.views import Block, Facts

MOST_ALIKE = 3  # faults of one sort that a table shows; two are of one sort if they end in the same words
SAME_WORDS = 4
WITH_DIGIT = re.compile(r"\S*\d\S*")


def verification_blocks(body: Facts) -> list[Block]:
    facts = {key: value for key, value in body.items() if key not in ("faults", "unanswered", "losses")}
    unanswered = body.get("unanswered") or []
    facts["unanswered"] = len(unanswered) if isinstance(unanswered, list) else unanswered
    losses = [
        {"accepted": it.get("reason"), "lost": "; ".join(it.get("evidence", []))} for it in body.get("losses") or []
    ]
    return [facts, summed_up(list(body.get("faults") or [])), losses]


def summed_up(faults: list[Facts]) -> list[Facts]:
    """Return the first faults of each sort, and how many more of it there are; a lost end is followed by many."""
    sorts: dict[tuple[str, ...], list[Facts]] = {}
    for fault in faults:
        sorts.setdefault(tuple(WITH_DIGIT.sub("", str(fault.get("what"))).split()[-SAME_WORDS:]), []).append(fault)
    shown = list[Facts]()
    for alike in sorts.values():
        some = alike if len(alike) <= MOST_ALIKE + 1 else alike[:MOST_ALIKE]
        shown += some
        if rest := alike[len(some) :]:
            shown.append({"position": None, "what": f"and {len(rest)} more like these (`-o json` lists all)"})
    return shown
