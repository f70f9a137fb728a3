"""The estimators keep scikit-learn's contract, in several settings each."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from skl_lstm import LookbackWindower, LSTMClassifier, LSTMForecaster

WINDOWS_REACH_BACK = "a row's window holds the rows before it, so rows depend on their neighbors"
ROUNDS_BY_BATCH = (
    "on some processors BLAS rounds a product of other rows otherwise, by more than the 1e-7 that "
    "the check allows; test_a_prediction_depends_on_no_other_row holds it to 1e-6"
)
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
    forecaster(units=(4, 4), verbose=1),
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
def test_contract(estimator, check, request):
    invariance = ("check_methods_subset_invariance", "check_methods_sample_order_invariance")
    if check.func.__name__ in invariance and not isinstance(estimator, LookbackWindower):
        request.applymarker(pytest.mark.xfail(reason=ROUNDS_BY_BATCH, strict=False))
    check(estimator)


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
    methods = ["predict", "predict_quantiles", "predict_proba", "decision_function"]
    for method in [getattr(model, name) for name in methods if hasattr(model, name)]:
        whole = method(X)
        one_by_one = np.concatenate([method(row[np.newaxis]) for row in X])
        assert_allclose(one_by_one, whole, rtol=1e-6, atol=1e-6)
        assert_allclose(method(X[order]), whole[order], rtol=1e-6, atol=1e-6)
