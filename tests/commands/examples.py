"""What example tasks answer: a small catalog, data sets, a fitted model, values, a verdict."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from commands.ports import TaskBroken, TaskDone, TaskOutcome

AVERAGE = {
    "average": {"type": "choice", "choices": ["macro", "micro", "weighted", "binary"], "default": "macro"},
}
SETTINGS: dict[str, dict[str, Any]] = {
    "logistic-regression": {
        "C": {"type": "number", "default": 1.0, "exclusive_minimum": 0},
        "max_iter": {"type": "integer", "default": 100, "minimum": 0},
        "solver": {"type": "choice", "default": "lbfgs", "choices": ["lbfgs", "newton-cg"]},
        "fit_intercept": {"type": "boolean", "default": True},
    },
    "svm": {
        "gamma": {
            "type": "any-of",
            "default": "scale",
            "any_of": [{"type": "choice", "choices": ["scale", "auto"]}, {"type": "number", "minimum": 0}],
        },
    },
}
MEASURES: dict[str, dict[str, Any]] = {"precision": AVERAGE, "recall": AVERAGE, "accuracy": {}}
FLOWERS = ("setosa", "versicolor", "virginica")
FLOWER = {"length": "float64", "width": "float64", "kind": "string"}
FILES: dict[str, dict[str, Any]] = {
    "iris": {"columns": FLOWER, "rows": 150, "classes": list(FLOWERS), "class_rows": [50, 60, 40]},
    "wine": {"columns": {"alcohol": "float64", "kind": "string"}, "rows": 178, "classes": ["a", "b", "c"]},
    "breast-cancer": {
        "columns": {"radius": "float64", "kind": "string"},
        "rows": 569,
        "classes": ["benign", "malignant"],
    },
    "digits": {"columns": {"pixel": "float64", "kind": "string"}, "rows": 1797, "classes": list("0123456789")},
    "two-flowers.csv": {"columns": FLOWER, "rows": 100, "classes": ["setosa", "virginica"]},
    "more-flowers.csv": {"columns": FLOWER, "rows": 300, "classes": ["setosa", "versicolor", "virginica"]},
    "noise.csv": {"columns": {"random": "float64"} | FLOWER, "rows": 50, "classes": ["setosa", "virginica"]},
    "other-target.csv": {
        "columns": {"length": "float64", "width": "float64", "species": "string"},
        "rows": 90,
        "classes": ["setosa", "versicolor", "virginica"],
    },
}


def sha(text: str) -> str:
    """Name content."""
    return hashlib.sha256(text.encode()).hexdigest()


def described(kind: str, name: str, settings: dict[str, Any], version: str = "1.7.0") -> dict[str, Any]:
    """Describe an offer as the describe-task does."""
    digest = sha(f"{kind} {name} {version} {settings}")
    facts = {"distribution": "scikit-learn", "version": version, "description": f"The {kind} {name}."}
    return {"name": name, "description": {**facts, "settings": settings, "digest": digest}}


def describe(_: dict[str, Any]) -> TaskDone:
    models = [described("model", name, settings) for name, settings in SETTINGS.items()]
    return TaskDone({"models": models, "measures": [described("measure", *it) for it in MEASURES.items()]})


def ingest(facts: dict[str, Any]) -> TaskOutcome:
    name = facts.get("builtin") or facts["path"]
    if name not in FILES:
        return TaskBroken("bad-input", f"There is no column {facts['target']!r} in the file.")
    return TaskDone({"blob": {"sha256": sha(name), "size": 100}, **FILES[name]})


def fit(facts: dict[str, Any]) -> TaskDone:
    learned = sha(f"{facts['settings']} {facts['seed']}")
    return TaskDone(
        {
            "learned": {"coefficients": [0.5, 1.5]},
            "model_blob": {"sha256": learned, "size": 1000},
            "learned_blob": {"sha256": learned[::-1], "size": 500},
            "split": {"train_rows": 112, "test_rows": 38, "sha256": sha(str(facts["seed"]))},
            "provenance": {"python": "3.11"},
            "fit_seconds": 0.01,
        }
    )


def score(facts: dict[str, Any]) -> TaskDone:
    on = f"@{facts['on']['name']}" if facts["on"] else ""
    names = [f"{it['name']}:{it['average']}" if it["average"] else it["name"] for it in facts["measures"]]
    return TaskDone({"measures": {f"{name}{on}": 0.9 for name in names}})


def reproduce(_: dict[str, Any]) -> TaskDone:
    return TaskDone({"verdict": "bit-identical", "differences": []})


def propose(facts: dict[str, Any]) -> TaskDone:
    """Try the values of C, two in a round."""
    (searched,) = facts["models"]
    values, known = searched["space"]["C"]["values"], len(facts["finished"])
    some = values[known : known + 2]
    trials = [{"model": searched["model"]["name"], "settings": {"C": value}, "rows": None} for value in some]
    return TaskDone({"trials": trials, "last": known + 2 >= len(values)})


def trial(facts: dict[str, Any]) -> TaskDone:
    mean = facts["settings"]["C"] / 100
    told = {"lower_is_better": False, "seconds": 0.01, "warnings": [], "reason": None}
    return TaskDone({"folds": [mean, mean], "mean": mean, "std": 0.0, **told})


OUTCOMES: dict[str, Callable[[dict[str, Any]], TaskOutcome]] = {
    "describe": describe,
    "ingest": ingest,
    "fit": fit,
    "score": score,
    "reproduce": reproduce,
    "propose": propose,
    "trial": trial,
}
