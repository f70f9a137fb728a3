"""Natural mistakes give the right answer, or an error or a warning that names the cause."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skl_lstm import (
    KnownRowsRegressor,
    LookbackWindower,
    LSTMForecaster,
    SeriesWarning,
    backtest,
    forecast,
    forecast_interval,
    make_supervised,
)


def hourly(n_rows=400):
    rng = np.random.default_rng(0)
    hours = pd.date_range("2024-01-01", periods=n_rows, freq="h", name="time")
    frame = pd.DataFrame({"load": np.sin(np.arange(n_rows) / 4)}, index=hours)
    return frame.assign(
        temp=rng.normal(size=n_rows), hour=hours.hour / 24, workday=hours.day_of_week < 5
    )


def linear(look_back=24):
    return make_pipeline(LookbackWindower(look_back, padding="edge"), LinearRegression())


def network(**parameters):
    settings = {"units": 4, "epochs": 2, "random_state": 0}
    return LSTMForecaster(**{**settings, **parameters})


@pytest.mark.parametrize(
    "model", [linear(), make_pipeline(LookbackWindower(24), network())], ids=["linear", "network"]
)
def test_y_that_is_not_shifted_is_noticed_in_fit(model):
    frame = hourly()[["load", "temp"]]
    with pytest.warns(SeriesWarning, match="^y equals column 'load' of the same row of X, not of"):
        model.fit(frame, frame["load"])


def test_y_that_is_not_shifted_is_noticed_in_forecast_and_backtest():
    frame = hourly()[["load"]]
    model = LinearRegression().fit(frame, frame["load"])
    with pytest.warns(SeriesWarning, match="^the model predicts for each row its own value of"):
        forecast(model, frame, 3)
    with pytest.warns(SeriesWarning, match="^the model predicts for each row its own value of"):
        forecast_interval(model, frame, 3)
    with pytest.raises(ValueError, match=r"^y must hold what follows each row of X"):
        backtest(linear(), frame, frame["load"])


@pytest.mark.parametrize("horizon", [1, 14])
def test_a_price_of_the_day_acts_on_its_day(horizon):
    price = np.random.default_rng(0).uniform(4, 6, 214)
    days = pd.date_range("2024-01-01", periods=214)
    shop = pd.DataFrame({"price": price, "sold": 40 - 4 * price}, index=days)
    names = {"target": "sold", "known": ["price"]}
    model = make_pipeline(LookbackWindower(14), KnownRowsRegressor())
    model.fit(*make_supervised(shop[:200], **names, horizon=horizon))
    ahead = forecast(model, shop[:200], 14, **names, future=shop[200:])
    assert_allclose(ahead, shop["sold"][200:], rtol=0, atol=1e-8)
    interval = forecast_interval(model, shop[:200], 14, **names, future=shop[200:])
    assert_allclose(interval["upper"] - interval["lower"], 0, atol=1e-8)
    tested = backtest(model, shop, cv=2, steps=14, **names, horizon=horizon)
    assert_allclose(tested.summary.loc["model"][["MAE", "RMSE"]], 0, atol=1e-8)


def test_a_price_that_is_not_led_by_hand_is_refused_where_it_can_be_seen():
    price = np.random.default_rng(0).uniform(4, 6, 214)
    shop = pd.DataFrame({"sold": 40 - 4 * price, "price": price})
    model = linear(7).fit(shop[:199], shop["sold"][1:200])
    with pytest.raises(ValueError, match=r"\['price'\] are of other times"):
        forecast(model, shop[:200], 14, target="sold", future=shop[200:][["price"]])


def test_rows_that_do_not_follow_get_no_lags_of_others():
    frame = hourly()[["load"]]
    X, y = make_supervised(frame)
    model = make_pipeline(LookbackWindower(24), network()).fit(X[:200], y[:200])
    with pytest.warns(
        SeriesWarning, match="^X begins at 2024-01-13 12:00:00, which does not foll"
    ):
        windows = model[0].transform(X[300:310])
    assert np.isnan(windows[0, :-1]).all()
    with pytest.warns(SeriesWarning, match="which does not follow the rows seen in fit"):
        late = model.predict(X[300 - 23 : 310])[-10:]
    whole = make_pipeline(LookbackWindower(24), network()).fit(X, y)
    whole[-1].weights_ = model[-1].weights_
    assert_allclose(late, whole.predict(X)[300:310])


@pytest.mark.parametrize(
    "order", [np.arange(200)[::-1], np.random.default_rng(0).permutation(200)]
)
def test_rows_out_of_order_are_refused(order):
    X, y = make_supervised(hourly()[["load"]])
    with pytest.raises(ValueError, match=r"^X must have an index that increases from row to row"):
        make_pipeline(LookbackWindower(24), network()).fit(X.iloc[order], y.iloc[order])


def test_a_long_table_of_shops_is_refused():
    days = pd.date_range("2024-01-01", periods=50)
    table = pd.DataFrame(
        {"shop": np.repeat(["a", "b"], 50), "day": np.tile(days, 2), "sold": np.arange(100.0)}
    )
    levels = table.set_index(["shop", "day"])
    X, y = levels[:-1], levels["sold"][1:]
    fitted = linear(3).fit(*make_supervised(levels.xs("a")))
    for refused in (
        lambda: LookbackWindower(3).fit(levels),
        lambda: make_supervised(levels),
        lambda: forecast(fitted, levels, 3),
        lambda: backtest(linear(3), levels),
        lambda: backtest(linear(3), X, y),
    ):
        with pytest.raises(ValueError, match="must be one series, indexed by its times, got an"):
            refused()
    with pytest.raises(
        ValueError, match=r"^X must have one row for each time, got 2024-01-01 twice; name"
    ):
        LookbackWindower(3).fit(table.set_index("day")[["sold"]])
    with pytest.raises(ValueError, match="column 'shop' holds values such as 'a'"):
        LookbackWindower(3).fit(table.drop(columns="day"))


def test_the_number_of_columns_need_not_be_said():
    names = {"target": "load", "known": ["hour", "workday"]}
    X, y = make_supervised(hourly(), **names)
    model = make_pipeline(LookbackWindower(24), network()).fit(X, y)
    assert model[-1].window_shape_ == (24, 4)
    frame = hourly().assign(day=["Mon", "Tue", "Wed", "Thu"] * 100)
    encoder = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["day"]), remainder="passthrough"
    )
    behind = make_pipeline(encoder, LookbackWindower(24), network())
    behind.fit(*make_supervised(frame, target="load"))
    assert behind[-1].window_shape_ == (24, 8)
    search = GridSearchCV(
        make_pipeline(LookbackWindower(), network()),
        {"lookbackwindower__look_back": [1, 5]},
        cv=TimeSeriesSplit(2),
        error_score="raise",
    )
    assert search.fit(X, y).best_estimator_[-1].window_shape_[1] == 4


def test_a_number_of_columns_that_contradicts_the_windows_is_refused():
    X, y = make_supervised(hourly(), target="load")
    model = make_pipeline(LookbackWindower(24), network(features_per_step=1))
    with pytest.raises(
        ValueError,
        match=r"^features_per_step must be 4 or 'auto', because X holds windows of the columns "
        r"\['load', 'temp', 'hour', 'workday'\], got 1$",
    ):
        model.fit(X, y)


def test_windows_beside_other_columns_are_no_time_steps():
    X, y = make_supervised(hourly(), target="load")
    joined = make_column_transformer((LookbackWindower(3), ["load"]), remainder="passthrough")
    with pytest.raises(
        ValueError,
        match=r"^X must have the same columns at each lag, with all columns of a time step side "
        r"by side, oldest first, but it joins windows with other columns; put LookbackWindower "
        r"after what joins them, or set reshape_mode='features' and window_scaling=None$",
    ):
        make_pipeline(joined, network()).fit(X, y)
    model = make_pipeline(joined, network(reshape_mode="features")).fit(X, y)
    assert model[-1].network_.n_features == 6


def test_the_target_is_known_by_its_name():
    X, y = make_supervised(hourly(), target="load")
    scaled = {"window_scaling": "last"}
    model = make_pipeline(LookbackWindower(24), network(**scaled)).fit(X[["temp", "load"]], y)
    assert model[-1].window_scaling_.columns == (1,)
    named = make_pipeline(LookbackWindower(24), network(**scaled, target="load"))
    assert_array_equal(named.fit(X, y).predict(X).shape, (399,))
    other = make_pipeline(LookbackWindower(24), network(**scaled, target="temp"))
    with pytest.raises(
        ValueError, match=r"^target must be \['load'\], the columns that y continues, got 'temp'$"
    ):
        other.fit(X, y)
    _, both = make_supervised(hourly(), target=["load", "temp"])
    with pytest.raises(
        ValueError,
        match=r"^target must be \['load', 'temp'\], the columns that y continues, got 'load'$",
    ):
        named.fit(X, both)


def test_right_use_is_met_in_silence():
    frame = hourly()
    names = {"target": "load", "known": ["hour", "workday"]}
    past, future = frame[:-24].drop(columns="temp"), frame[-24:]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        X, y = make_supervised(past, **names)
        model = make_pipeline(LookbackWindower(24), network(window_scaling="last"))
        model.fit(X[:300], y[:300]).score(X[300:], y[300:])
        model.predict(X)
        model.fit(X, y)
        forecast(model, past, 24, **names, future=future)
        forecast_interval(model, past, 24, **names, future=future, refits=2)
        backtest(model, past, cv=TimeSeriesSplit(2), steps=12, **names)
        GridSearchCV(model, {"lstmforecaster__units": [2]}, cv=TimeSeriesSplit(2)).fit(X, y)
