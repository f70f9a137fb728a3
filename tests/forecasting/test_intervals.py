"""Intervals are as wide as earlier forecasts were wrong, and cover what they promise."""

import math

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

from skl_lstm import (
    KnownRowsRegressor,
    LookbackWindower,
    LSTMForecaster,
    forecast,
    forecast_interval,
    load_airline_passengers,
    make_supervised,
)


def linear(look_back=12):
    return make_pipeline(LookbackWindower(look_back, padding="edge"), LinearRegression())


def network(look_back=12, **parameters):
    settings = {"units": 4, "epochs": 20, "learning_rate": 0.02, "random_state": 0}
    return TransformedTargetRegressor(
        make_pipeline(
            MinMaxScaler(),
            LookbackWindower(look_back),
            LSTMForecaster(**{**settings, **parameters}),
        ),
        transformer=MinMaxScaler(),
    )


def ends_by_loop(model, series, steps, stretches, rank):
    """Forecast from each row of each stretch by a clone fitted on what precedes the stretch."""
    residuals = []
    for stretch in stretches:
        refitted = clone(model).fit(*make_supervised(series[: stretch[0] + 1]))
        for origin in stretch:
            ahead = forecast(refitted, series[: origin + 1], steps)
            residuals.append(series.loc[ahead.index] - ahead)
    residuals = np.sort(residuals, axis=0)
    ahead = forecast(model, series, steps).to_numpy()
    return ahead + np.minimum(residuals[rank - 1], 0), ahead + np.maximum(residuals[-rank], 0)


@pytest.mark.parametrize(
    "model",
    [linear(), network(), network(3, stateful=True, batch_size=1)],
    ids=["linear", "network", "stateful"],
)
def test_widths_are_the_residuals_of_clones_that_had_not_seen_the_rows(model):
    series = load_airline_passengers()
    model.fit(*make_supervised(series))
    interval = forecast_interval(model, series, 4, coverage=0.8, calibration=12, refits=3)
    stretches = np.arange(128, 140).reshape(3, 4)  # the last four rows are ahead of the last
    lower, upper = ends_by_loop(model, series, 4, stretches, math.floor(13 * 0.1))
    assert list(interval.columns) == ["lower", "forecast", "upper"]
    pd.testing.assert_series_equal(
        interval["forecast"], forecast(model, series, 4), check_names=False
    )
    assert_allclose(interval["lower"], lower, rtol=1e-5)
    assert_allclose(interval["upper"], upper, rtol=1e-5)


def test_a_symmetric_interval_is_as_wide_as_the_sizes_of_the_errors():
    series = load_airline_passengers()
    model = linear().fit(*make_supervised(series))
    arguments = {"coverage": 0.8, "calibration": 12, "refits": 1}
    interval = forecast_interval(model, series, 2, symmetric=True, **arguments)
    clone_ = clone(model).fit(*make_supervised(series[:131]))
    for step in (1, 2):
        sizes = [
            abs(series.iloc[o + step] - forecast(clone_, series[: o + 1], 2).iloc[step - 1])
            for o in range(130, 142)
        ]
        width = np.sort(sizes)[math.ceil(13 * 0.8) - 1]
        row = interval.iloc[step - 1]
        assert_allclose([row["lower"], row["upper"]], row["forecast"] + np.array([-1, 1]) * width)


def test_half_of_the_rows_calibrate_unless_more_are_needed():
    series = load_airline_passengers()
    model = linear().fit(*make_supervised(series))
    by_itself = forecast_interval(model, series, 4)
    pd.testing.assert_frame_equal(by_itself, forecast_interval(model, series, 4, 0.9, 70))
    surer = forecast_interval(model, series, 4, 0.98)
    pd.testing.assert_frame_equal(surer, forecast_interval(model, series, 4, 0.98, 99))


def test_300_rows_of_a_long_history_calibrate():
    series = np.random.default_rng(0).normal(size=700)
    model = linear().fit(*make_supervised(series))
    pd.testing.assert_frame_equal(
        forecast_interval(model, series, 4), forecast_interval(model, series, 4, 0.9, 300)
    )


def test_more_refits_than_calibration_rows_are_a_clone_for_each_row():
    series = load_airline_passengers()
    model = linear().fit(*make_supervised(series))
    pd.testing.assert_frame_equal(
        forecast_interval(model, series, 2, calibration=20, refits=20),
        forecast_interval(model, series, 2, calibration=20, refits=99),
    )


