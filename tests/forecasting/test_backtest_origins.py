"""Origins, fits and models of a backtest: which row learns, forecasts and is forecast."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from models import beside
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from skl_lstm import (
    LookbackWindower,
    LSTMForecaster,
    PanelTimeSeriesSplit,
    SeriesWarning,
    backtest,
    forecast,
    forecast_interval,
    load_airline_passengers,
    make_supervised,
)

SEEN = ["forecast", "naive", "seasonal_naive", "scale", "rms_scale"]
REFITS = [True, False, 1, 2, 5]


def linear(look_back=3, group=None):
    windower = LookbackWindower(look_back, padding="edge", group=group)
    return make_pipeline(windower, LinearRegression())


def network(**parameters):
    lstm = LSTMForecaster(units=3, epochs=2, window_scaling="last", random_state=0)
    return make_pipeline(LookbackWindower(3), lstm.set_params(**parameters))


@pytest.fixture
def series():
    return load_airline_passengers()


def by_hand(model, series, origins, steps, refit=True, n_learned=None, horizon=1):
    """Forecast from each origin, the position of the last known row, one after the other."""
    found = []
    for i, origin in enumerate(origins):
        if refit is True or i == 0 or (refit is not False and i % refit == 0):
            first = 0 if n_learned is None else origin - n_learned
            fitted = clone(model).fit(
                *make_supervised(series[first : origin + 1], horizon=horizon)
            )
        found.append(forecast(fitted, series[: origin + 1], steps))
    return pd.concat(found)


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("refit", REFITS)
def test_a_number_is_of_origins_a_stride_apart(refit, horizon, series):
    options = {"cv": 6, "steps": 4, "stride": 3, "horizon": horizon}
    result = backtest(linear(), series, refit=refit, **options)
    origins = len(series) - 5 - 3 * np.arange(6)[::-1]
    expected = by_hand(linear(), series, origins, 4, refit, horizon=horizon)
    frame = beside(result)
    assert_array_equal(frame["origin"], series.index[origins].repeat(4))
    assert_array_equal(frame["time"], expected.index)
    assert_array_equal(frame["truth"], series[expected.index])
    assert_allclose(frame["forecast"], expected)
    assert_array_equal(frame["naive"], series.iloc[origins.repeat(4)])
    a_year_before = expected.index - pd.DateOffset(years=1)
    assert_array_equal(frame["seasonal_naive"], series[a_year_before])
    assert_array_equal(frame["fold"], np.arange(6).repeat(4))
    assert frame["time"].iloc[-1] == series.index[-1]


@pytest.mark.parametrize("refit", REFITS)
def test_the_last_rows_alone_are_learned_from_if_the_window_slides(refit, series):
    options = {"cv": 6, "steps": 4, "stride": 3, "window": "sliding"}
    found = beside(backtest(linear(), series, refit=refit, **options))["forecast"]
    origins = len(series) - 5 - 3 * np.arange(6)[::-1]
    assert_allclose(found, by_hand(linear(), series, origins, 4, refit, n_learned=origins[0]))


@pytest.mark.parametrize("horizon", [1, 3])
def test_the_last_origin_has_what_is_known_ahead_of_all_its_steps(horizon):
    rng = np.random.default_rng(0)
    price = rng.normal(size=60)
    days = pd.date_range("2024-01-01", periods=60)
    rows = pd.DataFrame({"sold": 9 - price + rng.normal(size=60), "price": price}, index=days)
    names = {"target": "sold", "known": "price"}
    options = {"cv": 3, "steps": 4, "stride": 1, "horizon": horizon}
    frame = beside(backtest(linear(), rows, **names, **options))
    origins = frame["origin"].unique()
    # In blocks of three, the price of six days is read.
    assert origins[-1] == days[-5 if horizon == 1 else -7]
    for origin in origins:
        before = rows[:origin]
        fitted = linear().fit(*make_supervised(before, **names, horizon=horizon))
        ahead = forecast(fitted, before, 4, future=rows[["price"]], **names)
        assert_allclose(frame.loc[frame["origin"] == origin, "forecast"], ahead)


@pytest.mark.parametrize("refit", REFITS)
@pytest.mark.parametrize("gap", [0, 4])
def test_the_test_rows_of_a_fold_hold_origins_a_stride_apart(refit, gap, series):
    splits = TimeSeriesSplit(2, test_size=12, gap=gap)
    result = backtest(linear(), series, cv=splits, steps=4, stride=5, refit=refit)
    frame = beside(result)
    X = series[:-1]
    origins = np.concatenate([test[[0, 5, 10]] for _, test in splits.split(X)])
    origins = origins[origins <= len(series) - 5]
    assert len(origins) == 5  # the last of them has too few rows after it
    assert_array_equal(frame["origin"], series.index[origins].repeat(4))
    assert_array_equal(frame["fold"], np.repeat([0, 0, 0, 1, 1], 4))
    expected = []
    for i, origin in enumerate(origins):
        if refit is True or i == 0 or (refit is not False and i % refit == 0):
            rows = series[: origin - gap + 1]
            fitted = linear().fit(*make_supervised(rows))
        expected.append(forecast(fitted, series[: origin + 1], 4))
    assert_allclose(frame["forecast"], pd.concat(expected))


def test_steps_are_the_stride_unless_given(series):
    assert beside(backtest(linear(), series, cv=3, stride=4))["step"].max() == 4
    splits = TimeSeriesSplit(2, test_size=12)
    assert beside(backtest(linear(), series, cv=splits, stride=6))["step"].max() == 6
    assert backtest(linear(), series, stride=4).frame["fold"].nunique() == 5


@pytest.mark.parametrize("refit", REFITS)
def test_a_model_is_fitted_as_often_as_asked(refit, series, monkeypatch):
    n_learned = []
    fit = LinearRegression.fit
    monkeypatch.setattr(
        LinearRegression,
        "fit",
        lambda self, X, y: n_learned.append(len(y)) or fit(self, X, y),
    )
    backtest(linear(), series, cv=6, steps=4, stride=3, refit=refit)
    first = len(series) - 5 - 15
    every = {True: 1, False: 6}.get(refit, refit)
    assert n_learned == [first + 3 * i for i in range(6)][:: 1 if refit is True else every]


NETWORKS = {
    "network": network(),
    "stateful": network(stateful=True, batch_size=1, window_scaling=None),
}


@pytest.mark.parametrize(
    ("models", "refit", "window", "horizon"),
    [
        *itertools.product([linear()], REFITS, ["expanding", "sliding"], [1, 3]),
        *itertools.product([NETWORKS], [False, 2], ["expanding"], [1, 3]),
    ],
)
def test_no_forecast_changes_when_later_data_change(models, refit, window, horizon, series):
    options = {"steps": 4, "stride": 5, "refit": refit, "window": window, "horizon": horizon}
    splits = TimeSeriesSplit(2, test_size=12)
    values = (series / 100.0).to_numpy()
    expected = backtest(models, values, cv=splits, **options).frame
    for origin in expected["origin"].unique():
        changed = values.copy()
        changed[origin + 1 :] = 9.0 + np.arange(len(values) - origin - 1) ** 2
        found = backtest(models, changed, cv=splits, **options).frame
        same = expected["origin"] <= origin
        columns = ["model", "forecast", "scale", "rms_scale"]
        pd.testing.assert_frame_equal(found.loc[same, columns], expected.loc[same, columns])
        assert (found.loc[same, "truth"] != expected.loc[same, "truth"]).any()


def test_models_have_the_forecasts_that_each_has_alone(series):
    models = {"short": linear(2), "long": linear(12)}
    options = {"cv": 4, "steps": 2, "stride": 2, "refit": 2}
    together = backtest(models, series, **options)
    assert together.models == ["short", "long", "naive", "seasonal_naive"]
    for name, model in models.items():
        alone = backtest(model, series, **options).frame
        own = together.frame[together.frame["model"] == name]
        alone = alone[alone["model"] == "model"].assign(model=name)
        pd.testing.assert_frame_equal(own.reset_index(drop=True), alone)
        assert not hasattr(model[-1], "coef_")


@pytest.mark.slow
def test_fits_in_parallel_give_the_same(series):
    models = {"linear": linear(), "network": network()}
    options = {"cv": 4, "steps": 2, "stride": 2, "refit": 2}
    pd.testing.assert_frame_equal(
        backtest(models, series, **options, n_jobs=2).frame,
        backtest(models, series, **options).frame,
    )


def shops(n=60):
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=n, name="day")
    frames = {
        name: pd.DataFrame({"sold": size * (5 + rng.normal(size=n)).cumsum()}, index=days)
        for name, size in {"north": 1, "south": 20}.items()
    }
    return pd.concat(frames, names=["shop", "day"])


@pytest.mark.parametrize("refit", REFITS)
@pytest.mark.parametrize("as_splitter", [True, False])
def test_several_series_are_forecast_from_the_same_origins(refit, as_splitter):
    table = shops()
    cv = PanelTimeSeriesSplit(1 + as_splitter, test_size=8) if as_splitter else 4
    result = backtest(linear(group="shop"), table, cv=cv, steps=3, stride=4, refit=refit)
    frame = beside(result)
    days = table.index.levels[1]
    origins = days[[43, 47, 51, 55]] if as_splitter else days[[44, 48, 52, 56]]
    assert list(frame["origin"].unique()) == list(origins)
    for i, origin in enumerate(origins):
        before = table[table.index.get_level_values("day") <= origin]
        if refit is True or i == 0 or (refit is not False and i % refit == 0):
            X, y = make_supervised(before, group="shop")
            fitted = linear(group="shop").fit(X, y)
        own = frame[frame["origin"] == origin].set_index(["shop", "time"])
        assert_allclose(own["forecast"], forecast(fitted, before, 3))
        assert_array_equal(own["truth"], table.loc[list(own.index), "sold"])


INTERVALS = {"coverage": 0.8, "interval_params": {"calibration": 20, "refits": 2}}


@pytest.mark.parametrize("adaptive", [True, False])
@pytest.mark.parametrize("refit", [True, False, 2])
def test_intervals_are_those_from_the_first_origin_of_a_fit(refit, adaptive, series):
    options = {"calibration": 20, "refits": 2, "adaptive": adaptive}
    result = backtest(
        linear(),
        series,
        cv=4,
        steps=3,
        stride=2,
        refit=refit,
        coverage=0.8,
        interval_params=options,
    )
    frame = result.frame
    naive = frame["model"] != "model"
    assert frame.loc[naive, ["lower", "upper"]].isna().all(axis=None)
    for i, (_, rows) in enumerate(frame[~naive].groupby("origin")):
        if refit is True or i == 0 or (refit is not False and i % refit == 0):
            before = series[: rows["origin"].iloc[0]]
            fitted = linear().fit(*make_supervised(before))
            ahead = forecast_interval(fitted, before, 3, 0.8, **options)
            below, above = (ahead[end] - ahead["forecast"] for end in ("lower", "upper"))
        assert_allclose(rows["lower"] - rows["forecast"], below, rtol=1e-6)
        assert_allclose(rows["upper"] - rows["forecast"], above, rtol=1e-6)
    table = result.compare()
    own = frame[~naive]
    inside = own["truth"].between(own["lower"], own["upper"])
    assert table.loc["model", "coverage"] == pytest.approx(inside.mean())
    assert table.loc["naive", ["pinball", "coverage"]].isna().all()


def test_no_interval_changes_when_later_data_change(series):
    options = {"cv": 3, "steps": 3, "stride": 2, "refit": 2, **INTERVALS}
    expected = backtest(linear(), series.astype(float), **options).frame
    for origin in expected["origin"].unique():
        changed = series.astype(float)
        changed[series.index > origin] = 1e3
        found = backtest(linear(), changed, **options).frame
        same = expected["origin"] <= origin
        ends = ["lower", "upper"]
        pd.testing.assert_frame_equal(found.loc[same, ends], expected.loc[same, ends])


@pytest.mark.parametrize("pooled", [True, False])
def test_intervals_of_several_series_are_those_of_forecast_interval(pooled):
    table = shops()
    options = {"calibration": 15, "refits": 2, "pooled": pooled}
    result = backtest(
        linear(group="shop"),
        table,
        cv=2,
        steps=2,
        stride=4,
        coverage=0.6,
        interval_params=options,
    )
    frame = result.frame[result.frame["model"] == "model"]
    for origin, rows in frame.groupby("origin"):
        before = table[table.index.get_level_values("day") <= origin]
        X, y = make_supervised(before, group="shop")
        fitted = linear(group="shop").fit(X, y)
        ahead = forecast_interval(fitted, before, 2, 0.6, **options)
        ends = ["lower", "forecast", "upper"]
        assert_allclose(rows.set_index(["shop", "time"])[ends], ahead[ends])


def test_a_series_that_begins_after_the_fit_has_no_interval():
    table = shops()
    days = table.index.get_level_values("day")
    late = table[(table.index.get_level_values("shop") == "north") | (days >= days[48])]
    options = {"cv": 4, "steps": 2, "stride": 4, "refit": False, **INTERVALS}
    result = backtest(linear(group="shop"), late, **options)
    frame = result.frame[result.frame["model"] == "model"]
    assert_array_equal(frame["lower"].isna(), frame["shop"] == "south")
    assert result.by_series.loc["model", "coverage"].notna().tolist() == [True, False]


def test_one_bar_counts_the_fits(series, capsys):
    options = {"cv": 3, "steps": 2, "stride": 2}
    models = {"short": linear(2), "long": linear(12)}
    backtest(models, series, **options)
    assert capsys.readouterr() == ("", "")
    backtest(models, series, **options, verbose=1)
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("Fit 6/6 ")


def test_every_origin_may_have_its_own_fit_in_any_order(series):
    splits = list(TimeSeriesSplit(3).split(series[:-1]))
    in_order, reversed_ = (
        backtest(linear(), series, cv=cv, steps=2).summary for cv in (splits, splits[::-1])
    )
    pd.testing.assert_frame_equal(reversed_, in_order)
    with pytest.raises(ValueError) as refused:
        backtest(linear(), series, cv=splits[::-1], steps=2, refit=False)
    assert str(refused.value) == (
        "refit must be True unless the folds of cv follow each other in time, got False, and row "
        "73 in fold 1 after row 108"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        *[
            ({"refit": value}, f"refit must be True, False or a positive integer, got {value!r}")
            for value in (0, -1, 1.5, None, "once")
        ],
        ({"stride": 0}, "stride must be a positive integer, got 0"),
        (
            {"window": "rolling"},
            "window must be one of ('expanding', 'sliding'), got 'rolling'",
        ),
        (
            {"cv": 60, "stride": 2, "steps": 30},
            "cv=60 origins with stride=2 and steps=30 need at least 149 rows of X, got 143",
        ),
        (
            {"y": 5},
            "y must hold what follows each row of X, got 5; pass cv by its name",
        ),
        (
            {"y": TimeSeriesSplit(2)},
            "y must hold what follows each row of X, got TimeSeriesSplit(gap=0, "
            "max_train_size=None, n_splits=2, test_size=None); pass cv by its name",
        ),
        (
            {"models": {"linear": LinearRegression}},
            "models['linear'] must be a regressor, got the class LinearRegression; create one of "
            "it, LinearRegression()",
        ),
        (
            {"models": [linear()]},
            "models must be a regressor, or a dict of several by their names, got a list",
        ),
        (
            {"X": "air.csv"},
            "X must be a series or a table, of one or two dimensions, got str of 0",
        ),
        (
            {"X": np.zeros((9, 2, 2))},
            "X must be a series or a table, of one or two dimensions, got ndarray of 3",
        ),
        (
            {"y": "sold"},
            "y must hold what follows each row of X, got 'sold'; name columns in target=",
        ),
        (
            {"freq": "D"},
            "freq must be the step between two rows of X, got <Day>, but 1949-02-01 follows "
            "1949-01-01",
        ),
        (
            {"X": load_airline_passengers().reset_index(), "steps": 2},
            "X must hold numbers, but column 'Month' holds times: set the time of the rows as the "
            "index, or derive numbers from it, such as the hour",
        ),
        (
            {"y": [(1, 2)]},
            "y must hold what follows each row of X, got [(1, 2)]; pass cv by its name",
        ),
        (
            {"cv": [(np.arange(20), [20]), (np.arange(10), [20])]},
            "cv must have a first test row of its own in each fold, got row 20 in folds 0 and 1",
        ),
        ({"cv": []}, "cv must give at least one fold, got none"),
        (
            {"cv": True},
            "cv must be a splitter, a number of splits or an iterable of splits, got True",
        ),
        (
            {"cv": [(np.arange(20), [])]},
            "cv must give each fold training and test rows, got none in fold 0",
        ),
        (
            {"cv": [(np.arange(20), [20]), (np.arange(140), [143])]},
            "cv must split the 143 rows of X that have a target, got 143 as the number of a row "
            "in fold 1",
        ),
        ({"coverage": 90}, "coverage must be a number in (0, 1), got 90"),
        (
            {"interval_params": {"refits": 2}},
            "coverage must be given for interval_params={'refits': 2}, got None",
        ),
        (
            {"coverage": 0.9, "interval_params": {"refit": 2}},
            "interval_params must be among ['calibration', 'refits', 'symmetric', 'pooled', "
            "'adaptive'], got 'refit'; did you mean 'refits'?",
        ),
        (
            {"coverage": 0.9, "interval_params": {"calibration": 3}},
            "calibration must be at least 19 for coverage=0.9, got 3",
        ),
        ({"verbose": 2}, "verbose must be one of (0, 1, False, True), got 2"),
        ({"cv": 0, "stride": 2}, "cv must be a positive integer, got 0"),
        ({"models": {}}, "models must be a regressor or a dict with at least one, got none"),
        *[
            (
                {"models": {name: linear()}},
                f"models must have texts other than ['naive', 'seasonal_naive'] as names, got "
                f"{name!r}",
            )
            for name in ("naive", 1)
        ],
        (
            {"models": {"ridge": Ridge(), "logistic": LogisticRegression()}},
            "models['logistic'] must be a regressor, got LogisticRegression",
        ),
    ],
)
def test_what_cannot_be_planned_is_refused(arguments, message, series):
    settings = {"models": linear(), "X": series, **arguments}
    with pytest.raises(ValueError) as refused:
        backtest(settings.pop("models"), **settings)
    assert str(refused.value) == message


def test_folds_may_be_masks_unsorted_or_counted_from_the_end(series):
    n = len(series) - 1
    expected = backtest(linear(), series, cv=[(np.arange(26, 120), np.arange(120, n))]).frame
    train, test = np.zeros((2, n), dtype=bool)
    train[26:120], test[120:] = True, True
    backwards = np.arange(119, 25, -1), np.arange(n - 1, 119, -1)
    for fold in [(train, test), backwards, tuple(part - n for part in backwards)]:
        pd.testing.assert_frame_equal(backtest(linear(), series, cv=[fold]).frame, expected)


def test_a_fitted_model_tells_the_names_of_its_columns(series):
    table = pd.DataFrame({"sold": series, "price": np.arange(144.0) % 7})
    names = {"target": "sold", "known": ["price"]}
    X, y = make_supervised(table, **names)
    options = {"cv": 3, "steps": 2, "stride": 2}
    expected = backtest(linear(), table, **names, **options).frame
    fitted = linear().fit(X, y)
    pd.testing.assert_frame_equal(backtest(fitted, table, **options).frame, expected)
    pd.testing.assert_frame_equal(backtest(linear(), X, y, **options).frame, expected)
    other = linear().fit(*make_supervised(table, target="price", known="sold"))
    with pytest.raises(
        ValueError, match=r"^target must be the same for all models, got \['sold'\]"
    ):
        backtest({"a": fitted, "b": other}, table)


def test_steps_beyond_the_last_row_are_told(series):
    folds = [(np.arange(100), np.arange(100, 120)), (np.arange(130), np.arange(130, 143))]
    with pytest.warns(SeriesWarning, match=r"^steps=20 reaches beyond .* from 1 of 2 origins; "):
        backtest(linear(), series, cv=folds, steps=20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        backtest(linear(), series, cv=folds, steps=13)
        backtest(linear(), series, cv=folds)


def test_series_that_are_not_forecast_are_told():
    table = shops()
    days = table.index.get_level_values("day")
    ended = table[(table.index.get_level_values("shop") == "north") | (days < days[30])]
    with pytest.warns(SeriesWarning, match=r"^1 of 2 series, such as 'south', are not forecast"):
        result = backtest(linear(group="shop"), ended, cv=2, stride=4)
    assert list(result.by_series.loc["model"].index) == ["north"]


def test_a_model_that_takes_no_gaps_is_told_what_does(series):
    model = make_pipeline(LookbackWindower(3), LinearRegression())
    with pytest.raises(
        ValueError, match=r"\nLookbackWindower\(padding='edge'\) fills up .* \(in f"
    ):
        backtest(model, series)


class SometimesUnknown(LinearRegression):
    """A user's model, which has no prediction for large values."""

    least_unknown = 450

    def predict(self, X):
        return np.where(np.asarray(X)[:, -1] > self.least_unknown, np.nan, super().predict(X))


