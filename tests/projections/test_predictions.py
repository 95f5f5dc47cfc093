"""Predictions as they are asked for: newest first, filtered, by pages, as of the past; as visible as the experiment."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import BadCursorError, BadInputError, FilterError, NotFoundError
from projections import prediction_answers
from projections.prediction_answers import PredictionRequest
from projections.queries import Queries
from projections.visibility import Viewer
from tests.projections.seal import OpenSeal
from tests.projections.world import World

ANA, BEN = Viewer("ana", ("analyst",)), Viewer("ben", ("analyst",))
A, B = "a" * 16, "b" * 16
IDS = [f"p{number:015}" for number in range(6)]


@pytest.fixture
def asked(world: World) -> Queries:
    """Ana and Ben predicted with A, which is committed; Ana also with B of her open session."""
    world.train("ana", A)
    world.predict("ana", A, IDS[0], rows=5, unseen=2)
    world.commit("ana", [A])
    world.train("ana", B)
    world.predict("ben", A, IDS[1], rows=10)
    world.predict("ana", B, IDS[2], rows=20)
    world.predict("ben", A, IDS[3], rows=30, format="parquet")
    world.catch_up()
    return Queries(world.documents, world.history, world.feed, OpenSeal())


def ids(answer: dict[str, Any]) -> list[str]:
    return [row["prediction"] for row in answer["predictions"]]


def test_newest_first_and_of_visible_experiments(asked: Queries) -> None:
    assert ids(asked.predictions(ANA, PredictionRequest())) == [IDS[3], IDS[2], IDS[1], IDS[0]]
    assert ids(asked.predictions(BEN, PredictionRequest())) == [IDS[3], IDS[1], IDS[0]]
    assert ids(asked.predictions(ANA, PredictionRequest("bbbb"))) == [IDS[2]]
    with pytest.raises(NotFoundError):
        asked.predictions(BEN, PredictionRequest("bbbb"))
    assert asked.prediction(ANA, IDS[2][:-1] + "2")["experiment"] == B
    with pytest.raises(NotFoundError, match="There is no prediction"):
        asked.prediction(BEN, IDS[2])


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("rows > 10", [3, 2]),
        ("rows between 10 and 20", [2, 1]),
        ("unseen != 0 or format = parquet", [3, 0]),
        ("actor = ben and not rows in (10, 11)", [3]),
        ("at >= 2020-01-01T00:00:00Z and at < 2999-01-01T00:00:00Z and seconds = 0.5", [3, 2, 1, 0]),
        (f"input = {'e' * 64} and experiment = {B}", [2]),
        ("position < 1", []),
    ],
)
def test_filters(asked: Queries, where: str, found: list[int]) -> None:
    assert ids(asked.predictions(ANA, PredictionRequest(where=where))) == [IDS[place] for place in found]


@pytest.mark.parametrize("where", ["precision > 0.5", "row > 1", "rows > many", "at > yesterday"])
def test_what_a_filter_cannot_mean_is_refused(asked: Queries, where: str) -> None:
    with pytest.raises(FilterError):
        asked.predictions(ANA, PredictionRequest(where=where))


def test_as_of_the_past(world: World, asked: Queries) -> None:
    first = asked.prediction(ANA, IDS[0])["position"]
    assert ids(asked.predictions(ANA, PredictionRequest(), at=first)) == [IDS[0]]
    with pytest.raises(NotFoundError):
        asked.prediction(ANA, IDS[1], first)


def test_pages_do_not_shift_and_go_on_after_much_that_does_not_fit(
    world: World, asked: Queries, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = PredictionRequest(limit=1, where="rows < 20")
    first = asked.predictions(ANA, request)
    world.predict("ana", A, IDS[4], rows=1)
    world.catch_up()
    rest = asked.predictions(ANA, request, first["next"])
    assert (ids(first), ids(rest)) == ([IDS[1]], [IDS[0]])
    with pytest.raises(BadCursorError):
        asked.predictions(BEN, request, first["next"])
    with pytest.raises(BadInputError):
        asked.predictions(ANA, PredictionRequest(limit=0))
    monkeypatch.setattr(prediction_answers, "BATCH", 1)
    monkeypatch.setattr(prediction_answers, "MOST_LOOKED_AT", 2)
    found, cursor = list[str](), None
    for _ in range(4):
        page = asked.predictions(ANA, PredictionRequest(where="unseen > 0"), cursor)
        found, cursor = found + ids(page), page["next"]
        if cursor is None:
            break
    assert found == [IDS[0]]