def test_a_surer_interval_is_a_wider_one():
    series = load_airline_passengers()
    model = network().fit(*make_supervised(series))
    sure, surer = (forecast_interval(model, series, 6, coverage) for coverage in (0.8, 0.95))
    assert (surer["lower"] < sure["lower"]).all()
    assert (surer["upper"] > sure["upper"]).all()


def test_the_interval_has_the_units_of_the_data():
    series = load_airline_passengers()
    thousands = forecast_interval(linear().fit(*make_supervised(series)), series, 6)
    passengers = series * 1000
    single = forecast_interval(linear().fit(*make_supervised(passengers)), passengers, 6)
    assert_allclose(single, thousands * 1000)


@pytest.mark.slow
def test_it_covers_what_it_promises_where_rows_are_exchangeable():
    covered = []
    for seed in range(100):
        series = pd.Series(np.random.default_rng(seed).standard_t(3, size=62))
        model = linear(2).fit(*make_supervised(series[:60]))
        interval = forecast_interval(model, series[:60], 2, coverage=0.8, calibration=19, refits=2)
        covered.append(series[60:].between(interval["lower"], interval["upper"]))
    assert 0.75 < np.mean(covered) < 0.87


@pytest.fixture
def sales():
    """Two columns, of which the price of the day moves the other."""
    rng = np.random.default_rng(0)
    price = 5 + rng.normal(size=120)
    sold = 30 - 2 * price + 0.1 * rng.normal(size=120)
    days = pd.date_range("2024-01-01", periods=120, freq="D")
    return pd.DataFrame({"price": price, "sold": sold}, index=days)


def test_what_is_known_ahead_is_known_in_the_calibration_too(sales):
    history, future = sales[:110], sales.loc["2024-04-20":, ["price"]]
    model = linear(2).fit(*make_supervised(history, target="sold", known="price"))
    interval = forecast_interval(model, history, 10, future=future)
    assert_allclose(interval["forecast"], forecast(model, history, 10, future=future))
    assert_allclose(interval["forecast"], sales["sold"][110:], atol=0.5)
    by_hand = linear(1).fit(history[:-1], history["sold"][1:])
    with pytest.raises(ValueError, match=r"\['price'\] are of other times"):
        forecast_interval(by_hand, history, 10, future=future)
    widths = interval["upper"] - interval["lower"]
    assert widths.max() < 1.0  # the noise alone, where not knowing the price costs 6 and more


@pytest.mark.parametrize("horizon", [1, 3])
def test_several_columns_have_an_interval_each(horizon, sales):
    model = network(4, features_per_step=2).fit(*make_supervised(sales, horizon=horizon))
    both = {"target": ["price", "sold"]}
    interval = forecast_interval(model, sales, 5, **both)
    assert interval.columns.tolist() == [
        (name, end) for name in ("price", "sold") for end in ("lower", "forecast", "upper")
    ]
    pd.testing.assert_frame_equal(
        interval.xs("forecast", axis=1, level=1), forecast(model, sales, 5, **both)
    )
    assert (interval["sold", "lower"] < interval["sold", "upper"]).all()


def test_the_clones_of_a_direct_model_have_not_seen_the_rows_either(monkeypatch):
    series = load_airline_passengers()
    model = linear().fit(*make_supervised(series, horizon=3))
    fitted_on = []
    fit = LinearRegression.fit
    monkeypatch.setattr(
        LinearRegression, "fit", lambda self, X, y: fitted_on.append(y) or fit(self, X, y)
    )
    forecast_interval(model, series, 4, calibration=20, refits=2)
    assert [y.to_numpy()[-1, -1] for y in fitted_on] == [series.iloc[120], series.iloc[130]]


@pytest.mark.parametrize("coverage", [0, 1, 1.5, -0.1, "0.9", None, float("nan")])
def test_coverage_must_lie_between_0_and_1(coverage):
    series = load_airline_passengers()
    model = linear().fit(*make_supervised(series))
    with pytest.raises(ValueError, match=r"^coverage must be a number in \(0, 1\), got "):
        forecast_interval(model, series, 2, coverage)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps must be a positive integer, got 0"),
        ({"steps": 2.5}, "steps must be a positive integer, got 2.5"),
        ({"refits": 0}, "refits must be a positive integer, got 0"),
        ({"calibration": 0}, "calibration must be a positive integer, got 0"),
        ({"calibration": 18}, "calibration must be at least 19 for coverage=0.9, got 18"),
        (
            {"calibration": 38, "coverage": 0.95},
            "calibration must be at least 39 for coverage=0.95, got 38",
        ),
        (
            {"calibration": 131},
            "history must have at least 145 rows for calibration=131, steps=2 and windows of "
            "12, got 144",
        ),
        (
            {"coverage": 0.999},
            "history must have at least 2013 rows for calibration=1999, steps=2 and windows of "
            "12, got 144",
        ),
    ],
)
def test_what_cannot_be_calibrated_is_refused(arguments, message):
    series = load_airline_passengers()
    model = linear().fit(*make_supervised(series))
    with pytest.raises(ValueError) as refused:
        forecast_interval(model, series, **{"steps": 2, **arguments})
    assert str(refused.value) == message


