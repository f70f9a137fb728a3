"""The estimators keep scikit-learn's contract, in several settings each."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.utils.estimator_checks import (
    check_methods_sample_order_invariance,
    check_methods_subset_invariance,
    parametrize_with_checks,
)

from skl_lstm import (
    LookbackWindower,
    LSTMClassifier,
    LSTMForecaster,
    load_kernel,
    save_model,
)

WINDOWS_REACH_BACK = "a row's window holds the rows before it, so rows depend on their neighbors"
MINI_BATCHES = "a weight of two is not a row twice: batches of rows are cut by number"


def forecaster(**parameters):
    settings = {"units": 8, "epochs": 30, "batch_size": 16, "learning_rate": 0.05}
    return LSTMForecaster(**{**settings, **parameters})


def classifier(**parameters):
    settings = {"units": 8, "epochs": 40, "batch_size": 8, "learning_rate": 0.05}
    return LSTMClassifier(**{**settings, **parameters})


class ForecasterOfFloat32(LSTMForecaster):
    """The forecaster as data of float32 meet it, whatever a check brings."""

    def _check_X(self, X):
        return super()._check_X(X).astype(np.float32)

    def predict(self, X):
        return super().predict(X).astype(np.float64)


def expected_failures(estimator):
    if isinstance(estimator, LookbackWindower) and estimator.look_back > 1:
        return {
            "check_methods_subset_invariance": WINDOWS_REACH_BACK,
            "check_methods_sample_order_invariance": WINDOWS_REACH_BACK,
        }
    if isinstance(estimator, LSTMForecaster | LSTMClassifier):
        return {"check_sample_weight_equivalence_on_dense_data": MINI_BATCHES}
    return {}


NETWORKS = [
    forecaster(),
    forecaster(reshape_mode="features"),
    forecaster(units=(4, 4), epochs=60, verbose=1),
    forecaster(verbose=2),
    ForecasterOfFloat32(**forecaster().get_params()),
    forecaster(engine="keras"),
    forecaster(window_scaling="last", units=16, epochs=60, learning_rate=0.02),
    forecaster(window_scaling="standard", reshape_mode="features"),
    forecaster(window_scaling="mean"),
    forecaster(loss="pinball", quantile=[0.1, 0.5, 0.9]),
    # Small steps, so that the rounding of a processor decides nothing.
    forecaster(window_scaling="standard", engine="keras", units=16, epochs=40, learning_rate=0.02),
    classifier(),
    classifier(units=(8, 8), reshape_mode="features"),
    classifier(window_scaling="standard"),
]


def slow_but_for_the_defaults(cases):
    """Mark the cases of all networks as slow, but for the one of each kind that comes first."""
    quick = [str(forecaster()), str(classifier())]
    marked = []
    for case in cases:
        values, marks = getattr(case, "values", case), getattr(case, "marks", ())
        if not isinstance(values[0], LookbackWindower) and str(values[0]) not in quick:
            marks = (*marks, pytest.mark.slow)
        marked.append(pytest.param(*values, marks=marks))
    return marked


CHECKS = parametrize_with_checks(
    [
        LookbackWindower(),
        LookbackWindower(look_back=3),
        LookbackWindower(look_back=3, padding="edge"),
        *NETWORKS,
    ],
    expected_failed_checks=expected_failures,
)
NAMES, CASES = CHECKS.args


@pytest.mark.parametrize(NAMES, slow_but_for_the_defaults(CASES), **CHECKS.kwargs)
def test_contract(estimator, check):
    check(estimator)


INVARIANCE = [check_methods_subset_invariance, check_methods_sample_order_invariance]
OTHER_SETTINGS = [
    {"units": 8, "epochs": 60, "learning_rate": 0.02},
    {"units": 5, "epochs": 60},
    {"units": 33, "epochs": 10},
    {"units": (16, 3), "epochs": 20},
    {"units": 64, "epochs": 5, "batch_size": 64},
    {"units": 12, "window_scaling": "standard"},
]


@pytest.mark.parametrize("check", INVARIANCE, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", [forecaster, classifier])
@pytest.mark.parametrize("settings", OTHER_SETTINGS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_predictions_are_invariant_in_many_settings(check, kind, settings, seed):
    # The checks set the random state of a clone to 1; a seed of dropout changes what is learned.
    estimator = kind(**settings, dropout=seed / 10)
    check(type(estimator).__name__, estimator)


def predictions_of(model):
    names = ["predict", "predict_quantiles", "predict_proba", "decision_function"]
    return [getattr(model, name) for name in names if hasattr(model, name)]


@pytest.mark.parametrize(
    "model",
    slow_but_for_the_defaults([(network,) for network in NETWORKS]),
    ids=lambda model: str(model)[:60],
)
def test_a_prediction_depends_on_no_other_row(model):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    y = (X[:, 0] > 0).astype(int)
    model = clone(model).set_params(random_state=0).fit(X, y)
    order = rng.permutation(len(X))
    load_kernel()
    for method in predictions_of(model):
        whole = method(X)
        one_by_one = np.concatenate([method(row[np.newaxis]) for row in X])
        assert_array_equal(one_by_one, whole)
        assert_array_equal(method(X[order]), whole[order])
        assert_array_equal(method(X[7:20]), whole[7:20])


ROWS_WITHOUT_NUMBA = """
import sys
import numpy as np
from skl_lstm import load_model
model, X = load_model(sys.argv[1]), np.load(sys.argv[2])
whole = model.predict(X)
one_by_one = np.concatenate([model.predict(row[np.newaxis]) for row in X])
assert "numba" not in sys.modules
np.testing.assert_allclose(one_by_one, whole, rtol=1e-6, atol=1e-6)
np.save(sys.argv[2], whole)
"""


@pytest.mark.needs("skops")
def test_without_the_kernel_rows_agree_to_a_millionth(tmp_path):
    X = np.random.default_rng(0).normal(size=(50, 6))
    model = forecaster(units=33, random_state=0).fit(X, X[:, 0])
    files = [tmp_path / "model.h5", tmp_path / "X.npy"]
    save_model(model, files[0])
    np.save(files[1], X)
    subprocess.run([sys.executable, "-c", ROWS_WITHOUT_NUMBA, *map(str, files)], check=True)
    assert_allclose(np.load(files[1]), model.predict(X), rtol=1e-6, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("core", ["Sandybridge", "Haswell", "Zen", "SkylakeX"])
@pytest.mark.skipif(platform.machine() != "x86_64", reason="these are x86-64 processors")
def test_the_rounding_of_blas_does_not_reach_predictions(core, tmp_path):
    """OpenBLAS's products of these processors differ in which rows they round alike."""
    if core == "SkylakeX" and "avx512f" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this processor has no AVX-512")
    here = Path(__file__)
    tests = "test_predictions_are_invariant_in_many_settings"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", here, "-k", tests],
        env={**os.environ, "OPENBLAS_CORETYPE": core},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
