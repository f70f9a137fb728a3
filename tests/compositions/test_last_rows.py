"""A model of the last row of each series predicts what the model predicts for that row."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl_lstm import KnownRowsRegressor, LookbackWindower, SeriesScaledRegressor, make_supervised
from skl_lstm.compositions.last_rows import of_last_rows


def table():
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=20, name="day")
    frames = {s: pd.DataFrame({"v": rng.random(20) + i}, index=days) for i, s in enumerate("cab")}
    return pd.concat(frames, names=["shop", "day"])


def pipeline(*behind):
    return make_pipeline(
        LookbackWindower(3, padding="edge", group="shop"), *behind, LinearRegression()
    )


MODELS = {
    "pipeline": pipeline(),
    "scaled windows": pipeline(StandardScaler()),
    "known rows": make_pipeline(LookbackWindower(3, group="shop"), KnownRowsRegressor()),
    "target": TransformedTargetRegressor(pipeline(), transformer=StandardScaler()),
    "series": SeriesScaledRegressor(pipeline(), group="shop"),
    "search": GridSearchCV(pipeline(), {"linearregression__fit_intercept": [True, False]}, cv=2),
    "vote": VotingRegressor([("a", pipeline()), ("b", pipeline(StandardScaler()))]),
    "all": SeriesScaledRegressor(TransformedTargetRegressor(pipeline()), group="shop"),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore::skl_lstm.SeriesWarning")
def test_it_predicts_the_last_row_of_each_series(name):
    X, y = make_supervised(table(), group="shop")
    model = MODELS[name].fit(X, y)
    later = table().groupby("shop").tail(6).sort_index(level="day", sort_remaining=False)
    expected = model.predict(later)
    before = dict(vars(model))
    found = of_last_rows(model).predict(later)
    assert_allclose(found, expected[-3:])
    assert vars(model) == before
    assert_array_equal(model.predict(later), expected)


def test_other_models_have_none():
    X, y = make_supervised(table(), group="shop")
    assert of_last_rows(LinearRegression().fit(X, y)) is None
    framed = pipeline()
    framed[0].set_output(transform="pandas")
    assert of_last_rows(framed.fit(X, y)) is None
    with sklearn.config_context(transform_output="pandas"):
        assert of_last_rows(pipeline().fit(X, y)) is None
    single = make_pipeline(LookbackWindower(3, padding="edge"), LinearRegression())
    assert of_last_rows(single.fit(X.to_numpy(), y.to_numpy())) is None