def test_the_longest_calibration_leaves_one_row_to_fit_on():
    series = load_airline_passengers()
    model = linear().fit(*make_supervised(series))
    assert len(forecast_interval(model, series, 2, calibration=130)) == 2


def test_residuals_that_are_not_known_are_left_out():
    series = load_airline_passengers().astype(float)
    known = forecast_interval(
        gap_model(3).fit(*make_supervised(series)), series, 2, calibration=60, refits=2
    )
    series.iloc[[95, 110]] = np.nan
    model = gap_model(3).fit(*make_supervised(series))
    interval = forecast_interval(model, series, 2, calibration=60, refits=2)
    assert interval.notna().all(axis=None)
    assert_allclose(interval, known, rtol=0.1)
    series.iloc[130] = np.nan
    with pytest.raises(
        ValueError,
        match=r"^calibration must leave at least 19 known errors at step 1 for coverage=0\.9, got "
        r"15 because of gaps, or a short history$",
    ):
        forecast_interval(model, series, 2, calibration=19, refits=1)


def gap_model(look_back):
    return make_pipeline(LookbackWindower(look_back), KnownRowsRegressor(LinearRegression()))


def skewed(n_rows=400):
    """A positive series, mostly small and at times large."""
    return pd.Series(np.random.default_rng(0).lognormal(0, 1, n_rows))


def test_an_interval_is_wider_on_the_side_of_the_larger_errors():
    series = skewed()
    model = linear(3).fit(*make_supervised(series))
    interval = forecast_interval(model, series, 3)
    above, below = (
        interval["upper"] - interval["forecast"],
        interval["forecast"] - interval["lower"],
    )
    assert (above > 2 * below).all()


def test_an_interval_of_a_transformed_target_has_its_range():
    series = skewed()
    model = TransformedTargetRegressor(
        make_pipeline(FunctionTransformer(np.log), linear(3)), func=np.log, inverse_func=np.exp
    ).fit(*make_supervised(series))
    interval = forecast_interval(model, series, 3)
    assert (interval["lower"] > 0).all()
    truth = np.quantile(series, [0.05, 0.95])
    assert_allclose(interval[["lower", "upper"]], [truth] * 3, rtol=0.4)


@pytest.mark.parametrize("horizon", [2, 3])
def test_an_affine_transformer_of_the_target_changes_nothing(horizon):
    series = load_airline_passengers().astype(float)
    plain = linear(6)
    scaled = TransformedTargetRegressor(plain, transformer=MinMaxScaler())
    intervals = [
        forecast_interval(model.fit(*make_supervised(series, horizon=horizon)), series, 4)
        for model in (plain, scaled)
    ]
    assert_allclose(*intervals)


def test_only_a_fitted_regressor_is_taken():
    with pytest.raises(NotFittedError):
        forecast_interval(linear(), np.arange(40.0), 1)
    with pytest.raises(ValueError, match=r"^model must be a regressor, got LogisticRegression$"):
        forecast_interval(LogisticRegression(), np.arange(40.0), 1)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_a_learned_quantile_covers_its_share_of_the_training_rows(quantile):
    X, y = make_supervised(load_airline_passengers())
    whole = {"epochs": 1000, "batch_size": 144, "learning_rate": 0.003, "random_state": 3}
    model = network(loss="pinball", quantile=quantile, **whole).fit(X, y)
    below = (y <= model.predict(X))[11:]  # the rows with complete windows
    assert below.mean() == pytest.approx(quantile, abs=0.04)


