"""Windows that roll on by new rows are those of all rows."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from skl_lstm import KnownRowsRegressor, LookbackWindower, LSTMForecaster
from skl_lstm.compositions.rolling_windows import RollingWindows

RNG = np.random.default_rng(0)
ROWS = pd.DataFrame({"load": RNG.normal(size=60), "temp": RNG.normal(size=60)})
Y = RNG.normal(size=60)


def network(**parameters):
    settings = {"units": 3, "epochs": 1, "random_state": 0}
    return LSTMForecaster(**settings, **parameters)


def piped(look_back=5, last=None, **parameters):
    windower = LookbackWindower(look_back, padding="edge", **parameters)
    return make_pipeline(MinMaxScaler(), windower, network() if last is None else last)


MODELS = {
    "windows first": make_pipeline(LookbackWindower(4), network()),
    "one row": piped(1),
    "scaled": piped(),
    "linear": piped(last=LinearRegression()),
    "scaled windows": piped(last=make_pipeline(StandardScaler(), network())),
    "names kept": make_pipeline(
        StandardScaler().set_output(transform="pandas"),
        LookbackWindower(4),
        network(window_scaling="last", target="load"),
    ),
    "known rows": piped(last=KnownRowsRegressor(LinearRegression())),
    "target scaled": TransformedTargetRegressor(piped(), transformer=StandardScaler()),
    "search": GridSearchCV(piped(), {"lstmforecaster__units": [2]}, cv=TimeSeriesSplit(2)),
    "several": VotingRegressor([("short", piped(2)), ("long", piped(9))]),
}


@pytest.mark.parametrize("n_new", [1, 3, 7])
@pytest.mark.parametrize("name", MODELS)
def test_each_prediction_is_that_of_all_rows(name, n_new):
    model = MODELS[name].fit(ROWS[:40], Y[:40])
    rolling = RollingWindows.of(model)
    expected = model.predict(ROWS)
    origins = np.array([12, 20, 25])
    begun = rolling.beginning(origins).predict(ROWS[: origins.max() + 1])
    assert_allclose(begun, expected[origins], rtol=1e-5, atol=1e-6)
    for _ in range(3):
        new = [ROWS[origin + 1 : origin + 1 + n_new] for origin in origins]
        origins += n_new
        found = rolling.going_on().predict(pd.concat(new))
        assert_allclose(found, expected[origins], rtol=1e-5, atol=1e-6)
    assert_allclose(model.predict(ROWS), expected)


class Differences(TransformerMixin, BaseEstimator):
    """A user's transformer, which looks at other rows."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.diff(X, axis=0, prepend=np.asarray(X)[:1])


@pytest.mark.parametrize(
    "model",
    [
        LinearRegression(),
        network(),
        make_pipeline(LookbackWindower(2, padding="edge"), piped()),
        make_pipeline(Differences(), piped()),
        make_pipeline(FunctionTransformer(lambda rows: np.cumsum(rows, axis=0)), piped()),
        piped(last=network(stateful=True)),
        make_pipeline(
            LookbackWindower(2, padding="edge").set_output(transform="pandas"), LinearRegression()
        ),
    ],
)
def test_other_models_do_not_roll(model):
    assert RollingWindows.of(model.fit(ROWS.to_numpy()[:40], Y[:40])) is None
