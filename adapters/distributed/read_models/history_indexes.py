"""The indexes of the history collection: one by row number, one of all facts."""

from __future__ import annotations

from typing import Final

Keys = tuple[tuple[str, int], ...]

NUMBER: Final = "_id.n"
BY_NUMBER: Final[Keys] = ((NUMBER, -1),)
BY_FACT: Final[Keys] = (("k.$**", 1),)
INDEXES: Final = (BY_NUMBER, BY_FACT)
