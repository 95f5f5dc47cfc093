"""Look-ups that both sides share: unique prefixes, similar names, consecutive numbers, visibility."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Final

from domain.errors import AmbiguousIdError

MOST_NEAREST: Final = 3
LIKENESS: Final = 0.55  # takes `logistic` for logistic-regression, but not `nope` for wine


def nearest_names(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three names that look like `name`, in any case; pass only names that the asker may see."""
    spellings: dict[str, list[str]] = {}
    for one in known:
        spellings.setdefault(one.casefold(), []).append(one)
    near = get_close_matches(name.casefold(), spellings, n=MOST_NEAREST, cutoff=LIKENESS)
    return [one for folded in near for one in spellings[folded]][:MOST_NEAREST]


def require_single_match(given: str, matches: Sequence[str], what: str = "experiments") -> str:
    """Return the only one of the ids that match a prefix; raises AmbiguousIdError if there are more."""
    if len(matches) > 1:
        raise AmbiguousIdError(f"{given!r} names several {what}: {', '.join(matches)}.", candidates=list(matches))
    return matches[0]


def may_see(client: str, owner: str, standing: str) -> bool:
    """Tell whether a client may see an experiment: a committed one, or its own."""
    return standing == "committed" or owner == client


def find_last_number(exists: Callable[[int], bool], known: int = 0) -> int:
    """Return the last of the numbers 1, 2, … that exist without a gap, from `known` on, in about 2 log n calls."""
    step = 1
    while exists(known + step):
        known, step = known + step, step * 2
    return bisect_left(range(known + step), 1, lo=known + 1, key=lambda number: not exists(number)) - 1
