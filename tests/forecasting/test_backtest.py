"""A backtest forecasts from each origin with what was known there, and measures it by step."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from models import beside
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import mean_absolute_error, root_mean_squared_error
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import (
    KnownRowsRegressor,
    LookbackWindower,
    LSTMForecaster,
    SeriesWarning,
    backtest,
    forecast,
    load_airline_passengers,
    make_supervised,
)

SPLITS = TimeSeriesSplit(3)
FORECASTS = ["forecast", "naive", "seasonal_naive", "scale"]


def linear(look_back=12):
    return make_pipeline(LookbackWindower(look_back, padding="edge"), LinearRegression())


def network(**parameters):
    return TransformedTargetRegressor(
        make_pipeline(
            MinMaxScaler(),
            LookbackWindower(3),
            LSTMForecaster(units=3, epochs=3, random_state=0, **parameters),
        ),
        transformer=MinMaxScaler(),
    )


@pytest.fixture
def series():
    return load_airline_passengers()


def test_each_fold_is_forecast_by_a_model_of_its_training_rows(series):
    X, y = make_supervised(series)
    frame = beside(backtest(network(), X, y, cv=SPLITS, steps=6))
    columns = ["model", "fold", "origin", "step", "time", "truth", "forecast", "scale"]
    assert list(frame.columns) == [*columns, "rms_scale", "naive", "seasonal_naive"]
    for fold, (train, test) in enumerate(SPLITS.split(X)):
        rows = frame[frame["fold"] == fold]
        model = network().fit(X.iloc[train], y.iloc[train])
        history = series[: test[0] + 1]
        ahead = forecast(model, history, 6)
        assert_array_equal(rows["step"], range(1, 7))
        assert_array_equal(rows["time"], ahead.index)
        assert_array_equal(rows["truth"], series[ahead.index])
        assert_allclose(rows["forecast"], ahead, rtol=1e-6)
        assert_array_equal(rows["naive"], [history.iloc[-1]] * 6)
        assert_array_equal(rows["seasonal_naive"], history[-12:-6])
        changes = X.iloc[train].diff(12)
        assert_allclose(rows["scale"], changes.abs().mean().item())
        assert_allclose(rows["rms_scale"], (changes**2).mean().item() ** 0.5)
        assert (rows["origin"] == history.index[-1]).all()


def test_the_summary_measures_each_model_over_all_steps_and_by_step(series):
    result = backtest(linear(), *make_supervised(series), cv=SPLITS, steps=4)
    frame, summary = result.frame, result.summary
    assert list(summary.columns) == ["MAE", "RMSE", "sMAPE", "MASE", "RMSSE"]
    steps = ["all", 1, 2, 3, 4]
    models = ["model", "naive", "seasonal_naive"]
    assert list(summary.index) == [(model, step) for model in models for step in steps]
    assert summary.index.names == ["model", "step"]
    for (model, step), measures in summary.iterrows():
        rows = frame[(frame["model"] == model) & ((frame["step"] == step) | (step == "all"))]
        truth, found = rows["truth"], rows["forecast"]
        assert measures["RMSE"] == pytest.approx(root_mean_squared_error(truth, found))
        assert measures["MAE"] == pytest.approx(mean_absolute_error(truth, found))
        relative = (truth - found).abs() / ((truth.abs() + found.abs()) / 2)
        assert measures["sMAPE"] == pytest.approx(100 * relative.mean())
        assert measures["MASE"] == pytest.approx(((truth - found).abs() / rows["scale"]).mean())
        squared = ((truth - found) / rows["rms_scale"]) ** 2
        assert measures["RMSSE"] == pytest.approx(squared.mean() ** 0.5)


def test_a_forecast_that_is_right_measures_nothing():
    X, y = make_supervised(np.zeros(40))
    summary = backtest(linear(2), X, y, cv=SPLITS).summary
    assert_array_equal(summary[["RMSE", "MAE", "sMAPE"]], 0.0)
    assert summary[["MASE", "RMSSE"]].isna().all(axis=None)  # no error to compare with


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize(
    "model",
    [linear(), network(), network(stateful=True, batch_size=1)],
    ids=["linear", "network", "stateful"],
)
def test_no_forecast_changes_when_data_after_its_origin_changes(model, horizon, series):
    rows = series.to_numpy(dtype=float).copy()
    cv, learned = {"cv": SPLITS, "steps": 6}, make_supervised(rows, horizon=horizon)
    expected = beside(backtest(model, *learned, **cv))
    for fold, (_, test) in enumerate(SPLITS.split(rows[:-horizon])):
        changed = rows.copy()
        changed[test[0] + 1 :] = 1000.0 + np.arange(len(rows) - test[0] - 1) ** 2
        found = beside(backtest(model, *make_supervised(changed, horizon=horizon), **cv))
        same = expected["fold"] <= fold
        pd.testing.assert_frame_equal(found.loc[same, FORECASTS], expected.loc[same, FORECASTS])
        assert (found.loc[same, "truth"] != expected.loc[same, "truth"])[-6:].all()


def test_training_rows_whose_target_lies_beyond_the_origin_are_left_out(series, monkeypatch):
    X, y = make_supervised(series, horizon=3)
    last_learned = []
    fit = LinearRegression.fit
    monkeypatch.setattr(
        LinearRegression,
        "fit",
        lambda self, X, y: last_learned.append(np.asarray(y)[-1, -1]) or fit(self, X, y),
    )
    frame = beside(backtest(linear(), X, y, cv=SPLITS, steps=6))
    assert_array_equal(last_learned, frame.loc[frame["step"] == 1, "naive"])


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [2, -1])
def test_folds_in_parallel_give_the_same(n_jobs, series):
    X, y = make_supervised(series)
    alone = backtest(network(), X, y, cv=SPLITS, steps=6)
    side_by_side = backtest(network(), X, y, cv=SPLITS, steps=6, n_jobs=n_jobs)
    pd.testing.assert_frame_equal(side_by_side.frame, alone.frame)
    pd.testing.assert_frame_equal(side_by_side.summary, alone.summary)


def test_steps_are_the_test_rows_unless_given_and_end_with_the_series(series):
    X, y = make_supervised(series)
    by_itself = beside(backtest(linear(), X, y, cv=TimeSeriesSplit(3, test_size=10)))
    assert_array_equal(by_itself.groupby("fold").size(), [10, 10, 10])
    overlapping = beside(backtest(linear(), X, y, cv=TimeSeriesSplit(14, test_size=1), steps=12))
    assert_array_equal(overlapping.groupby("fold").size(), [12] * 3 + list(range(11, 0, -1)))
    assert (overlapping.groupby("fold")["time"].last()[2:] == series.index[-1]).all()


def test_five_splits_unless_given(series):
    X, y = make_supervised(series)
    pd.testing.assert_frame_equal(
        backtest(linear(), X, y).frame, backtest(linear(), X, y, cv=TimeSeriesSplit(5)).frame
    )


@pytest.mark.parametrize(
    "kind", [list, iter, lambda splits: [(list(a), list(b)) for a, b in splits]]
)
def test_splits_are_taken_as_they_are_and_a_number_is_of_splits_in_time(kind, series):
    X, y = make_supervised(series)
    expected = backtest(linear(), X, y, cv=SPLITS).frame
    found = backtest(linear(), X, y, cv=kind(SPLITS.split(X))).frame
    pd.testing.assert_frame_equal(found, expected)
    pd.testing.assert_frame_equal(backtest(linear(), X, y, cv=3).frame, expected)


def test_a_gap_and_a_limit_of_the_splitter_are_kept(series):
    X, y = make_supervised(series)
    splits = TimeSeriesSplit(3, gap=5, max_train_size=40, test_size=12)
    frame = beside(backtest(linear(), X, y, cv=splits, steps=3))
    for fold, (train, test) in enumerate(splits.split(X)):
        model = linear().fit(X.iloc[train], y.iloc[train])
        ahead = forecast(model, series[: test[0] + 1], 3)
        assert_allclose(frame.loc[frame["fold"] == fold, "forecast"], ahead)


@pytest.mark.parametrize("season", [1, 5])
def test_a_season_comes_round_and_scales(season, series):
    X, y = make_supervised(series)
    frame = beside(backtest(linear(), X, y, cv=SPLITS, steps=8, season=season))
    for fold, (train, test) in enumerate(SPLITS.split(X)):
        rows = frame[frame["fold"] == fold]
        last = series.iloc[test[0] + 1 - season : test[0] + 1]
        assert_array_equal(rows["seasonal_naive"], np.resize(last, 8))
        assert_allclose(rows["scale"], X.iloc[train].diff(season).abs().mean().item())


@pytest.fixture
def sales():
    rng = np.random.default_rng(0)
    price = 5 + rng.normal(size=90)
    frame = pd.DataFrame({"price": price, "weekday": np.arange(90) % 7})
    frame["sold"] = 30 - 2 * np.roll(price, 1)
    frame["visitors"] = 2 * frame["sold"] + rng.normal(size=90)
    return frame.set_axis(pd.date_range("2024-01-01", periods=90, freq="D"))


def test_columns_known_ahead_are_known_after_the_origin(sales):
    rows = sales[["price", "sold", "weekday"]].assign(sold=30 - 2 * sales["price"])
    names = {"target": "sold", "known": ["weekday", "price"]}
    frame = beside(backtest(linear(2), rows, cv=SPLITS, **names))
    assert_allclose(frame["forecast"], frame["truth"])
    assert not np.allclose(frame["naive"], frame["truth"])
    of_rows = backtest(linear(2), *make_supervised(rows, **names), cv=SPLITS, known=names["known"])
    pd.testing.assert_frame_equal(beside(of_rows), frame)


def test_columns_known_up_to_now_serve_a_direct_model(sales):
    names = {"target": "sold", "horizon": 3}
    frame = beside(backtest(linear(2), sales, cv=SPLITS, steps=3, **names))
    for fold, (_, test) in enumerate(SPLITS.split(sales[:-3])):
        history = sales[: test[0] + 1]
        model = linear(2).fit(*make_supervised(history, **names))
        assert_allclose(frame.loc[frame["fold"] == fold, "forecast"], forecast(model, history, 3))


def test_a_horizon_other_than_that_of_y_is_refused(series):
    X, y = make_supervised(series, horizon=3)
    with pytest.raises(ValueError, match=r"^horizon must be that of y, 3, got 2$"):
        backtest(linear(), X, y, cv=SPLITS, horizon=2)


def test_several_columns_have_a_row_and_measures_each(sales):
    both = sales[["sold", "visitors"]]
    result = backtest(linear(7), *make_supervised(both), cv=SPLITS, steps=2)
    frame, summary = beside(result), result.summary
    assert list(frame["column"]) == ["sold", "visitors"] * 6
    for name in both:
        rows = frame[frame["column"] == name]
        assert_array_equal(rows["truth"], both.loc[rows["time"], name])
    assert summary.index.names == ["model", "column", "step"]
    ahead = forecast(linear(7).fit(*make_supervised(both[:68])), both[:68], 2)
    assert_allclose(frame.loc[frame["fold"] == 2, "forecast"], ahead.to_numpy().ravel())


def test_arrays_are_numbered(series):
    X, y = make_supervised(series.to_numpy())
    frame = beside(backtest(network(), X, y, cv=SPLITS, steps=2, season=12))
    assert_array_equal(frame["time"], [39, 40, 74, 75, 109, 110])
    dated = beside(backtest(network(), *make_supervised(series), cv=SPLITS, steps=2))
    assert_allclose(frame["forecast"], dated["forecast"])


def test_the_model_stays_unfitted_and_the_data_as_they_were(series):
    X, y = make_supervised(series)
    before, model = X.copy(), linear()
    backtest(model, X, y, cv=SPLITS)
    assert not hasattr(model[-1], "coef_")
    pd.testing.assert_frame_equal(X, before)


def test_dates_with_holes_want_a_frequency(series):
    X, y = make_supervised(series.drop(series.index[50]), freq="rows")
    with pytest.raises(ValueError, match=r"^X must have a row for 1953-03-01, as "):
        backtest(linear(), X, y, cv=SPLITS)
    with pytest.warns(SeriesWarning, match="^X lacks a row for 1953-03-01, as its frequency MS"):
        assert len(backtest(linear(), X, y, cv=SPLITS, steps=2, freq="MS").frame) == 18
    model = linear().set_params(lookbackwindower__freq="rows")
    assert len(backtest(model, X, y, cv=SPLITS, steps=2, freq="MS").frame) == 18


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps must be a positive integer, got 0"),
        ({"steps": 2.5}, "steps must be a positive integer, got 2.5"),
        ({"season": 0}, "season must be a positive integer, got 0"),
        (
            {"season": 35},
            "season=35 needs more training rows, got 35 in fold 0; set fewer splits, or season=1",
        ),
        (
            {"known": ["price"]},
            "known must name columns of X, ['passengers'], got ['price']",
        ),
        (
            {"known": "passengers"},
            "known must not name target columns, got ['passengers']",
        ),
        (
            {"cv": KFold(3)},
            "cv must put the test rows of a fold after its training rows, got row 142 to learn "
            "from and row 0 to test in fold 0",
        ),
        ({"cv": 1}, "cv must be an integer of at least 2, got 1"),
        *[
            (
                {"cv": cv},
                f"cv must be a splitter, a number of splits or an iterable of splits, got {cv!r}",
            )
            for cv in ("five", 2.5)
        ],
        ({"models": LogisticRegression()}, "models must be a regressor, got LogisticRegression"),
    ],
)
def test_what_cannot_be_tested_is_refused(arguments, message, series):
    X, y = make_supervised(series)
    settings = {"models": linear(), "cv": TimeSeriesSplit(3, test_size=36), **arguments}
    with pytest.raises(ValueError) as refused:
        backtest(settings.pop("models"), X, y, **settings)
    assert str(refused.value) == message


@pytest.mark.parametrize("ahead", [0, 2])
def test_y_of_another_row_is_found_however_slowly_the_series_moves(ahead):
    slow = 1e6 + 2.0 * np.arange(60)
    with pytest.raises(ValueError, match=r"^y must hold what follows each row of X, .* at 0 it"):
        backtest(linear(), slow[:50], slow[ahead : 50 + ahead])


@pytest.mark.parametrize("kinds", [("f4", "f8"), ("f8", "f4"), ("i8", "f4"), ("i8", "f8")])
def test_y_may_be_of_another_precision_than_X(kinds):
    values = np.round(np.random.default_rng(0).normal(size=(60, 1)) * 1e9)
    X, y = values[:-1].astype(kinds[0]), values[1:, 0].astype(kinds[1])
    assert len(backtest(linear(), X, y, cv=SPLITS, steps=2).frame) == 18


@pytest.mark.parametrize("kind", [lambda v: Decimal(int(v)), str, lambda v: bool(v > 300)])
def test_numbers_of_any_type_are_tested(kind, series):
    values = series.map(kind).astype(object)
    plain = values.astype(float) if kind is not str else series.astype(float)
    frames = [backtest(linear(3), each, cv=SPLITS, steps=3).frame for each in (values, plain)]
    pd.testing.assert_frame_equal(*frames)


def test_what_are_no_numbers_is_refused(series):
    X, y = make_supervised(series)
    with pytest.raises(ValueError, match=r"^y must hold numbers: could not convert string to"):
        backtest(linear(3), X, y.map(lambda v: f"about {v}"), cv=SPLITS)


def test_a_gap_in_X_is_one_in_y(series):
    X, y = make_supervised(series.where(series.index != "1960-01-01"))
    assert len(backtest(linear(), X, y, cv=SPLITS, steps=2).frame) == 18
    with pytest.raises(ValueError, match=r"^y must hold .* at 1959-12-01 00:00:00 it does not$"):
        backtest(linear(), X, y.fillna(0.0), cv=SPLITS, steps=2)


def test_a_gap_is_left_out_of_the_measures(series):
    series = series.astype(float)
    series.iloc[[60, 75, 76]] = np.nan
    model = make_pipeline(LookbackWindower(3, fill_missing="forward"), KnownRowsRegressor())
    result = backtest(model, series, cv=SPLITS, steps=3)
    frame, summary = beside(result), result.summary
    unknown = frame["time"].isin(series.index[[60, 75, 76]])
    assert unknown.sum() == 2
    assert_array_equal(frame["truth"].isna(), unknown)
    assert frame.drop(columns="truth").notna().all(axis=None)
    assert summary.notna().all(axis=None)
    first = frame[(frame["step"] == 1)]
    errors = (first["truth"] - first["forecast"]).abs().dropna()
    assert summary.loc[("model", 1), "MAE"] == pytest.approx(errors.mean())


def test_y_must_be_what_follows(series):
    X, y = make_supervised(series)
    with pytest.raises(ValueError) as refused:
        backtest(linear(), X, y.shift(-1).fillna(0.0))
    assert str(refused.value) == (
        "y must hold what follows each row of X, as make_supervised makes it, but at "
        "1949-01-01 00:00:00 it does not"
    )
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        backtest(linear(), X, y[:-1])
    wider = X.assign(price=1.0)
    plain = pd.DataFrame(wider.to_numpy(), wider.index, wider.columns)
    with pytest.raises(ValueError) as refused:
        backtest(linear(), plain, y.to_numpy())
    assert str(refused.value) == (
        "target must name the columns of X that y holds, got y of 1 columns for "
        "['passengers', 'price']"
    )
    with pytest.raises(ValueError) as refused:
        backtest(linear(), wider, y, steps=2)
    assert str(refused.value) == (
        "steps must be at most horizon=1, because ['price'] are not known ahead, got 2; set "
        "a longer horizon, or name these columns in known if they are"
    )
    assert len(backtest(linear(), wider, y, cv=SPLITS, steps=1, known="price").frame) == 9
