"""Shares: how many of something one client may have at a time, and how many there are for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import NotAbleError, TooManyError


class Shares:
    """`what` in the plural, as a sentence names it. Used in the event loop alone."""

    def __init__(self, what: str, of_one: int, of_all: int) -> None:
        self._what, self._of_one, self._of_all = what, of_one, of_all
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taking(self, client: str) -> Iterator[None]:
        """Have one of them; raises TooManyError where the client has its share, NotAbleError where all are taken."""
        if self._taken.total() >= self._of_all:
            raise NotAbleError(f"All {self._of_all} {self._what} of this process are taken: try again in a moment.")
        if self._taken[client] >= self._of_one:
            sentence = f"You have {self._of_one} {self._what} at a time, as many as one client may: end one first."
            raise TooManyError(sentence, limit=self._of_one)
        self._taken[client] += 1
        try:
            yield
        finally:
            self._taken[client] -= 1
            if not self._taken[client]:
                del self._taken[client]
