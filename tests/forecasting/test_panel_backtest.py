"""Backtests and intervals of several series."""

import numpy as np
import pandas as pd
import pytest
from models import beside
from numpy.testing import assert_allclose
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from skl_lstm import (
    KnownRowsRegressor,
    LookbackWindower,
    PanelTimeSeriesSplit,
    SeriesScaledRegressor,
    SeriesWarning,
    backtest,
    forecast,
    forecast_interval,
    make_supervised,
)


def shops(starts=(0, 0, 0), ends=(60, 60, 60), seed=0):
    """Shops with a weekly pattern and a price that acts on its own day."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2024-01-01", periods=70, name="day")
    frames = {}
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        price = rng.random(70)
        sold = (
            10.0 * (i + 1) + np.sin(np.arange(70) / 7 * 2 * np.pi) - price + rng.normal(0, 0.1, 70)
        )
        frames[f"s{i}"] = pd.DataFrame({"sold": sold, "price": price}, index=days)[start:end]
    return pd.concat(frames, names=["shop", "day"])


def model(look_back=7):
    return make_pipeline(
        LookbackWindower(look_back, padding="edge", group="shop"), LinearRegression()
    )


PRICE = {"target": "sold", "known": ["price"]}


def test_one_series_has_the_backtest_of_a_series():
    table = shops().loc[["s1"]]
    alone = table.loc["s1"]
    single = make_pipeline(LookbackWindower(7, padding="edge"), LinearRegression())
    for names, horizon in [({"target": "sold"}, 1), (PRICE, 3)]:
        columns = ["sold"] if "known" not in names else ["sold", "price"]
        expected = backtest(
            single,
            alone[columns],
            cv=TimeSeriesSplit(3, test_size=6),
            steps=5,
            horizon=horizon,
            **names,
        )
        result = backtest(
            model(),
            table[columns],
            cv=PanelTimeSeriesSplit(3, test_size=6),
            steps=5,
            horizon=horizon,
            **names,
        )
        names_of = list(expected.frame.columns)
        assert list(result.frame.columns) == [*names_of[:2], "shop", *names_of[2:]]
        keys = ["model", "fold", "origin", "step", "time"]
        frame = expected.frame.merge(result.frame, on=keys, suffixes=("", "_panel"))
        assert len(frame) == len(result.frame) > 0
        for column in ("truth", "forecast", "scale", "rms_scale"):
            assert_allclose(frame[f"{column}_panel"], frame[column])


@pytest.mark.parametrize("names", [{"target": "sold"}, PRICE], ids=["alone", "price known"])
@pytest.mark.parametrize("as_column", [False, True], ids=["level", "column"])
def test_each_forecast_is_that_of_a_model_fitted_on_the_rows_before(names, as_column):
    table = shops(starts=(0, 10, 0), ends=(60, 60, 55))
    table = table[["sold"]] if "known" not in names else table
    given = table.reset_index("shop") if as_column else table
    result = backtest(model(), given, cv=PanelTimeSeriesSplit(3, test_size=8), **names)
    for _, rows in beside(result).groupby("fold"):
        origin = rows["time"].min() - pd.Timedelta(days=1)
        assert (rows["origin"] == origin).all()
        before = table[table.index.get_level_values("day") <= origin]
        after = table[table.index.get_level_values("day") > origin]
        X, y = make_supervised(before, group="shop", **names)
        fitted = model().fit(X, y)
        for shop, own in rows.groupby("shop"):
            steps = len(own)
            future = after.loc[[shop]][["price"]] if "known" in names else None
            ahead = forecast(fitted, before.loc[[shop]], steps, future=future)
            assert_allclose(own["forecast"], ahead.to_numpy())
            assert_allclose(own["truth"], after.loc[shop]["sold"].iloc[:steps])
        assert set(rows["shop"]) == set(
            table[table.index.get_level_values("day") > origin].index.get_level_values("shop")
        )


def test_nothing_after_the_origin_is_seen():
    table = shops()
    cv = PanelTimeSeriesSplit(2, test_size=8)
    before = beside(backtest(model(), table, cv=cv, **PRICE))
    origin = before[before["fold"] == 0]["time"].min() - pd.Timedelta(days=1)
    table.loc[table.index.get_level_values("day") > origin, "sold"] = 1e3
    after = beside(backtest(model(), table, cv=cv, **PRICE))
    first = before["fold"] == 0
    for column in ("forecast", "naive", "seasonal_naive", "scale", "rms_scale"):
        assert_allclose(after.loc[first, column], before.loc[first, column])


def test_a_series_that_ends_before_a_fold_is_left_out_of_it():
    result = backtest(
        model(), shops(ends=(60, 60, 40))[["sold"]], cv=PanelTimeSeriesSplit(2, test_size=8)
    )
    assert set(result.frame["shop"]) == {"s0", "s1"}


def test_the_summary_is_over_all_series_and_by_series():
    result = backtest(
        model(), shops(ends=(60, 57, 60))[["sold"]], cv=PanelTimeSeriesSplit(2, test_size=7)
    )
    frame = beside(result)
    error = (frame["truth"] - frame["forecast"]).abs()
    by_step = error.groupby(frame["step"]).mean()
    assert_allclose(result.summary.loc["model"]["MAE"], [error.mean(), *by_step])
    assert_allclose(result.by_series.loc["model"]["MAE"], error.groupby(frame["shop"]).mean())
    assert list(result.by_series.loc["naive"].index) == ["s0", "s1", "s2"]
    assert list(result.by_series.columns) == ["MAE", "RMSE", "sMAPE", "MASE", "RMSSE"]


def test_several_targets_have_a_row_each():
    result = backtest(model(), shops(), cv=2)
    columns = ["model", "fold", "shop", "origin", "step", "time", "column"]
    assert list(result.frame.columns[:7]) == columns
    assert result.by_series.loc["model"].index.names == ["shop", "column"]


def test_a_backtest_of_one_series_has_no_summary_by_series():
    result = backtest(LinearRegression(), shops().loc["s0"][["sold"]], cv=2)
    with pytest.raises(
        AttributeError, match="by_series is of several series, but the backtest is of one"
    ):
        _ = result.by_series


def test_y_is_refused_with_several_series():
    X, y = make_supervised(shops()[["sold"]], group="shop")
    with pytest.raises(ValueError, match="y must be None for several series"):
        backtest(model(), X, y)


def test_a_fold_that_trains_on_later_rows_is_refused():
    table = shops()[["sold"]].sort_index(level="shop")
    with pytest.raises(
        ValueError,
        match="cv must put the test rows of a fold after its training rows, got a row of "
        "2024-02-28 to learn from and a row of 2024-01-01 to test in fold 0",
    ):
        backtest(model(), table, cv=TimeSeriesSplit(2))


def test_a_fold_with_too_few_rows_for_a_season_names_itself():
    with pytest.raises(
        ValueError, match="season=50 needs more training rows of a series, got too few in fold 0"
    ):
        backtest(model(), shops()[["sold"]], cv=PanelTimeSeriesSplit(2, test_size=8), season=50)


def test_columns_known_up_to_now_bound_the_steps():
    with pytest.raises(
        ValueError, match=r"steps must be at most 1.*\['price'\] are not known ahead"
    ):
        backtest(model(), shops(), target="sold", cv=2, steps=3)


def test_folds_run_in_parallel_give_the_same():
    table = shops()[["sold"]]
    pd.testing.assert_frame_equal(
        backtest(model(), table, cv=2).frame, backtest(model(), table, cv=2, n_jobs=2).frame
    )


def fitted(table, names, estimator=None):
    X, y = make_supervised(table, group="shop", **names)
    return (estimator or model()).fit(X, y)


@pytest.mark.parametrize("names", [{"target": "sold"}, PRICE], ids=["alone", "price known"])
def test_intervals_of_one_series_are_those_of_a_series(names):
    table = shops().loc[["s1"]][["sold", "price"] if "known" in names else ["sold"]]
    alone = table.loc["s1"]
    future = (
        shops(ends=(70, 70, 70))
        .loc[["s1"]]
        .loc[lambda rows: rows.index.get_level_values("day") > alone.index[-1], ["price"]]
    )
    single = make_pipeline(LookbackWindower(7, padding="edge"), LinearRegression())
    X, y = make_supervised(alone, **names)
    given = {} if "known" not in names else {"future": future}
    one = {} if "known" not in names else {"future": future.loc["s1"]}
    expected = forecast_interval(single.fit(X, y), alone, 3, 0.8, 25, refits=3, **one)
    found = forecast_interval(fitted(table, names), table, 3, 0.8, 25, refits=3, **given)
    assert_allclose(found.to_numpy(), expected.to_numpy())
    assert found.index.names == ["shop", "day"]
    assert list(found.columns) == ["lower", "forecast", "upper"]


def test_intervals_by_series_do_not_see_other_series():
    table = shops()[["sold"]]
    scaled = fitted(table, {})
    before = forecast_interval(scaled, table, 2, 0.8, 20)
    assert (before["lower"] <= before["forecast"]).all()
    assert (before["upper"] >= before["forecast"]).all()
    assert before.shape == (6, 3)


def test_pooled_intervals_are_as_wide_as_the_series_are_rough():
    table = shops()[["sold"]]
    table.loc["s2"] = table.loc["s2"].to_numpy() * 100
    ahead = forecast_interval(
        fitted(table, {}, SeriesScaledRegressor(model(), group="shop")),
        table,
        2,
        0.8,
        20,
        pooled=True,
    )
    width = (ahead["upper"] - ahead["lower"]).groupby("shop").mean()
    assert 50 < width["s2"] / width["s0"] < 200


def test_pooled_intervals_serve_a_short_series():
    table = shops(starts=(0, 0, 52))[["sold"]]
    estimator = fitted(table, {})
    with pytest.raises(ValueError, match="in series 's2', if not pooled=True, got"):
        forecast_interval(estimator, table, 2, 0.8, 20)
    ahead = forecast_interval(estimator, table, 2, 0.8, 20, pooled=True)
    assert np.isfinite(ahead.to_numpy()).all()


def test_intervals_cover_as_they_say():
    rng = np.random.default_rng(3)
    days = pd.date_range("2020-01-01", periods=400, name="day")
    table = pd.concat(
        {f"s{i}": pd.DataFrame({"v": rng.normal(0, i + 1.0, 400)}, index=days) for i in range(6)},
        names=["shop", "day"],
    )
    past, later = table.groupby("shop").head(300), table.groupby("shop").tail(100)
    X, y = make_supervised(past, group="shop")
    estimator = model(2).fit(X, y)
    for pooled in (False, True):
        ahead = forecast_interval(estimator, past, 1, 0.9, 150, refits=2, pooled=pooled)
        for shop, rows in later.groupby("shop"):
            ((lower, _, upper),) = ahead.loc[shop].to_numpy()
            inside = rows["v"].between(lower, upper).mean()
            assert 0.8 < inside < 0.97


def test_a_history_too_short_for_its_intervals_is_refused():
    table = shops(ends=(30, 30, 30))[["sold"]]
    with pytest.raises(
        ValueError, match=r"history must have at least 31 times for calibration=19, steps=5"
    ):
        forecast_interval(fitted(table, {}), table, 5, 0.9, 19)


def test_a_season_is_counted_in_time_and_not_in_rows():
    table = shops()[["sold"]]
    holes = table.index.get_level_values("day").isin(pd.to_datetime(["2024-02-20", "2024-02-23"]))
    holed = table[~(holes & (table.index.get_level_values("shop") == "s1"))]
    known = make_pipeline(model()[0], KnownRowsRegressor())
    with pytest.warns(SeriesWarning, match="lacks rows in 1 of 3 series"):
        result = backtest(known, holed, cv=PanelTimeSeriesSplit(2, test_size=3), season=7)
    frame = beside(result).set_index(["shop", "time"])
    whole = table["sold"].unstack("shop")
    for shop, time in frame.index:
        before = time - pd.Timedelta(days=7)
        while (shop, before) not in holed.index:
            before -= pd.Timedelta(days=1)
        assert frame.loc[(shop, time), "seasonal_naive"] == holed.loc[(shop, before), "sold"]
    for _, fold in result.frame.groupby("fold"):
        last = fold["time"].min() - pd.Timedelta(days=2)
        for shop, own in fold.groupby("shop"):
            values = holed.xs(shop)["sold"].reindex(whole.index)[:last]
            assert_allclose(own["scale"], (values - values.shift(7)).abs().mean())


@pytest.mark.parametrize("name", ["time", "step", "truth", "scale", "model"])
def test_a_group_named_as_a_column_of_the_result_is_refused(name):
    table = shops()[["sold"]].rename_axis([name, "day"])
    renamed = make_pipeline(LookbackWindower(3, padding="edge", group=name), LinearRegression())
    with pytest.raises(ValueError, match="group must not be named as a column of what comes back"):
        backtest(renamed, table, cv=2)


def test_folds_by_number_need_no_name_of_the_times():
    table = shops()[["sold"]].rename_axis(["shop", None])
    times = table.index.levels[1]
    table.index = table.index.set_levels(np.arange(len(times)), level=1)
    result = backtest(model(), table, cv=3, season=7)
    assert result.frame["fold"].nunique() == 3


def test_intervals_of_a_model_that_was_not_fitted_on_its_target():
    table = shops()
    X, y = make_supervised(table, group="shop", **PRICE)
    estimator = LinearRegression().fit(X[["price"]], y)
    future = shops(ends=(70, 70, 70))[["price"]].drop(table.index)
    ahead = forecast_interval(
        estimator, table, 2, 0.6, 10, group="shop", target="sold", known="price", future=future
    )
    assert ahead.shape == (6, 3)


def test_a_fitted_model_tells_its_horizon():
    table = shops()[["sold"]]
    direct = fitted(table, {"horizon": 3})
    found = backtest(direct, table, cv=2, steps=3).frame
    pd.testing.assert_frame_equal(found, backtest(direct, table, cv=2, steps=3, horizon=3).frame)
