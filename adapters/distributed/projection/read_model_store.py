"""What the distributed mode needs of a store of read models; `server/compose/distributed.py` names the one in use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from projections.ports import Documents, History


class GenerationDocuments(Documents, Protocol):
    """One generation, for a process that folds: as of what it folded in itself, whatever others write.

    Several processes may believe to be the only one: equal folding must write equal versions.
    """

    @property
    def is_superseded(self) -> bool:
        """Whether another generation serves instead of this one: then `position` and `apply` raise NotAbleError."""
        ...

    def switch(self, number: int) -> None:
        """Let a rebuilt generation serve that has come as far, and go on with it; NotAbleError if a younger serves."""
        ...


class ReadModelStore(Protocol):
    """Read models by generations, of which one serves this version of the projections. All raise NotAbleError."""

    @property
    def documents(self) -> Documents:
        """The documents of the generation that serves at the time of each question; for reading only."""
        ...

    @property
    def history(self) -> History:
        """Its history."""
        ...

    @property
    def checks(self) -> Sequence[Callable[[], Iterable[str]]]:
        """What `verify` asks beside a comparison with the log: each returns what is wrong with what is stored."""
        ...

    def serving_generation(self) -> GenerationDocuments:
        """Return the generation that serves, which is followed; where none does, an empty one serves from now on."""
        ...

    def generation(self, number: int) -> GenerationDocuments: ...

    def make_generation(self, projection: str | None) -> tuple[int, GenerationDocuments]:
        """Make the next generation, to rebuild one projection in, or all (None); returns its number, too."""
        ...

    def begin_anew(self) -> None:
        """Let a new, empty generation serve in the place of one that is ahead of the log."""
        ...

    def have_caught_up(self) -> bool:
        """Whether read models of this version were ever as far as the log: before that they lack what is long past."""
        ...

    def note_caught_up(self) -> None: ...

    def remove_older(self, before: int) -> list[int]:
        """Remove what only older versions of the projections have, and return which; nobody reads it any more."""
        ...
