"""Which settings of which models a search tries, and how many trials that makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, cast, get_args

from commands.training.request_training import PREPARED
from domain.errors import BadInputError
from domain.offer import Offer
from domain.search_space import Choices, SearchedModel, Space, Strategy, count_trials, read_space, spaces_of_models
from domain.settings_check import complete_settings


def plan_models(
    offers: Sequence[Offer], given: Mapping[str, Any], strategy: str, trials: int | None
) -> tuple[tuple[SearchedModel, ...], int]:
    """Return the models with their spaces, and the number of trials (of halving: of its first rung).

    `given` maps a setting to a list of values, a value, or a text (`0.1,1,10`, `log:1e-4..1`). Raises BadInputError,
    BadSettingError, NotFoundError.
    """
    known = get_args(Strategy)
    if strategy not in known:
        raise BadInputError(f"{strategy!r} is not a strategy: one of {', '.join(known)}.", allowed=list(known))
    if strategy == "tpe" and find_spec("optuna") is None:
        raise BadInputError(
            "The strategy tpe needs Optuna: pip install 'autolearn[optuna]', or take the strategy random."
        )
    by_name = {offer.name: offer for offer in offers}
    schemas = {name: offer.require_description().settings for name, offer in by_name.items()}
    spaces = spaces_of_models(read_space(given), schemas)
    number = count_trials(spaces, cast("Strategy", strategy), trials)
    return tuple(_plan(offer, schemas[name], spaces[name]) for name, offer in by_name.items()), number


def _plan(offer: Offer, schema: dict[str, Any], space: Space) -> SearchedModel:
    fixed = {name: its.values[0] for name, its in space.items() if isinstance(its, Choices) and its.size == 1}
    settings = complete_settings(schema, fixed)
    return SearchedModel(
        model=offer.ref(),
        settings=settings,
        preparation=2 if PREPARED in settings else 1,
        space={name: its for name, its in space.items() if name not in fixed},
    )
