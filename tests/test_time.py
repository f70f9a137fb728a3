"""Nothing looks ahead: what lies after a row, or after a test fold, changes nothing there."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import TimeSeriesSplit, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import LookbackWindower, LSTMForecaster


def composed(**parameters):
    forecaster = LSTMForecaster(units=3, epochs=2, random_state=0, **parameters)
    return TransformedTargetRegressor(
        Pipeline(
            [
                ("scale", MinMaxScaler()),
                ("window", LookbackWindower(look_back=3)),
                ("lstm", forecaster),
            ]
        ),
        transformer=MinMaxScaler(),
    )


@pytest.mark.parametrize("stateful", [False, True], ids=["stateless", "stateful"])
def test_no_fold_scores_otherwise_when_rows_after_its_test_fold_change(stateful, airline):
    X, y = (part.to_numpy()[:60] for part in airline)
    model = composed(stateful=stateful, batch_size=1 if stateful else 8)
    cv = TimeSeriesSplit(3)
    scores = cross_validate(model, X, y, cv=cv)["test_score"]
    for fold, (_, test) in enumerate(cv.split(X)):
        changed_X, changed_y = X.copy(), y.copy()
        changed_X[test[-1] + 1 :] = 99.0
        changed_y[test[-1] + 1 :] = -99.0
        changed = cross_validate(model, changed_X, changed_y, cv=cv)["test_score"]
        assert_array_equal(changed[: fold + 1], scores[: fold + 1])


@pytest.mark.parametrize("stateful", [False, True], ids=["stateless", "stateful"])
@pytest.mark.parametrize("t", [0, 1, 7, 18])
def test_no_prediction_changes_when_later_rows_do(t, stateful, airline):
    X, y = (part.to_numpy() for part in airline)
    model = composed(stateful=stateful, batch_size=1 if stateful else 8).fit(X[:60], y[:60])
    future = X[60:80].copy()
    expected = model.predict(future)
    future[t + 1 :] = 99.0
    assert_array_equal(model.predict(future)[: t + 1], expected[: t + 1])


def test_a_test_fold_is_predicted_as_if_the_series_had_never_been_cut(airline):
    X, y = (part.to_numpy() for part in airline)
    model = composed().fit(X[:60], y[:60])
    np.testing.assert_allclose(model.predict(X[60:]), model.predict(X)[60:], rtol=1e-6)
