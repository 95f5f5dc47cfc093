"""What an MLflow user writes: fit, log parameters, two measures and the model. Runs in .venv-bench, as a whole process.

Arguments: tracking URL, experiment, and `lean` to state the model's dependencies instead of having them inferred.
"""

from __future__ import annotations

import sys

import mlflow
import mlflow.sklearn
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main(url: str, experiment: str, *options: str) -> None:
    """Train on iris and log everything."""
    mlflow.set_tracking_uri(url)
    mlflow.set_experiment(experiment)
    stated = {"pip_requirements": ["scikit-learn"]} if "lean" in options else {}
    iris = load_iris(as_frame=True)
    train, test, wanted, truth = train_test_split(iris.data, iris.target, test_size=0.25, stratify=iris.target)
    with mlflow.start_run():
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(train, wanted)
        mlflow.log_params(model[-1].get_params())
        found = model.predict(test)
        scores = {"precision": precision_score, "recall": recall_score}
        mlflow.log_metrics({name: score(truth, found, average="macro") for name, score in scores.items()})
        mlflow.sklearn.log_model(model, name="model", **stated)


if __name__ == "__main__":
    main(*sys.argv[1:])
