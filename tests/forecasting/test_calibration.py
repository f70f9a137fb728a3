"""Clones that calibrate intervals are as many as pays, and the same however they are fitted."""

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from skl_lstm import LookbackWindower, LSTMForecaster, forecast_interval, make_supervised
from skl_lstm.forecasting.calibration import Calibration, ends
from skl_lstm.forecasting.panel_calibration import past_forecasts_of_all
from skl_lstm.forecasting.panel_origins import PanelData
from skl_lstm.forecasting.residual_scale import Scale

SERIES = pd.Series(np.random.default_rng(0).normal(size=80).cumsum())
X, Y = make_supervised(SERIES)


def fitted(regressor, look_back=3):
    return make_pipeline(LookbackWindower(look_back, padding="edge"), regressor).fit(X, Y)


def n_clones(model, n_rows, n_origins=300, **parameters):
    return len(Calibration(**parameters).stretches(model, n_rows, n_origins))


def test_a_cheap_model_gets_many_clones_and_one_of_more_work_fewer():
    linear = fitted(LinearRegression())
    assert n_clones(linear, 1_000) == 30
    assert n_clones(linear, 200_000) == 15
    assert n_clones(linear, 10_000_000) == 5
    assert n_clones(fitted(RandomForestRegressor(10, random_state=0)), 20_000) == 15
    search = GridSearchCV(
        linear, {"lookbackwindower__look_back": [1, 2, 3]}, cv=TimeSeriesSplit(3)
    )
    assert n_clones(search.fit(X, Y), 20_000) == 15  # of nine candidates, and the best again


def test_a_larger_network_gets_fewer_clones():
    small, large = (
        fitted(LSTMForecaster(units=units, epochs=2, random_state=0), look_back=12)
        for units in (2, 64)
    )
    assert n_clones(small, 50_000) == 29
    assert n_clones(large, 50_000) == 5


def test_clones_are_as_many_as_asked_for_and_no_more_than_origins():
    linear = fitted(LinearRegression())
    assert n_clones(linear, 1_000, refits=7) == 7
    assert n_clones(linear, 1_000, n_origins=20) == 20
    assert n_clones(linear, 1_000, n_origins=20, refits=99) == 20


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"refits": 0}, "refits must be a positive integer, got 0"),
        ({"refits": "few"}, "refits must be a positive integer, got 'few'"),
        ({"adaptive": 1}, "adaptive must be one of (True, False), got 1"),
        ({"adaptive": "yes"}, "adaptive must be one of (True, False), got 'yes'"),
        ({"symmetric": 0}, "symmetric must be one of (None, True, False), got 0"),
        ({"pooled": None}, "pooled must be one of (True, False), got None"),
        ({"verbose": 2}, "verbose must be one of (0, 1, False, True), got 2"),
    ],
)
def test_what_is_not_a_choice_is_refused(parameters, message):
    with pytest.raises(ValueError) as refused:
        forecast_interval(fitted(LinearRegression()), SERIES, 2, **parameters)
    assert str(refused.value) == message


def panel():
    return pd.concat({name: SERIES + i for i, name in enumerate("ab")}, names=["shop", "time"])


@pytest.mark.parametrize("of_several", [False, True], ids=["one series", "several"])
@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("backend", ["threading", "multiprocessing"])  # one by one, and at once
def test_clones_fitted_in_parallel_are_the_same(of_several, adaptive, backend):
    if of_several:
        series, given = panel().to_frame("sold"), {"group": "shop"}
        model = make_pipeline(LookbackWindower(3, padding="edge", **given), LinearRegression())
    else:
        series, given = SERIES, {}
        model = make_pipeline(LookbackWindower(3, padding="edge"), LinearRegression())
    model.fit(*make_supervised(series, **given))
    serial = forecast_interval(model, series, 3, refits=4, adaptive=adaptive)
    with joblib.parallel_config(backend=backend):
        parallel = forecast_interval(model, series, 3, refits=4, adaptive=adaptive, n_jobs=2)
    pd.testing.assert_frame_equal(parallel, serial)


@pytest.mark.slow
def test_clones_fitted_in_other_processes_are_the_same():
    network = fitted(LSTMForecaster(units=2, epochs=3, random_state=0))
    pd.testing.assert_frame_equal(
        forecast_interval(network, SERIES, 2, refits=3, n_jobs=2),
        forecast_interval(network, SERIES, 2, refits=3),
    )


@pytest.mark.parametrize("verbose", [0, False, 1, True])
@pytest.mark.parametrize("of_several", [False, True], ids=["one series", "several"])
def test_one_bar_over_the_clones_is_shown_apart_from_results(verbose, of_several, capsys):
    if of_several:
        series = panel().to_frame("sold")
        windows = LookbackWindower(3, padding="edge", group="shop")
        model = make_pipeline(windows, LinearRegression())
        model.fit(*make_supervised(series, group="shop"))
    else:
        series, model = SERIES, fitted(LinearRegression())
    capsys.readouterr()
    forecast_interval(model, series, 2, refits=4, verbose=verbose)
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert len(lines) == int(verbose)
    assert all(line.startswith("Clone 4/4 ████") for line in lines)


def test_many_forecasts_have_the_ends_that_each_has_alone():
    rng = np.random.default_rng(0)
    residuals, forecasts = rng.normal(size=(40, 3, 2)), rng.normal(size=(5, 3, 2))
    scale = Scale(np.arcsinh, np.sinh)
    for how in (Calibration(0.8), Calibration(0.8, adaptive=True)):
        lower, upper = ends(scale, forecasts, residuals, how)
        assert (lower <= forecasts).all()
        assert (upper >= forecasts).all()
        for i, alone in enumerate(forecasts):
            assert_allclose([lower[i], upper[i]], ends(scale, alone, residuals, how), rtol=1e-6)


def test_an_adaptive_interval_is_symmetric_unless_asked_otherwise():
    model = fitted(LinearRegression())
    adaptive = forecast_interval(model, SERIES, 2, adaptive=True)
    pd.testing.assert_frame_equal(
        adaptive, forecast_interval(model, SERIES, 2, adaptive=True, symmetric=True)
    )
    middle = (adaptive["lower"] + adaptive["upper"]) / 2
    assert_allclose(middle, adaptive["forecast"])
    sided = forecast_interval(model, SERIES, 2, adaptive=True, symmetric=False)
    assert not np.allclose((sided["lower"] + sided["upper"]) / 2, sided["forecast"])


def test_an_error_is_known_when_the_own_row_of_its_series_has_come():
    days = pd.date_range("2024-01-01", periods=120, name="day")
    values = np.random.default_rng(0).normal(size=120)
    series = {name: pd.Series(values[at::2], index=days[at::2]) for at, name in enumerate("ab")}
    table = pd.concat(series, names=["shop"]).to_frame("sold")
    model = make_pipeline(
        LookbackWindower(2, padding="edge", group="shop"), LinearRegression()
    ).fit(*make_supervised(table, group="shop"))
    names = {"target": ["sold"], "known": None, "static": None}
    data = PanelData.of(table, names, 1, "shop", None)
    how = Calibration(0.8, calibration=30, refits=2)
    truth, _, known_at = past_forecasts_of_all(model, data, 2, how)
    first = len(days) - 2 - 30
    there = ~np.isnan(truth[..., 0])
    assert there.mean() > 0.9
    assert_allclose(values[first + known_at[there]], truth[..., 0][there])
    # Every other day is of the other series, so that two steps take up to four days.
    assert known_at[0].tolist() == [[2, 4], [1, 3]]
