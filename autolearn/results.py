"""Answers as objects: a table or facts with attributes, drawn as text or HTML, and what proves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, overload

from autolearn.packages import need_package
from autolearn.views import Block, Facts, View, flatten

if TYPE_CHECKING:
    import pandas as pd

    from autolearn.answers import Response

FIRST_PAGE, LATER_PAGES = 100, 1000  # rows; the backend gives up to 1,000
NOTHING = "Nothing to show."
SAID_BELOW = ("note", "next")


@dataclass(frozen=True, slots=True)
class Proof:
    """What an answer is true for: a position of the log, and after a command the chain hash there (`head`).

    `audit` is the record of the call in the audit log, as `POSITION:HASH`; `lag` says how old an answer is while the
    read models catch up.
    """

    position: int
    head: str = ""
    audit: str = ""
    lag: str = ""

    @classmethod
    def of(cls, answer: Response) -> Self:
        return cls(answer.position, answer.head, answer.audit, answer.lag)


class Result:
    """An answer. `facts` is its JSON: attributes read it, so what a later backend adds can be read, too."""

    __slots__ = ("facts", "proof")
    facts: Facts
    proof: Proof
    VIEW: ClassVar[View] = View()
    NAMES: ClassVar[tuple[str, ...]] = ()  # the facts of the short form

    def __init__(self, facts: Facts, proof: Proof) -> None:
        object.__setattr__(self, "facts", facts)
        object.__setattr__(self, "proof", proof)

    @classmethod
    def of(cls, answer: Response) -> Self:
        return cls(answer.body, Proof.of(answer))

    @property
    def position(self) -> int:
        """The position that it is true for."""
        return self.proof.position

    @property
    def head(self) -> str:
        """The chain hash after a command; '' for a question."""
        return self.proof.head

    @property
    def audit(self) -> str:
        """The record of the call in the audit log, as `POSITION:HASH`."""
        return self.proof.audit

    def __getattr__(self, name: str) -> Any:
        """Return a fact; one that is declared and that this backend does not tell is None."""
        if not name.startswith("_"):
            if name in self.facts:
                return self.facts[name]
            if any(name in vars(kind).get("__annotations__", {}) for kind in type(self).__mro__):
                return None
        raise AttributeError(f"{type(self).__name__} has no {name!r}: it has {', '.join(self.facts)}.")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"An answer cannot be changed: {name} stays as it is.")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(name for name in self.facts if name.isidentifier())})

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.facts, self.proof)

    def __repr__(self) -> str:
        told = [f"{name}={self.facts.get(name)!r}" for name in self.NAMES if self.facts.get(name) is not None]
        return f"{type(self).__name__}({', '.join([*told, f'position={self.position}'])})"

    def __str__(self) -> str:
        from autolearn.text_table import text_style  # noqa: PLC0415 - loads shutil, for people alone
        from autolearn.views import draw_blocks  # noqa: PLC0415 - idem

        text, left_out = draw_blocks(self.blocks(), text_style())
        more = f"\n\nNot shown for lack of room: {', '.join(left_out)}." if left_out else ""
        return (text or NOTHING) + more

    def _repr_html_(self) -> str:
        from autolearn.html import html_of_blocks  # noqa: PLC0415 - for notebooks alone

        return html_of_blocks(self.blocks()) or NOTHING

    def blocks(self) -> list[Block]:
        """Return what is shown: facts, tables and texts."""
        shown = {name: value for name, value in self.facts.items() if name not in SAID_BELOW}
        return [*self.VIEW.blocks(shown), *self._notes()]

    def _notes(self) -> list[Block]:
        told = [self.facts.get("note"), f"It is {self.proof.lag}." if self.proof.lag else None]
        return [f"Note: {text}" for text in told if isinstance(text, str)]


R = TypeVar("R", bound=Result)


class Table(Result, Generic[R]):
    """An answer that is a table: it iterates over its rows, and becomes a pandas frame."""

    __slots__ = ()

    def __iter__(self) -> Iterator[R]:
        raise NotImplementedError

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("A table of the backend cannot be pickled: take its rows, list(table), or .to_pandas().")

    def to_pandas(self) -> pd.DataFrame:
        """Return all rows as a frame; facts within facts become columns such as `settings.C`."""
        frame: pd.DataFrame = need_package("pandas", "A frame").DataFrame([flatten(row.facts) for row in self])
        return frame


class Listing(Table[R], Sequence[R]):
    """A table that came whole: a sequence of its rows. `view.rows` names the list of an answer that has them."""

    __slots__ = ("rows", "view")
    rows: tuple[R, ...]
    view: View

    def __init__(self, answer: Response, kind: Callable[[Facts, Proof], R], view: View) -> None:
        super().__init__(answer.body, Proof.of(answer))
        rows = tuple(kind(row, self.proof) for row in view.rows_of(answer.body))
        for name, value in (("rows", rows), ("view", view)):
            object.__setattr__(self, name, value)

    def __iter__(self) -> Iterator[R]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> R: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[R, ...]: ...
    def __getitem__(self, index: int | slice) -> R | tuple[R, ...]:
        return self.rows[index]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} rows, position={self.position})"

    def blocks(self) -> list[Block]:
        return [*self.view.blocks(self.facts), *self._notes()]


AskPage = Callable[[int, str | None], "Response"]  # with the number of rows and the cursor


class Pages(Table[R]):
    """A table that comes page by page, as of one position. It iterates over all rows, and asks for pages as it goes.

    The first page is there from the beginning; `limit` is the greatest number of rows.
    """

    __slots__ = ("_ask", "_kind", "_limit", "view")
    view: View

    def __init__(self, ask: AskPage, kind: type[R], view: View, limit: int | None) -> None:
        first = ask(min(limit or FIRST_PAGE, LATER_PAGES), None)
        super().__init__(first.body, Proof.of(first))
        for name, value in (("view", view), ("_kind", kind), ("_ask", ask), ("_limit", limit)):
            object.__setattr__(self, name, value)

    def __iter__(self) -> Iterator[R]:
        page, left = self.facts, self._limit
        while True:
            rows = self.view.rows_of(page)[:left]
            yield from (self._kind(row, self.proof) for row in rows)
            left = None if left is None else left - len(rows)
            if not page.get("next") or left == 0:
                return
            page = self._ask(min(left or LATER_PAGES, LATER_PAGES), page["next"]).body

    def __repr__(self) -> str:
        more = " or more" if self._has_more else ""
        return f"{type(self).__name__}({len(self.view.rows_of(self.facts))} rows{more}, position={self.position})"

    def blocks(self) -> list[Block]:
        more = "These are the first rows: iterate over it, or take `.to_pandas()`, for all." if self._has_more else ""
        return [*self.view.blocks(self.facts), *self._notes(), more]

    @property
    def _has_more(self) -> bool:
        return bool(self.facts.get("next")) and self._limit != len(self.view.rows_of(self.facts))
