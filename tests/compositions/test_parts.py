"""Each part of a composed model is found once, and says how far a prediction looks back."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import StackingRegressor, VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Lasso, LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

from skl_lstm import LookbackWindower, LSTMForecaster
from skl_lstm.compositions.parts import look_back, parts, reach, trained_part

X = np.arange(40.0)[:, np.newaxis]
Y = np.sin(X[:, 0])


class Around(TransformerMixin, BaseEstimator):
    """An estimator of no package, which holds anything."""

    def __init__(self, held=None):
        self.held = held

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X


def doubled(values):
    return 2 * values


def windows(n_rows):
    return LookbackWindower(n_rows, padding="edge")


def lstm(**parameters):
    return LSTMForecaster(**{"units": 2, "epochs": 1, "random_state": 0, **parameters})


def piped(**parameters):
    return make_pipeline(MinMaxScaler(), windows(3), lstm(**parameters))


RIDGE, LASSO, LINE, SCALER, TARGET_SCALER = (
    Ridge(),
    Lasso(),
    LinearRegression(),
    MinMaxScaler(),
    MinMaxScaler(),
)
PIPELINE = Pipeline([("scale", SCALER), ("nothing", "passthrough"), ("ridge", RIDGE)])
TARGET = TransformedTargetRegressor(PIPELINE, transformer=TARGET_SCALER)
COMPOSED = {
    "alone": (RIDGE, []),
    "pipeline": (PIPELINE, [SCALER, RIDGE]),
    "target": (TARGET, [PIPELINE, SCALER, RIDGE, TARGET_SCALER]),
    "search": (
        GridSearchCV(TARGET, {"regressor__ridge": [RIDGE, LASSO]}),
        [TARGET, PIPELINE, SCALER, RIDGE, TARGET_SCALER, LASSO],
    ),
    "stacking": (
        StackingRegressor([("a", PIPELINE), ("b", LASSO)], final_estimator=LINE),
        [PIPELINE, SCALER, RIDGE, LASSO, LINE],
    ),
    "voting": (VotingRegressor([("a", RIDGE), ("again", RIDGE), ("b", LASSO)]), [RIDGE, LASSO]),
}


def same(found, expected):
    """Whether these are those objects, each once, in whatever order."""
    return sorted(map(id, found)) == sorted(map(id, expected))


@pytest.mark.parametrize("name", COMPOSED)
def test_each_estimator_of_a_composition_is_found_once(name):
    model, inside = COMPOSED[name]
    assert same(parts(model), [model, *inside])


@pytest.mark.parametrize(
    "held",
    [
        {"a": RIDGE, "b": {"c": LASSO}},
        [RIDGE, ("name", LASSO, 0)],
        np.array([RIDGE, None, LASSO], dtype=object),
        {"a": [np.array([[RIDGE], [LASSO]], dtype=object)], "b": (RIDGE,)},
    ],
    ids=["dict", "list", "object array", "one in the other"],
)
def test_estimators_are_found_in_whatever_holds_them(held):
    model = Around(held)
    assert same(parts(model), [model, RIDGE, LASSO])


def test_what_holds_itself_is_gone_through_once():
    one, other, ring = Around(), Around(), [RIDGE]
    one.held, other.held = other, [one, ring]
    ring.append(ring)
    assert same(parts(one), [one, other, RIDGE])


def test_a_class_of_estimators_is_no_part():
    model = Around([Ridge, "fit", 3.0, None])
    assert same(parts(model), [model])


def test_templates_are_passed_over_where_what_was_fitted_is_there():
    inner = make_pipeline(MinMaxScaler(), Ridge())
    model = TransformedTargetRegressor(inner, transformer=MinMaxScaler()).fit(X, Y)
    fitted = [model, model.regressor_, *model.regressor_, model.transformer_]
    assert same(parts(model, fitted=True), fitted)
    assert same(parts(model), [*fitted, inner, *inner, model.transformer])


def test_what_was_fitted_itself_is_no_template():
    model = make_pipeline(MinMaxScaler(), Ridge()).fit(X, Y)
    assert same(parts(model, fitted=True), [model, *model])


def test_the_lstm_of_a_search_is_that_of_its_best_model():
    model = TransformedTargetRegressor(piped(), transformer=MinMaxScaler())
    grid = {"regressor__lookbackwindower__look_back": [2, 3]}
    search = GridSearchCV(model, grid, cv=2).fit(X, Y)
    assert trained_part(search) is search.best_estimator_.regressor_[-1]


def test_an_lstm_fitted_before_it_became_a_template_is_not_the_one_trained():
    template = piped().fit(X, Y)
    model = TransformedTargetRegressor(template, transformer=MinMaxScaler()).fit(X, Y)
    assert trained_part(model) is model.regressor_[-1]
    assert trained_part(model) is not template[-1]


def test_a_model_without_an_lstm_is_told_so():
    model = make_pipeline(MinMaxScaler(), Ridge()).fit(X, Y)
    message = "^estimator must hold one LSTM estimator, got Pipeline that holds none$"
    with pytest.raises(ValueError, match=message):
        trained_part(model)


def test_a_model_of_two_lstms_is_told_so():
    model = VotingRegressor([("a", lstm()), ("b", lstm())]).fit(X, Y)
    message = "^estimator must hold one LSTM estimator, got VotingRegressor that holds 2$"
    with pytest.raises(ValueError, match=message):
        trained_part(model)


def test_an_unfitted_model_has_no_trained_part():
    with pytest.raises(NotFittedError):
        trained_part(piped())


@pytest.mark.parametrize(
    ("model", "n_rows"),
    [
        (Ridge(), 1),
        (make_pipeline(windows(3), Ridge()), 3),
        (make_pipeline(windows(3), windows(4), Ridge()), 1 + 2 + 3),
        (piped(), 3),
        (make_pipeline(FunctionTransformer(np.log1p, np.expm1), windows(3), Ridge()), 3),
        (make_pipeline(FunctionTransformer(), Ridge()), 1),
        (make_pipeline(windows(3), FunctionTransformer(np.asarray), Ridge()), 3),
    ],
    ids=[
        "none",
        "windows",
        "windows of windows",
        "network",
        "logarithms",
        "identity",
        "as an array",
    ],
)
def test_a_prediction_reaches_over_all_windows_one_before_the_other(model, n_rows):
    assert reach(model.fit(X, Y)) == n_rows


def test_windows_of_a_template_that_was_fitted_itself_count_once():
    template = make_pipeline(windows(3), Ridge()).fit(X, Y)
    model = TransformedTargetRegressor(template, transformer=MinMaxScaler()).fit(X, Y)
    assert reach(model) == 3


@pytest.mark.parametrize(
    "model",
    [
        piped(stateful=True, batch_size=1),
        make_pipeline(FunctionTransformer(doubled), windows(3), Ridge()),
        make_pipeline(FunctionTransformer(None, doubled, check_inverse=False), Ridge()),
        make_pipeline(Around(), windows(3), Ridge()),
    ],
    ids=["stateful network", "function", "inverse function", "class of ones own"],
)
def test_where_any_row_may_count_the_reach_is_not_known(model):
    assert reach(model.fit(X, Y)) is None


@pytest.mark.parametrize(
    ("model", "n_rows"),
    [
        (Ridge(), 1),
        (make_pipeline(windows(3), windows(4), Ridge()), 4),
        (piped(stateful=True, batch_size=1), 3),
        (TransformedTargetRegressor(make_pipeline(windows(5), Ridge())), 5),
    ],
    ids=["none", "windows of windows", "stateful network", "target"],
)
def test_look_back_is_that_of_the_longest_window(model, n_rows):
    assert look_back(model.fit(X, Y)) == n_rows


class OwnForecaster(LSTMForecaster):
    """A user's subclass."""


class OwnWindower(LookbackWindower):
    """A user's subclass, whose windows may be of more rows than it says."""


class Wrapper(BaseEstimator):
    """A user's estimator: one fitted part has an underscore, the other has none."""

    def fit(self, X, y):
        self.scaler_ = MinMaxScaler().fit(X)
        self.model = make_pipeline(windows(12), Ridge()).fit(X, y)
        return self

    def predict(self, X):
        return self.model.predict(X)


def test_a_forecaster_of_ones_own_reaches_as_far_as_its_base():
    model = make_pipeline(windows(3), OwnForecaster(units=2, epochs=1)).fit(X, Y)
    assert reach(model) == 3


def test_a_windower_of_ones_own_may_reach_further_and_is_known_by_its_windows():
    model = make_pipeline(OwnWindower(3, padding="edge"), Ridge()).fit(X, Y)
    assert reach(model) is None
    assert look_back(model) == 3


def test_parts_without_an_underscore_count_beside_those_with_one():
    model = Wrapper().fit(X, Y)
    assert look_back(model) == 12
    assert same(parts(model, fitted=True), [model, model.scaler_, model.model, *model.model])
