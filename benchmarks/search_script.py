"""What an analyst would write instead of a search: GridSearchCV with two processes. Argument: wine, or a file."""

import sys

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

table: pd.DataFrame
if sys.argv[1] == "wine":
    table, target = load_wine(return_X_y=True, as_frame=True)
    filled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    model = make_pipeline(make_column_transformer((filled, list(table.columns))), LogisticRegression(random_state=1))
    space = {"logisticregression__C": list(np.geomspace(0.001, 100, 60))}
else:
    table = pd.read_parquet(sys.argv[1])
    table["time_hour"] = table["time_hour"].astype("int64")
    target = table.pop("origin")
    words = ["carrier", "tailnum", "dest"]
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=255)
    prepared = make_column_transformer((codes, words), remainder="passthrough")
    boosting = HistGradientBoostingClassifier(max_iter=20, categorical_features=[0, 1, 2], random_state=1)
    model = make_pipeline(prepared, boosting)
    space = {
        "histgradientboostingclassifier__learning_rate": [0.02, 0.05, 0.1, 0.2, 0.5],
        "histgradientboostingclassifier__max_leaf_nodes": [7, 15, 31, 63],
        "histgradientboostingclassifier__l2_regularization": [0.0, 0.1, 1.0],
    }
part, _, classes, _ = train_test_split(table, target, stratify=target, random_state=1)
part, classes = part.sort_index(), classes.sort_index()
folds = StratifiedKFold(5, shuffle=True, random_state=1)
search = GridSearchCV(model, space, scoring="accuracy", cv=folds, n_jobs=2).fit(part, classes)
print(search.best_score_)
