"""The space of a search: which values each setting of each model may have, and how many trials that makes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import inf, isfinite, prod
from typing import Any, Literal

from domain.errors import BadInputError, BadSettingError
from domain.events import Value
from domain.settings_check import Schema, describe_allowed, is_allowed, shorten, unknown_setting_error
from domain.values import ModelRef

Scale = Literal["lin", "log", "int"]
Strategy = Literal["grid", "random", "halving", "tpe"]

MAX_TRIALS = 1000
DEFAULT_TRIALS = 30  # of a strategy that draws
HALVING_FACTOR = 3  # of so many candidates one goes on, and gets so many times the rows
LARGEST_WHOLE = 2**53  # up to here a float holds every whole number
RANGE = re.compile(r"\s*(lin|log|int):(.*?)\.\.(.*)", re.DOTALL)
WORDS = {"none": None, "null": None, "true": True, "false": False}
FORMS = "values (0.1,1,10) or a range (lin:0..1, log:1e-4..1 or int:2..20)"


class Choices(Value):
    """One of these values, as JSON has them."""

    values: tuple[Any, ...]

    @property
    def size(self) -> float:
        return len(self.values)

    def is_allowed(self, schema: Schema) -> bool:
        return all(is_allowed(schema, value) for value in self.values)


class Range(Value):
    """A number from `low` to `high`, both included: even (lin), even in its logarithm (log), or whole (int)."""

    scale: Scale
    low: float
    high: float

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest value, of the type that the setting gets."""
        return (int(self.low), int(self.high)) if self.scale == "int" else (self.low, self.high)

    @property
    def size(self) -> float:
        return self.high - self.low + 1 if self.scale == "int" else inf

    def is_allowed(self, schema: Schema) -> bool:
        """Tell whether one alternative of the setting allows both ends, and so all between them."""
        return any(all(is_allowed(one, end) for end in self.ends) for one in schema.get("any_of", [schema]))


Space = dict[str, Choices | Range]
"""What each setting may be."""


class SearchedModel(Value):
    """A model of a search: its complete settings (given or default), and the space of those that vary."""

    model: ModelRef
    settings: dict[str, Any]
    preparation: int
    space: Space


def read_space(given: Mapping[str, Any]) -> Space:
    """Read settings as a request has them: a list of values, a single one, or text: `0.1,1,10` or `log:1e-4..1`."""
    return {name: _read_setting(name, value) for name, value in given.items()}


def spaces_of_models(space: Space, schemas: Mapping[str, Mapping[str, Schema]]) -> dict[str, Space]:
    """Give each model the settings that it has; raises NotFoundError for one that none has.

    Raises BadSettingError where a model does not allow a value. `schemas` has each model's settings by their names.
    """
    known = sorted({name for schema in schemas.values() for name in schema})
    for name in space:
        if name not in known:
            raise unknown_setting_error(name, known)
    spaces = {model: {name: its for name, its in space.items() if name in schema} for model, schema in schemas.items()}
    for model, its_space in spaces.items():
        for name, its in its_space.items():
            _check_allowed(model, name, its, schemas[model][name])
    return spaces


def count_trials(spaces: Mapping[str, Space], strategy: Strategy, trials: int | None) -> int:
    """Return how many trials the search has, of halving those of its first rung.

    Raises BadInputError for a space without a choice, a grid without an end, and more than 1,000 trials.
    """
    size = count_settings(spaces)
    if not any(spaces.values()) and len(spaces) < 2:  # noqa: PLR2004 - with two models there is a choice
        raise BadInputError(f"There is nothing to search: give a setting {FORMS}, or name several models.")
    if strategy == "grid":
        _check_grid(spaces, trials)
    elif trials is not None and not 1 <= trials <= MAX_TRIALS:
        raise BadInputError(f"{trials} trials are not possible: 1 to {MAX_TRIALS}.")
    takes_all = strategy == "grid" or (strategy == "halving" and trials is None and size < inf)
    wanted = int(size if takes_all else min(size, DEFAULT_TRIALS if trials is None else trials))
    most = wanted if strategy != "halving" else sum(rungs(wanted))
    if most > MAX_TRIALS:
        raise BadInputError(f"The search would have {most} trials: at most {MAX_TRIALS}. Leave out some values.")
    return wanted


def rungs(candidates: int) -> list[int]:
    """Return how many candidates each rung of halving has at most, as scikit-learn's halving searches."""
    counts, reach = [candidates], HALVING_FACTOR
    while reach <= candidates:
        counts.append(-(-counts[-1] // HALVING_FACTOR))
        reach *= HALVING_FACTOR
    return counts


def count_settings(spaces: Mapping[str, Space]) -> float:
    """Return how many different settings all models have together; infinite where one has a range of fractions."""
    return sum(prod(its.size for its in space.values()) for space in spaces.values())


def _check_grid(spaces: Mapping[str, Space], trials: int | None) -> None:
    if trials is not None:
        raise BadInputError("A grid tries all settings: leave out the number of trials, or take the strategy random.")
    for space in spaces.values():
        for name, its in space.items():
            if its.size == inf:
                raise BadInputError(
                    f"A grid has no end where {name} is a range: name its values ({name}=0.1,1,10), "
                    "or take the strategy random, halving or tpe."
                )


def _read_setting(name: str, value: Any) -> Choices | Range:
    if isinstance(value, str) and value.lstrip().startswith(("lin:", "log:", "int:")):
        return _read_range(name, value)
    values = [_read_value(text) for text in value.split(",")] if isinstance(value, str) else value
    values = values if isinstance(values, list) else [values]
    if not values or "" in values:
        raise BadSettingError(f"{name} has an empty value: give it {FORMS}.", setting=name, allowed=FORMS)
    return Choices(values=tuple({f"{type(one).__name__} {one}": one for one in values}.values()))


def _read_value(text: str) -> Any:
    """Return a number, a boolean, none, or else the text; `NaN` and the like are texts."""
    text = text.strip()
    try:
        return WORDS[text.lower()] if text.lower() in WORDS else json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text


def _read_range(name: str, text: str) -> Range:
    try:
        scale, low, high = RANGE.fullmatch(text).groups()  # type: ignore[union-attr] # no match is caught below
        ends = (int(low), int(high)) if scale == "int" else (float(low), float(high))
    except (AttributeError, ValueError):
        raise _range_error(name, text, "a range looks like lin:0..1, log:1e-4..1 or int:2..20") from None
    if not all(map(isfinite, ends)) or (scale == "int" and max(map(abs, ends)) > LARGEST_WHOLE):
        raise _range_error(name, text, "its ends are finite numbers, whole ones up to 2^53")
    if ends[0] >= ends[1]:
        raise _range_error(name, text, "the first number is the lesser one")
    if scale == "log" and ends[0] <= 0:
        raise _range_error(name, text, "a range of scale log begins above 0")
    return Range(scale=scale, low=ends[0], high=ends[1])


def _range_error(name: str, text: str, rule: str) -> BadSettingError:
    return BadSettingError(f"{name} = {shorten(text)} is not allowed: {rule}.", setting=name, allowed=rule)


def _check_allowed(model: str, name: str, its: Choices | Range, schema: Schema) -> None:
    if its.is_allowed(schema):
        return
    wrong: Any = next((value for value in getattr(its, "values", ()) if not is_allowed(schema, value)), None)
    shown = f"{its.scale}:{its.ends[0]}..{its.ends[1]}" if isinstance(its, Range) else shorten(wrong)
    allowed = describe_allowed(schema)
    raise BadSettingError(f"{name} = {shown} is not allowed for {model}: {allowed}.", setting=name, allowed=allowed)
