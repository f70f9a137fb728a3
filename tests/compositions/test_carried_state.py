"""A stateful model that goes on from its state predicts as from all rows, of each origin."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from skl_lstm import KnownRowsRegressor, LookbackWindower, LSTMForecaster
from skl_lstm.compositions.carried_state import CarriedState

ROWS = np.sin(np.arange(41.0) ** 1.5)[:, np.newaxis]
X, Y = ROWS[:-1], ROWS[1:, 0]


def network(**parameters):
    settings = {"units": 3, "epochs": 1, "stateful": True, "batch_size": 1, "random_state": 0}
    return LSTMForecaster(**{**settings, **parameters})


def piped(look_back=3, **parameters):
    windower = LookbackWindower(look_back, context="none")
    return make_pipeline(MinMaxScaler(), windower, network(**parameters))


def target_scaled(regressor):
    return TransformedTargetRegressor(regressor, transformer=StandardScaler())


class OwnForecaster(LSTMForecaster):
    """A user's subclass, which may predict otherwise."""


class OwnPipeline(Pipeline):
    """A user's subclass, which may predict otherwise."""


class Around(RegressorMixin, BaseEstimator):
    """A user's estimator, which may look at any rows."""

    def fit(self, X, y):
        self.regressor_ = piped().fit(X, y)
        return self

    def predict(self, X):
        return self.regressor_.predict(X)


MODELS = {
    "network": (network(), 1),
    "two layers": (network(units=(3, 2)), 1),
    "pipeline": (piped(), 3),
    "windows of windows": (make_pipeline(LookbackWindower(2, context="none"), piped()), 4),
    "scaled windows": (
        make_pipeline(LookbackWindower(3, context="none"), StandardScaler(), network()),
        3,
    ),
    "DataFrames": (piped().set_output(transform="pandas"), 3),
    "known rows": (
        make_pipeline(LookbackWindower(3, context="none"), KnownRowsRegressor(network())),
        3,
    ),
    "target": (target_scaled(piped()), 3),
    "target inside": (make_pipeline(MinMaxScaler(), target_scaled(piped())), 3),
    "search": (
        GridSearchCV(
            target_scaled(piped()),
            {"regressor__lookbackwindower__look_back": [4]},
            cv=TimeSeriesSplit(2),
        ),
        4,
    ),
    "vote": (VotingRegressor([("a", piped(2)), ("b", target_scaled(piped(4)))]), 1 + 1 + 3),
}


@pytest.mark.parametrize("name", MODELS)
def test_each_prediction_is_that_of_all_rows_until_then(name):
    model, reach = MODELS[name]
    expected = model.fit(X, Y).predict(ROWS)
    before = dict(vars(model))
    carried = CarriedState.of(model)
    assert carried.reach == reach
    origins = np.array([20, 10, 12])
    assert_array_equal(carried.beginning(origins).predict(ROWS[:21]), expected[origins])
    ends = origins
    for n_new in (1, 3, 1):
        ends = ends + n_new
        rows = [ROWS[end + 1 - (reach - 1 + n_new) : end + 1] for end in ends]
        found = carried.going_on(n_new).predict(np.concatenate(rows))
        assert_array_equal(found, expected[ends])
    assert vars(model) == before
    assert_array_equal(model.predict(ROWS), expected)


def test_rows_that_were_read_and_have_changed_are_noticed():
    carried = CarriedState.of(piped().fit(X, Y))
    carried.beginning(np.array([10, 15])).predict(ROWS[:16])
    carried.going_on(1).predict(np.concatenate([ROWS[9:12], ROWS[14:17]]))
    for number, end in enumerate([11, 16]):
        carried.comparing(number).predict(ROWS[: end + 1])
        assert carried.agrees
        for row in (0, 5, end):
            changed = ROWS[: end + 1].copy()
            changed[row] += 0.01
            carried.comparing(number).predict(changed)
            assert not carried.agrees


def test_a_missing_value_is_the_same_only_where_it_is_missing():
    rows = ROWS[:12].copy()
    rows[5] = np.nan
    carried = CarriedState.of(piped().fit(X, Y))
    carried.beginning(np.array([11])).predict(rows)
    carried.comparing(0).predict(rows)
    assert carried.agrees
    carried.comparing(0).predict(ROWS[:12])
    assert not carried.agrees


@pytest.mark.parametrize(
    "model",
    [
        LinearRegression(),
        piped(stateful=False),
        make_pipeline(FunctionTransformer(lambda X: X[:1] + X), piped()),
        OwnForecaster(stateful=True, batch_size=1, epochs=1),
        OwnPipeline(piped().steps),
        Around(),
        VotingRegressor([("a", piped()), ("b", LinearRegression())]),
    ],
    ids=[
        "no network",
        "not stateful",
        "function",
        "class of ones own",
        "pipeline of ones own",
        "around it",
        "beside it",
    ],
)
def test_other_models_carry_no_state(model):
    assert CarriedState.of(model.fit(X, Y)) is None
