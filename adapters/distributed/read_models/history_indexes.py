"""The indexes of the history collection: numbers, times, columns and pairs of them, facts by wildcards."""

from __future__ import annotations

from typing import Final

Keys = tuple[tuple[str, int], ...]

NUMBER: Final = "_id.n"
BY_NUMBER: Final[Keys] = ((NUMBER, -1),)
BY_TIME: Final[Keys] = (("at", 1), (NUMBER, 1))
BY_FACT: Final[Keys] = (("k.$**", 1),)
BY_BOARD: Final[Keys] = (("b.$**", 1),)  # measures by data set: the best on one of them is what is asked most
BY_COLUMN: Final[dict[str, Keys]] = {
    name: ((name, 1), (NUMBER, -1)) for name in ("model", "dataset", "actor", "session", "experiment")
}
PAIRS: Final = (("dataset", "model"), ("dataset", "actor"), ("actor", "model"))
BY_PAIR: Final[dict[frozenset[str], Keys]] = {
    frozenset({one, other}): ((one, 1), (other, 1), (NUMBER, -1)) for one, other in PAIRS
}
INDEXES: Final[tuple[Keys, ...]] = (
    BY_NUMBER, BY_TIME, BY_FACT, BY_BOARD, *BY_COLUMN.values(), *BY_PAIR.values(),
)  # fmt: skip
