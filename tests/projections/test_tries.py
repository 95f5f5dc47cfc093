"""How many tries stand behind a committed experiment: all of its session on that data set, whatever became of them."""

from __future__ import annotations

from typing import Any

from domain.values import DatasetRef
from projections.history_answers import HistoryRequest
from projections.queries import Queries
from projections.visibility import Viewer
from tests.domain.search_facts import SEARCH, result, trial
from tests.projections.seal import OpenSeal
from tests.projections.world import WORKER, World

ANA = Viewer("ana", ("analyst",))
WINE = DatasetRef(name="wine", version=1, sha256="a" * 64)
A, B, C, D, E = (letter * 16 for letter in "abcde")


def queries(world: World) -> Queries:
    world.catch_up()
    return Queries(world.documents, world.history, world.feed, OpenSeal())


def tried(asked: Queries, **request: Any) -> dict[str, int]:
    page = asked.history(ANA, HistoryRequest(**request))["experiments"]
    return {row["experiment"]: row["tried"] for row in page}


def test_failed_cancelled_and_discarded_trainings_are_tries(world: World) -> None:
    world.train("ana", A)
    world.request("ana", B)
    world.decide(WORKER, B, "fail", B, 1, "error", "it broke")
    world.request("ana", C, start=False)
    world.decide("ana", C, "cancel", C)
    world.train("ana", D)
    world.train("ana", E, dataset=WINE)
    world.commit("ana", [A, E])
    asked = queries(world)
    assert tried(asked) == {E: 1, A: 4}
    assert asked.show(ANA, A)["tried"] == 4


def test_each_session_counts_its_own(world: World) -> None:
    world.train("ana", A)
    world.train("ben", B)
    world.commit("ben", [B])
    world.commit("ana", [A])
    world.train("ana", C)
    world.discard("ana")
    world.train("ana", D)
    world.commit("ana", [D])
    assert tried(queries(world)) == {D: 1, A: 1, B: 1}


def test_what_a_search_refits_was_tried_before(world: World) -> None:
    world.train("ana", A)
    world.train("ana", B, search="s" * 16)
    world.commit("ana", [A, B])
    assert tried(queries(world)) == {A: 1, B: 1}


def test_each_trial_that_began_is_a_try_whatever_became_of_it(world: World) -> None:
    search = world.search("ana", SEARCH, [trial(0.1), trial(1), trial(10), trial(100)])
    for number in (1, 2, 3):
        world.decide_search(search, "start", f"{search}-t{number}", 1, WORKER)
    world.decide_search(search, "start", f"{search}-t1", 2, WORKER)
    world.decide_search(search, "complete_trial", f"{search}-t1", 2, WORKER, result(0.9))
    world.decide_search(search, "fail", f"{search}-t2", 1, "error", "it broke")
    asked = queries(world)
    assert asked.session(ANA)["tried"] == {"iris": 3}
    world.decide_search(search, "cancel_all")
    world.train("ana", A, search=search)
    world.train("ana", B)
    world.commit("ana", [A])
    assert tried(queries(world)) == {A: 4}


def test_the_history_filters_and_sorts_by_tries(world: World) -> None:
    world.train("ana", A)
    world.commit("ana", [A])
    world.train("ana", B)
    world.train("ana", C)
    world.commit("ana", [C])
    asked = queries(world)
    assert tried(asked, where="tried > 1") == {C: 2}
    assert [*tried(asked, sort="tried")] == [A, C]


def test_a_session_tells_its_tries_so_far_as_of_any_position(world: World) -> None:
    world.train("ana", A)
    before = world.commits[-1]
    world.train("ana", B, dataset=WINE)
    world.train("ana", C)
    world.commit("ana", [A])
    asked = queries(world)
    assert asked.session(ANA, "ana-1", before)["tried"] == {"iris": 1}
    after = asked.session(ANA, "ana-1")
    assert after["tried"] == {"iris": 2, "wine": 1}
    assert [it["tried"] for it in after["experiments"]] == [2, None, None]
    assert asked.session(ANA)["tried"] == {}
