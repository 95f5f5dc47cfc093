"""Numbers to predict: from a raw file to a committed model, which is found, compared, reproduced and exported."""

from __future__ import annotations

from pathlib import Path

import skops.io
from sklearn.compose import ColumnTransformer

from tests.end_to_end.place import Shell

PENGUINS = str(Path(__file__).parents[2] / "examples" / "penguins.csv")
MASS = "body_mass_g"


def test_a_regressor_lives_like_a_classifier(shell: Shell, tmp_path: Path) -> None:
    words = ("dataset", "add", PENGUINS, "--target", MASS, "--task", "regression", "--drop-missing-target")
    added = shell(*words, "--name", "masses").json
    assert (added["task"], added["classes"], added["positive"]) == ("regression", [], None)
    shell(*words, "--name", "others", "--drop", "year")
    train = ("train", "masses", "--drop", "year")
    first = shell(*train, "linear-regression", "--evaluate", "--seed", "7").json
    assert first["measures"].keys() == {"r2", "mae", "rmse"}
    second = shell(*train, "dummy-regressor", "--evaluate", "--commit", "--message", "masses", "--seed", "7")
    assert second.err.startswith("Receipt: autolearn verify --anchor ")
    done = second.json
    assert (done["standing"], done["message"]) == ("committed", "masses")
    assert done["experiments"] == [first["experiment"], done["experiment"]]
    found = shell("history", "--where", "r2 > 0.8 and rmse < 400").json["experiments"]
    assert [it["experiment"] for it in found] == [first["experiment"]]
    ranked = shell("history", "--dataset", "masses", "--sort", "rmse").json["experiments"]
    assert [it["model"]["name"] for it in ranked] == ["linear-regression", "dummy-regressor"]
    names = [it["experiment"] for it in ranked]
    assert "r2" in shell.plain("compare", *names).out
    assert shell("show", names[0]).json["learned"]["top_coefficients"]
    on = shell("evaluate", names[0], "-m", "mape", "--on", "others").json["measures"]
    assert 0 < on["mape@others"] < 0.1
    assert shell("reproduce", names[0]).json["verdict"] == "bit-identical"
    file = tmp_path / "masses.skops"
    shell("export", names[0], str(file))
    model = skops.io.load(file, trusted=skops.io.get_untrusted_types(file=file))
    assert isinstance(model[0], ColumnTransformer)
    assert model[-1].coef_.shape == (len(model[:-1].get_feature_names_out()),)


def test_what_does_not_fit_is_refused_and_changes_nothing(shell: Shell) -> None:
    before = shell("catalog").json["position"]
    refused = shell("train", "iris", "ridge", code=2).problem
    assert "holds classes (task classification), and ridge does not predict them." in refused["detail"]
    assert {"svm", "dummy"} <= set(refused["allowed"])
    assert not {"ridge", "dummy-regressor"} & set(refused["allowed"])
    assert shell("catalog").json["position"] == before
    trained = shell("train", "iris", "ridge", "--target", "petal width (cm)").json
    assert trained["state"] == "completed"
    assert "mae, mape, max-error" in shell("evaluate", "-m", "recall", code=2).problem["detail"]
    failed = shell("train", "iris", "svm", "--target", "petal width (cm)", code=1).json
    assert "or the model must be a regressor" in failed["error"]["detail"]
    shell("discard")
