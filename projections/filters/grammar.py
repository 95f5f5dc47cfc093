"""The grammar of filters, and what it makes of a text: parts with their places, not yet knowing what names mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from domain.errors import FilterError

GRAMMAR = r"""
?start: either
?either: both (_OR both)*
?both: single (_AND single)*
?single: _NOT single -> negated
    | "(" either ")"
    | name OPERATOR value -> compared
    | name _IN "(" value ("," value)* ")" -> one_of
    | name _BETWEEN value _AND value -> between
name: WORD | QUOTED
value: WORD | QUOTED
_OR.2: /or\b(?![.:@-])/i
_AND.2: /and\b(?![.:@-])/i
_NOT.2: /not\b(?![.:@-])/i
_IN.2: /in\b(?![.:@-])/i
_BETWEEN.2: /between\b(?![.:@-])/i
OPERATOR: "<=" | ">=" | "!=" | "=" | "<" | ">"
QUOTED: /'(\\.|[^'\\])*'|"(\\.|[^"\\])*"/
WORD: /[^\s()=!<>,'"\\]+/
%ignore /\s+/
"""

EXPECTED = {
    "WORD": "a name or value",
    "QUOTED": "a quoted text",
    "OPERATOR": "= != < <= > >=",
    "_IN": "in",
    "_BETWEEN": "between",
    "_AND": "and",
    "_OR": "or",
    "_NOT": "not",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": ",",
    "$END": "the end",
}


@dataclass(frozen=True, slots=True)
class Written:
    """A name or value as written: where it begins, and whether it stood in quotes."""

    text: str
    place: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A comparison, or a word (`and`, `or`, `not`) with its parts."""

    word: str
    name: Written | None = None
    values: tuple[Written, ...] = ()
    parts: tuple[Part, ...] = ()


def read(text: str) -> Part:
    """Parse a filter; raises FilterError with `place` (0-based character) and what was `expected` there."""
    from lark.exceptions import UnexpectedInput  # noqa: PLC0415 - a tenth of a second that only filters need

    try:
        parsed: Part = _parser()(text)
    except UnexpectedInput as error:
        place = len(text) if error.pos_in_stream in {None, -1} or _is_end(error) else int(error.pos_in_stream or 0)
        raise _refusal(text, place, error) from None
    return parsed


def _is_end(error: Any) -> bool:
    return getattr(getattr(error, "token", None), "type", "") == "$END"


def _refusal(text: str, place: int, error: Any) -> FilterError:
    wanted = (
        getattr(error, "accepts", None) or getattr(error, "expected", None) or getattr(error, "allowed", None) or ()
    )
    expected = sorted({EXPECTED.get(name, name.lower()) for name in wanted})
    found = f"{text[place : place + 12]!r}" if place < len(text) else "the end"
    either = " or ".join(filter(None, (", ".join(expected[:-1]), expected[-1])))
    sentence = f"The filter cannot be read at character {place + 1}, {found}: expected {either}."
    return FilterError(sentence, place=place, expected=expected)


@cache
def _parser() -> Callable[[str], Any]:
    """Make the parser; it makes parts as it goes, so that nothing recurses over deep parentheses."""
    from lark import Lark, Transformer  # noqa: PLC0415 - a tenth of a second that only filters need

    class Reading(Transformer[Any, Part]):
        name = value = staticmethod(lambda found: _written(found[0]))
        compared = staticmethod(lambda found: Part(str(found[1]), found[0], (found[2],)))
        one_of = staticmethod(lambda found: Part("in", found[0], tuple(found[1:])))
        between = staticmethod(lambda found: Part("between", found[0], tuple(found[1:])))
        negated = staticmethod(lambda found: Part("not", parts=tuple(found)))
        both = staticmethod(lambda found: Part("and", parts=tuple(found)))
        either = staticmethod(lambda found: Part("or", parts=tuple(found)))

    return Lark(GRAMMAR, parser="lalr", transformer=Reading()).parse


def _written(token: Any) -> Written:
    quoted = token.type == "QUOTED"
    text = re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL) if quoted else str(token)
    return Written(text, int(token.start_pos), quoted)
