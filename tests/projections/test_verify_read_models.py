"""Verify finds every change of the read models, those too that only some queries meet."""

from __future__ import annotations

import re

import pytest

from tests.projections.verified import Place, positions

CHANGED_BODY = "UPDATE document SET body = json_set(body, '$.standing', 'discarded')"
# x'3273766d' is the model `svm`.
CHANGES: dict[str, str] = {
    "a document": f"{CHANGED_BODY} WHERE kind='experiment' AND until > 1e15",
    "a document's past": f"{CHANGED_BODY} WHERE kind='experiment' AND since=5",
    "a document's end": "UPDATE document SET until = until + 1 WHERE kind='experiment' AND since=5",
    "a document's being": "DELETE FROM document WHERE kind='member'",
    "a document too many": "INSERT INTO document VALUES ('member', 'x/1', 4, 5, 4, '{}')",
    "a body that is no JSON": "UPDATE document SET body = '{' WHERE kind='member'",
    "a fact": "UPDATE fact SET value = x'3274726565' WHERE value = x'3273766d'",
    "a fact's name": "UPDATE word SET text = 'measure.precision:micro' WHERE text = 'measure.precision:macro'",
    "a fact's being": "DELETE FROM fact WHERE value = x'3273766d'",
    "a fact's end": "UPDATE fact SET until = until + 1 WHERE value = x'3273766d' AND until < 1e15",
    "a row's column": "UPDATE history SET actor = model",
    "a row's standing": "UPDATE history SET withdrawn = 1 - withdrawn",
    "a row's body": "UPDATE history_body SET body = replace(body, 'svm', 'tree')",
    "a row's body's being": "DELETE FROM history_body",
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_read_model_is_found(place: Place, what: str) -> None:
    place.change_read(CHANGES[what])
    assert positions(place.report()) - {None}


def test_a_row_is_named_by_its_experiment(place: Place) -> None:
    place.change_read(CHANGES["a row's body"])
    assert any(f"(experiment {'a' * 16!r}) is not what the log says" in it["what"] for it in place.report()["faults"])


UNSEEN: dict[str, str] = {  # by a comparison with the log, and yet served by some query
    "a version that ends when nobody has got there": "UPDATE document SET until = until + 1 WHERE until > 1e15",
    "a version that begins there": "INSERT INTO document VALUES ('member', 'x/1', 999, 4611686018427387904, 999, '{}')",
    "a row that ends there": "UPDATE history SET until = 999 WHERE until > 1e15",
    "a fact of no row": "INSERT INTO fact SELECT name, value, n + 1, since, until, 0, 1, 1, 1 FROM fact",
    "a fact of a row that is not so": "INSERT INTO fact SELECT name, x'33', n, since, 99, 1, 1, 1, 9 FROM fact LIMIT 1",
    "a body of no row": "INSERT INTO history_body VALUES (5000000, 3, '{}')",
    "a name that nothing bears": "INSERT INTO word(text) VALUES ('new')",
    "a value of no kind": "UPDATE fact SET value = x'07' WHERE value = x'3273766d'",
    "a model at hand": "UPDATE fact SET model = actor",
    "a text as a blob": "UPDATE history SET withdrawn = 2 WHERE withdrawn = 1",
    "the session in a row's body": "UPDATE history_body SET body = replace(body, 'session\":\"ana', 'session\":\"b')",
}


@pytest.mark.parametrize("what", UNSEEN)
def test_what_only_some_queries_meet_is_found(place: Place, what: str) -> None:
    place.change_read(UNSEEN[what])
    assert positions(place.report())


def test_read_models_that_are_wrong_throughout_are_named_in_part(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.verification.read_models.RANGE", 2)
    monkeypatch.setattr("projections.verification.read_models.MOST_RANGES", 2)
    place.change_read("UPDATE document SET body = replace(body, 'ana', 'ben') WHERE kind = 'session'")
    *named, last = place.report()["faults"]
    assert named
    assert len({fault["position"] // 2 for fault in named}) == 2
    assert re.search(r"differ in \d+ more ranges", last["what"])
    assert last["position"] > max(fault["position"] for fault in named)