@pytest.mark.filterwarnings("ignore::UserWarning:mapie")
def test_mapie_takes_the_forecaster_as_it_is():
    """Its EnbPI resamples rows, so the windows are made before."""
    regression = pytest.importorskip("mapie.regression")
    subsample = pytest.importorskip("mapie.subsample")
    X, y = make_supervised(load_airline_passengers())
    windows, y = LookbackWindower(12).fit_transform(X)[11:], y.to_numpy()[11:]
    train, test = slice(None, -24), slice(-24, None)
    forecaster = TransformedTargetRegressor(
        make_pipeline(
            MinMaxScaler(),
            LSTMForecaster(units=4, epochs=60, learning_rate=0.02, random_state=0),
        ),
        transformer=MinMaxScaler(),
    )
    resampled = subsample.BlockBootstrap(n_resamplings=8, length=24, random_state=0)
    model = regression.TimeSeriesRegressor(forecaster, method="enbpi", cv=resampled)
    model.fit(windows[train], y[train])
    middle, interval = model.predict(windows[test], confidence_level=0.9, ensemble=True)
    lower, upper = interval[:, 0, 0], interval[:, 1, 0]
    assert (lower < middle).all()
    assert (middle < upper).all()
    assert np.mean((lower <= y[test]) & (y[test] <= upper)) > 0.5
    model.update(windows[test], y[test], ensemble=True)
    _, later = model.predict(windows[test], confidence_level=0.9, ensemble=True)
    assert not np.array_equal(later, interval)


@pytest.mark.parametrize("symmetric", [False, True])
def test_an_end_does_not_turn_round_where_the_scale_ends(symmetric):
    counts = pd.Series(np.random.default_rng(0).poisson(0.6, 120).astype(float))
    model = TransformedTargetRegressor(linear(3), func=np.sqrt, inverse_func=np.square)
    interval = forecast_interval(
        model.fit(*make_supervised(counts)), counts, 2, symmetric=symmetric
    )
    assert_allclose(interval["lower"], 0.0, atol=0.01)
    assert (interval["upper"] > 1.0).all()


def variance_change(n_rows=300, at=220):
    """A series without memory whose spread triples."""
    sizes = np.repeat([1.0, 3.0], [at, n_rows - at])
    return pd.Series(sizes * np.random.default_rng(0).normal(size=n_rows))


def test_an_adaptive_interval_follows_a_series_that_changes():
    series = variance_change()
    model = linear(3).fit(*make_supervised(series))
    weighs_all = forecast_interval(model, series, 3, refits=5, symmetric=True)
    follows = forecast_interval(model, series, 3, refits=5, adaptive=True)
    pd.testing.assert_series_equal(follows["forecast"], weighs_all["forecast"])
    width = {"all": weighs_all, "last": follows}
    width = {name: (each["upper"] - each["lower"]).mean() / 2 for name, each in width.items()}
    right = 3 * 1.645
    assert abs(width["last"] - right) < abs(width["all"] - right)


def test_an_adaptive_interval_leaves_out_what_is_not_known():
    series = variance_change()
    series.iloc[[200, 255, 270]] = np.nan
    model = gap_model(3).fit(*make_supervised(series))
    assert forecast_interval(model, series, 3, adaptive=True).notna().all(axis=None)


@pytest.mark.parametrize("symmetric", [None, False])
def test_an_adaptive_interval_of_several_columns(symmetric, sales):
    model = linear(4).fit(*make_supervised(sales, horizon=3))
    both = {"target": ["price", "sold"], "adaptive": True, "symmetric": symmetric}
    interval = forecast_interval(model, sales, 5, **both)
    for name in ("price", "sold"):
        assert (interval[name, "lower"] < interval[name, "forecast"]).all()
        assert (interval[name, "forecast"] < interval[name, "upper"]).all()


def test_an_adaptive_interval_of_a_transformed_target_has_its_range():
    series = skewed()
    model = TransformedTargetRegressor(
        make_pipeline(FunctionTransformer(np.log), linear(3)), func=np.log, inverse_func=np.exp
    ).fit(*make_supervised(series))
    interval = forecast_interval(model, series, 3, adaptive=True)
    assert (interval["lower"] > 0).all()
    assert_allclose(  # as far in logarithms
        interval["upper"] / interval["forecast"], interval["forecast"] / interval["lower"]
    )


@pytest.mark.parametrize("pooled", [False, True])
def test_an_adaptive_interval_of_several_series(pooled):
    calm = pd.Series(np.random.default_rng(1).normal(size=300))
    series = {"calm": calm, "rough": variance_change(), "same": variance_change()}
    table = pd.concat(series, names=["name", "time"]).to_frame("value")
    model = make_pipeline(LookbackWindower(3, padding="edge", group="name"), LinearRegression())
    model.fit(*make_supervised(table, group="name"))
    given = {"refits": 5, "adaptive": True, "pooled": pooled}
    interval = forecast_interval(model, table, 2, **given)
    width = (interval["upper"] - interval["lower"]).groupby("name").mean()
    assert width["rough"] == pytest.approx(width["same"])
    assert width["rough"] > 1.3 * width["calm"]
