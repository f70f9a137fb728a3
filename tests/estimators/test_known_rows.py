"""Rows with an unknown target are left out of training, but not of the windows."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import (
    KnownRowsRegressor,
    LookbackWindower,
    LSTMForecaster,
    forecast,
    load_airline_passengers,
    load_model,
    make_supervised,
    save_model,
)


class Recorder(LinearRegression):
    """Keeps what it was fitted on."""

    def fit(self, X, y, sample_weight=None):
        self.X_, self.y_, self.weight_ = np.array(X), np.array(y), sample_weight
        return super().fit(X, y, sample_weight)


@pytest.fixture
def gap():
    series = load_airline_passengers() / 100
    series.iloc[50:53] = np.nan
    return series


def behind_windows(regressor, look_back=12):
    return make_pipeline(LookbackWindower(look_back), regressor)


def test_rows_with_a_missing_lag_or_target_are_left_out(gap):
    X, y = make_supervised(gap)
    model = behind_windows(KnownRowsRegressor(Recorder()), 3).fit(X, y)
    windows = LookbackWindower(3).fit_transform(X)
    known = ~np.isnan(windows).any(axis=1) & y.notna().to_numpy()
    assert_array_equal(model[-1].regressor_.X_, windows[known])
    assert_array_equal(model[-1].regressor_.y_, y[known])
    predictions = model.predict(X)
    assert_array_equal(np.isnan(predictions), np.isnan(windows).any(axis=1))


def test_a_series_with_a_gap_goes_through_the_forecaster_itself(gap):
    X, y = make_supervised(gap)
    model = behind_windows(LSTMForecaster(epochs=2, random_state=0), 3)
    known = y.notna().to_numpy() & ~np.isnan(LookbackWindower(3).fit_transform(X)).any(axis=1)
    weight = known.astype(float)
    alone = behind_windows(LSTMForecaster(epochs=2, random_state=0), 3)
    alone.steps[0] = ("windows", "passthrough")
    windows = np.asarray(LookbackWindower(3).fit_transform(X))
    for one, other in zip(
        model.fit(X, y)[-1].weights_,
        alone.fit(windows[known], y[known])[-1].weights_,
        strict=True,
    ):
        assert_array_equal(one, other)
    assert weight.sum() == len(y[known])
    assert np.isfinite(model.score(X, y))


def test_a_target_transformer_and_a_search_take_a_series_with_a_gap(gap):
    X, y = make_supervised(gap)
    transformed = TransformedTargetRegressor(Ridge(), transformer=MinMaxScaler())
    with pytest.raises(ValueError, match="Input y contains NaN"):
        transformed.fit(X, y)
    model = behind_windows(KnownRowsRegressor(transformed))
    search = GridSearchCV(
        model, {"lookbackwindower__look_back": [3, 12]}, cv=TimeSeriesSplit(3), error_score="raise"
    ).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert forecast(search, gap, 6).notna().all()


def test_the_forecaster_in_a_search_takes_a_series_with_a_gap(gap):
    X, y = make_supervised(gap)
    model = behind_windows(LSTMForecaster(epochs=2, window_scaling="last", random_state=0))
    scores = cross_val_score(model, X, y, cv=TimeSeriesSplit(3), error_score="raise")
    assert np.isfinite(scores).all()


def test_the_last_rows_are_left_out_but_remain_lags_of_the_test_fold():
    series = load_airline_passengers().astype(float)
    horizon = 6
    X, y = make_supervised(series, horizon=horizon)
    train, test = next(TimeSeriesSplit(3, test_size=12).split(X))
    model = behind_windows(KnownRowsRegressor(Recorder(), horizon=horizon))
    model.fit(X.iloc[train], y.iloc[train])
    assert_array_equal(model[-1].regressor_.y_, y.iloc[train[11 : len(train) - horizon + 1]])
    assert model[-1].regressor_.y_.max() <= series[: test[0] + 1].max()
    windows = LookbackWindower(12).fit_transform(X)
    assert_array_equal(model[0].transform(X.iloc[test]), windows[test])


def test_no_target_of_a_test_fold_changes_what_a_search_learns():
    series = load_airline_passengers().astype(float)
    for train, test in TimeSeriesSplit(4).split(series[6:]):
        changed = series.copy()
        changed.iloc[test[0] + 1 :] = 0.0
        coefficients = [
            behind_windows(KnownRowsRegressor(horizon=6), 3)
            .fit(*(part.iloc[train] for part in make_supervised(each, horizon=6)))[-1]
            .regressor_.coef_
            for each in (series, changed)
        ]
        assert_array_equal(*coefficients)


def test_a_regressor_that_takes_missing_lags_gets_them(gap):
    X, y = make_supervised(gap)
    trees = HistGradientBoostingRegressor(max_iter=5)
    model = behind_windows(KnownRowsRegressor(trees)).fit(X, y)
    known = y.notna().to_numpy()
    windows = np.asarray(LookbackWindower(12).fit_transform(X))
    expected = clone(trees).fit(windows[known], y[known])
    assert_array_equal(model.predict(X), expected.predict(windows))


def test_weights_are_cut_to_the_same_rows(gap):
    X, y = make_supervised(gap)
    weight = np.arange(len(y), dtype=float)
    model = behind_windows(KnownRowsRegressor(Recorder()), 1)
    model.fit(X, y, knownrowsregressor__sample_weight=weight)
    known = (X.notna().all(axis=1) & y.notna()).to_numpy()
    assert_array_equal(model[-1].regressor_.weight_, weight[known])


def test_a_linear_regression_is_the_default():
    X, y = make_supervised(load_airline_passengers())
    assert_allclose(
        KnownRowsRegressor().fit(X, y).predict(X), LinearRegression().fit(X, y).predict(X)
    )


def test_the_score_leaves_unknown_targets_out():
    X, y = np.arange(20.0)[:, np.newaxis], np.arange(20.0) ** 2
    model = KnownRowsRegressor().fit(X, y)
    gap = np.where(np.arange(20) == 7, np.nan, y)
    keep = np.arange(20) != 7
    assert model.score(X, gap) == LinearRegression().fit(X, y).score(X[keep], y[keep])
    weight = np.arange(20.0)
    assert model.score(X, gap, weight) == model.regressor_.score(X[keep], y[keep], weight[keep])


@pytest.mark.parametrize(
    ("parameters", "y", "message"),
    [
        ({"horizon": 0}, np.ones(5), "^horizon must be a positive integer, got 0$"),
        (
            {"horizon": 6},
            np.ones(5),
            "^y must be known for at least one row with a complete window that is not among the "
            "last horizon - 1 = 5, got none in n_samples=5$",
        ),
        ({}, np.full(5, np.nan), "got none in n_samples=5$"),
        ({}, None, "requires y to be passed, but the target y is None"),
        ({}, np.ones(4), "inconsistent numbers of samples"),
    ],
)
def test_what_leaves_nothing_to_learn_is_refused(parameters, y, message):
    with pytest.raises(ValueError, match=message):
        KnownRowsRegressor(**parameters).fit(np.arange(5.0)[:, np.newaxis], y)


@pytest.mark.needs("skops")
def test_a_pipeline_with_it_is_saved_without_pickle(tmp_path, gap):
    model = behind_windows(KnownRowsRegressor(Ridge(), horizon=2)).fit(*make_supervised(gap))
    save_model(model, tmp_path / "model.skops")
    again = load_model(tmp_path / "model.skops")
    pd.testing.assert_series_equal(forecast(again, gap, 3), forecast(model, gap, 3))


def test_a_windower_inside_is_refused():
    model = KnownRowsRegressor(behind_windows(LinearRegression()))
    with pytest.raises(
        ValueError,
        match=r"^regressor must not hold a LookbackWindower, which needs all rows: put it before "
        r"KnownRowsRegressor$",
    ):
        model.fit(np.arange(30.0)[:, np.newaxis], np.arange(30.0))
