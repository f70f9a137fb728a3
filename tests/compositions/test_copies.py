"""A copy of a composition predicts with another part, and shares the rest."""

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skl_lstm import KnownRowsRegressor
from skl_lstm.compositions.copies import copy_around, copy_with

X = np.arange(40.0)[:, np.newaxis]
Y = np.sin(X[:, 0])


class Turned(LinearRegression):
    """A linear regression that predicts the opposite."""

    def predict(self, X):
        return -super().predict(X)


def turned(part):
    if type(part) is not LinearRegression:
        return None
    other = Turned()
    vars(other).update(vars(part))
    return other


MODELS = {
    "itself": LinearRegression(),
    "pipeline": make_pipeline(StandardScaler(), LinearRegression()),
    "pipeline in a pipeline": make_pipeline(
        StandardScaler(), make_pipeline(FunctionTransformer(), LinearRegression())
    ),
    "target": TransformedTargetRegressor(LinearRegression(), transformer=StandardScaler()),
    "vote": VotingRegressor([("a", LinearRegression()), ("b", LinearRegression())]),
    "known rows": KnownRowsRegressor(LinearRegression()),
    "search": GridSearchCV(
        make_pipeline(StandardScaler(), LinearRegression()),
        {"linearregression__fit_intercept": [True, False]},
        cv=2,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_only_the_part_that_predicts_changes(name):
    model = MODELS[name].fit(X, Y)
    before, predicted = dict(vars(model)), model.predict(X)
    other = copy_around(model, turned, found=True)
    changed = -predicted
    if name == "target":  # opposite in units of the transformed target
        changed = 2 * model.transformer_.mean_ - predicted
    np.testing.assert_allclose(other.predict(X), changed)
    assert getattr(other, "found", False) == (name != "itself")
    assert vars(model) == before
    np.testing.assert_array_equal(model.predict(X), predicted)


def test_there_is_none_without_the_part_or_around_what_may_do_anything():
    class Passing(TransformedTargetRegressor):
        """A regressor of another package."""

    Passing.__module__ = "elsewhere"
    for model in (
        make_pipeline(StandardScaler(), VotingRegressor([("a", LinearRegression())])),
        Passing(LinearRegression()),
        make_pipeline(LinearRegression(), "passthrough"),
    ):
        fitted = model if "passthrough" in str(model) else model.fit(X, Y)
        assert copy_around(fitted, turned, through_votes=False) is None


def test_a_copy_has_other_attributes_and_shares_the_rest():
    model = LinearRegression().fit(X, Y)
    other = copy_with(model, intercept_=7.0)
    assert other.intercept_ == 7.0 != model.intercept_
    assert other.coef_ is model.coef_