def test_forecasts_that_are_nan_are_told(series):
    model = make_pipeline(LookbackWindower(2, padding="edge"), SometimesUnknown())
    options = {"cv": 12, "steps": 1, "stride": 1}
    with pytest.warns(SeriesWarning) as told:
        result = backtest({"a": linear(), "b": model}, series, **options)
    rows = result.frame[result.frame["model"] == "b"]
    n = rows["forecast"].isna().sum()
    assert 0 < n < 12
    assert str(told[0].message) == (
        f"{n} of 12 forecasts of 'b' are NaN; these rows are left out of the measures of all "
        "models"
    )
    assert repr(result).startswith(f"Backtest of {12 - n} origins, 1 step ahead, ")
    model[-1].least_unknown = 0
    SometimesUnknown.least_unknown = 0
    try:
        with pytest.raises(ValueError, match=r"^models must forecast numbers, got NaN alone from"):
            backtest(model, series, **options)
    finally:
        SometimesUnknown.least_unknown = 450


def test_models_of_several_horizons_are_refused(series):
    models = {
        str(horizon): linear().fit(*make_supervised(series, horizon=horizon)) for horizon in (2, 3)
    }
    with pytest.raises(
        ValueError, match=r"^horizon must be the same for all models, got 2 and 3 "
    ):
        backtest(models, series, cv=2)
    assert backtest(models, series, cv=2, horizon=3).models[:2] == ["2", "3"]


def test_a_fold_with_too_few_rows_for_a_model_names_itself(series):
    model = make_pipeline(LookbackWindower(24), LSTMForecaster(epochs=1, window_scaling="last"))
    folds = [(np.arange(40), np.arange(40, 50)), (np.arange(30, 50), np.arange(50, 60))]
    with pytest.raises(ValueError, match=r" \(in fold 1, of 20 training rows\)$"):
        backtest(model, series, cv=folds)
    short = r"^history must have at least .* \(in fold 1, of 20 training rows\)$"
    with pytest.raises(ValueError, match=short):
        backtest(linear(), series, cv=folds, coverage=0.9)
