"""What the page of an experiment makes of answers: settings in order, tables of bounded size, the confusion matrix."""

from __future__ import annotations

from typing import Any

from console.experiment_facts import confusion_of, learned_of, settings_of, wrong_rows


def test_settings_that_are_not_the_default_come_first() -> None:
    model = {"settings": {"C": {"default": 1.0, "what": "strength"}, "kernel": {"default": "rbf"}}}
    found = settings_of({"kernel": "rbf", "gone": 3, "C": 2}, model)
    assert [(it.name, it.is_changed) for it in found] == [("C", True), ("kernel", False), ("gone", False)]
    assert not any(it.is_changed for it in settings_of({"C": 2}, None))


def test_learned_numbers_become_tables_of_bounded_size() -> None:
    parameters = {"coef_": [[0.5] * 100] * 60, "intercept_": [1, 2], "support_": {"shape": [9, 500]}}
    found = learned_of({"features": 4, "classes": ["a", "b"], "warnings": ["w"], "parameters": parameters})
    assert found.facts == {"features": 4, "classes": ["a", "b"], "support_.shape": [9, 500]}
    coefficients, intercepts = found.tables
    assert (len(coefficients.rows), len(coefficients.rows[0]), coefficients.size) == (50, 24, "60 by 100")
    assert (intercepts.rows, intercepts.size) == ([[1, 2]], "")
    assert learned_of(None).facts == {}


def report(classes: int, **confusion: Any) -> dict[str, Any]:
    return {"classes": [{"class": str(number)} for number in range(classes)], "confusion": confusion}


def test_a_small_confusion_matrix_is_whole_and_shaded_by_shares_of_its_rows() -> None:
    found = confusion_of(report(2, counts=[[3, 1], [0, 0]]))
    assert found is not None
    assert [[(it.count, it.shade, it.is_right) for it in row] for row in found.matrix] == [
        [(3, 6, True), (1, 2, False)],
        [(0, 0, False), (0, 0, True)],
    ]


def test_of_many_classes_the_pairs_mistaken_most_often_are_shown() -> None:
    whole = confusion_of(report(41, counts=[[(true + 2) * (true != seen) for seen in range(41)] for true in range(41)]))
    sparse = confusion_of(report(200, counts=None, cells=[[0, 0, 9], [1, 2, 3], [5, 4, 7]]))
    assert whole is not None
    assert (len(whole.pairs), whole.pairs[0].true, whole.matrix) == (50, "40", [])
    assert sparse is not None
    assert [(it.true, it.predicted, it.count) for it in sparse.pairs] == [("5", "4", 7), ("1", "2", 3)]
    assert confusion_of(None) is None


def test_wrong_rows_are_those_of_a_cell() -> None:
    rows = [{"row": 1, "true": 0, "predicted": 1}, {"row": 2, "true": "a", "predicted": "b"}]
    assert wrong_rows({"wrong": rows}, None, None) == rows
    assert wrong_rows({"wrong": rows}, "0", "1") == rows[:1]
    assert wrong_rows(None, None, None) == []
