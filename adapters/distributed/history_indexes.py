"""The indexes of the history collection: along the numbers, the times, each column, and every fact by wildcards."""

from __future__ import annotations

from typing import Final

Keys = tuple[tuple[str, int], ...]

NUMBER: Final = "_id.n"
BY_NUMBER: Final[Keys] = ((NUMBER, -1),)
BY_TIME: Final[Keys] = (("at", 1), (NUMBER, 1))
BY_FACT: Final[Keys] = (("k.$**", 1),)
BY_BOARD: Final[Keys] = (("b.$**", 1),)  # measures by data set: the best on one of them is what is asked most
# The other two columns stand at the end, so that a test of them needs no look at the row.
BY_COLUMN: Final[dict[str, Keys]] = {
    "model": (("model", 1), (NUMBER, -1), ("dataset", 1), ("actor", 1)),
    "dataset": (("dataset", 1), (NUMBER, -1), ("model", 1), ("actor", 1)),
    "actor": (("actor", 1), (NUMBER, -1), ("model", 1), ("dataset", 1)),
    "session": (("session", 1), (NUMBER, -1)),
    "experiment": (("experiment", 1), (NUMBER, -1)),
}
AT_HAND: Final = frozenset({"model", "dataset", "actor"})
INDEXES: Final[tuple[Keys, ...]] = (BY_NUMBER, BY_TIME, BY_FACT, BY_BOARD, *BY_COLUMN.values())
