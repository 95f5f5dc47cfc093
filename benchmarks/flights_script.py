"""What an analyst would write instead: a model of the flights with scikit-learn alone. Arguments: file, model."""

import json
import resource
import sys
import time

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

MODELS = {
    "decision-tree": DecisionTreeClassifier(max_depth=5, random_state=1),
    "logistic-regression": LogisticRegression(random_state=1),
    "gradient-boosting": HistGradientBoostingClassifier(random_state=1),
}

file, name = sys.argv[1:]
began = time.process_time()
table = pd.read_parquet(file)
table["time_hour"] = table["time_hour"].astype("int64")
target = table.pop("origin")
words = ["carrier", "tailnum", "dest"]
numbers = [column for column in table.columns if column not in words]
if name == "gradient-boosting":
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, max_categories=255)
    prepared = make_column_transformer((codes, words), remainder="passthrough")
else:
    scaled = [StandardScaler()] if name == "logistic-regression" else []
    hot = OneHotEncoder(max_categories=256, handle_unknown="infrequent_if_exist")
    filled = make_pipeline(SimpleImputer(strategy="median"), *scaled)
    prepared = make_column_transformer((hot, words), (filled, numbers), sparse_threshold=1.0)
part, held, classes, true = train_test_split(table, target, stratify=target, random_state=1)
model = make_pipeline(prepared, MODELS[name]).fit(part, classes)
cpu, peak = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"cpu": cpu, "peak": peak, "score": model.score(held, true)}))
