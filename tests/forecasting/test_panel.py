"""Forecasts of several series: each from its own last time, as one series after the other."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl_lstm import (
    LookbackWindower,
    LSTMForecaster,
    PanelTimeSeriesSplit,
    SeriesScaledRegressor,
    SeriesWarning,
    forecast,
    make_supervised,
)

LOOK_BACK = 4


def shops(lengths=(40, 25, 33), end=40, seed=0):
    """Series of some shops that end on different days: a sum of a price and of the last days."""
    rng = np.random.default_rng(seed)
    frames = {}
    for i, length in enumerate(lengths):
        days = pd.date_range("2024-01-01", periods=end + 10, name="day")[
            end - length - i : end - i
        ]
        price = rng.random(length)
        sold = 5.0 * i + rng.normal(size=length).cumsum() + price
        frames[f"s{i}"] = pd.DataFrame({"sold": sold, "price": price, "size": 1.0 + i}, index=days)
    return pd.concat(frames, names=["shop", "day"])


def ahead_of(table, n_rows, seed=1):
    """Prices of the days after the last one of each shop."""
    rng = np.random.default_rng(seed)
    frames = {}
    for shop, rows in table.groupby("shop"):
        days = pd.date_range(rows.index[-1][1], periods=n_rows + 1, name="day")[1:]
        frames[shop] = pd.DataFrame({"price": rng.random(n_rows)}, index=days)
    return pd.concat(frames, names=["shop", "day"])


def windower(look_back=LOOK_BACK):
    return LookbackWindower(look_back, padding="edge", group="shop")


def one_by_one(model, table, steps, names, future=None):
    """The forecasts of a loop over series, in which each is a panel of its own."""
    parts = []
    for shop, rows in table.groupby("shop", sort=True):
        own = None if future is None else future.loc[[shop]]
        parts.append(forecast(model, rows, steps, **names, future=own, group="shop"))
    return pd.concat(parts)


def by_hand(model, table, steps, horizon, n_targets, known, future):
    """Forecasts of a loop over series and blocks, with windows cut by hand."""
    result = {}
    for shop, rows in table.groupby("shop"):
        rows = rows.droplevel("shop")
        values = (
            rows[["sold", "price"]].to_numpy(copy=True) if known else rows[["sold"]].to_numpy()
        )
        path = list(values[:, 0])
        prices = list(rows["price"])
        if known:
            prices += list(future.loc[shop]["price"])
        while len(path) < len(rows) + steps:
            window = []
            for t in range(len(path) - LOOK_BACK, len(path)):
                window += [path[t]] + ([prices[t + horizon]] if known else [])
            path += list(np.ravel(model[-1].predict([window])))
        result[shop] = path[len(rows) : len(rows) + steps]
    return np.concatenate([result[shop] for shop in sorted(result)])


@pytest.mark.parametrize("known", [False, True], ids=["alone", "price known"])
@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("as_column", [False, True], ids=["level", "column"])
@pytest.mark.parametrize("order", ["by shop", "by day"])
def test_forecasts_are_those_of_a_loop_over_series(known, horizon, as_column, order):
    table = shops()[["sold", "price"] if known else ["sold"]]
    names = {"target": "sold", "known": ["price"] if known else None}
    future = ahead_of(table, 9) if known else None
    given = table if order == "by shop" else table.sort_index(level="day", sort_remaining=False)
    given = given.reset_index("shop") if as_column else given
    X, y = make_supervised(given, **names, horizon=horizon, group="shop")
    model = make_pipeline(windower(), LinearRegression()).fit(X, y)
    ahead = forecast(model, given, 7, future=future)
    assert ahead.name == "sold"
    assert ahead.index.names == ["shop", "day"]
    expected = by_hand(model, shops(), 7, horizon, 1, known, future)
    assert_allclose(ahead.to_numpy(), expected, rtol=1e-9)
    for shop, rows in shops().groupby("shop"):
        days = pd.date_range(rows.index[-1][1], periods=8)[1:]
        assert list(ahead.loc[shop].index) == list(days)


@given(
    st.lists(st.integers(LOOK_BACK, 30), min_size=1, max_size=4),
    st.integers(1, 5),
    st.integers(1, 2),
)
@settings(max_examples=15)
def test_series_do_not_see_each_other(lengths, steps, horizon):
    table = shops((30, *lengths))
    X, y = make_supervised(
        table, target="sold", known="price", static="size", group="shop", horizon=horizon
    )
    model = make_pipeline(windower(), LinearRegression()).fit(X, y)
    future = ahead_of(table, 6)
    ahead = forecast(model, table, steps, future=future)
    pd.testing.assert_series_equal(
        ahead, one_by_one(model, table, steps, {}, future), check_freq=False
    )
    table.loc["s0", "sold"] = -3.0
    changed = forecast(model, table, steps, future=future)
    assert_allclose(changed.drop("s0", level="shop"), ahead.drop("s0", level="shop"))


def test_several_targets_come_side_by_side():
    table = shops()[["sold", "price"]]
    X, y = make_supervised(table, group="shop")
    model = make_pipeline(windower(), LinearRegression()).fit(X, y)
    ahead = forecast(model, table, 4)
    assert list(ahead.columns) == ["sold", "price"]
    assert ahead.shape == (12, 2)
    first = forecast(model, table.loc[["s1"]], 4)
    pd.testing.assert_frame_equal(ahead.loc[["s1"]], first, check_freq=False)


def test_static_columns_are_carried_on():
    table = shops()[["sold", "size"]]
    X, y = make_supervised(table, target="sold", static="size", group="shop")
    model = make_pipeline(windower(1), LinearRegression()).fit(X, y)
    told = forecast(model, table, 3)
    named = forecast(model, table, 3, static=["size"])
    pd.testing.assert_series_equal(told, named)
    size = np.repeat([1.0, 2.0, 3.0], 3)
    before = np.concatenate(
        [[table.loc[s, "sold"].iloc[-1], *told.loc[s].iloc[:-1]] for s in ("s0", "s1", "s2")]
    )
    assert_allclose(told, model[-1].predict(np.column_stack([before, size])))


def test_a_static_column_of_one_series_is_carried_on_too():
    table = shops().loc["s1"][["sold", "size"]]
    X, y = make_supervised(table, target="sold", static="size")
    model = make_pipeline(LookbackWindower(2, padding="edge"), LinearRegression()).fit(X, y)
    assert len(forecast(model, table, 3)) == 3


def test_columns_that_are_not_named_static_are_not_carried_on():
    table = shops()[["sold", "size"]]
    X, y = make_supervised(table, target="sold", group="shop")
    model = make_pipeline(windower(), LinearRegression()).fit(X, y)
    with pytest.raises(
        ValueError, match=r"\['size'\] are not known ahead, got 3.*known or static"
    ):
        forecast(model, table, 3)


def test_a_static_column_that_changes_is_refused():
    table = shops()
    table.iloc[3, 2] = 9.0
    with pytest.raises(
        ValueError, match="one value in a series, got 'size' with 2 values in series 's0'"
    ):
        make_supervised(table, target="sold", known="price", static="size", group="shop")


def test_values_ahead_may_be_the_end_of_the_history():
    table = shops()[["sold", "price"]]
    X, y = make_supervised(table, target="sold", known="price", group="shop")
    model = make_pipeline(windower(), LinearRegression()).fit(X, y)
    future = ahead_of(table, 5)
    together = pd.concat([table, future]).sort_index(level="day", sort_remaining=False)
    pd.testing.assert_series_equal(
        forecast(model, together, 5), forecast(model, table, 5, future=future)
    )


def test_a_search_over_a_scaled_pipeline_forecasts():
    table = shops()[["sold"]]
    X, y = make_supervised(table, group="shop")
    pipeline = make_pipeline(windower(), LSTMForecaster(units=3, epochs=3, random_state=0))
    for model in (
        TransformedTargetRegressor(pipeline, transformer=StandardScaler()),
        SeriesScaledRegressor(pipeline, group="shop"),
    ):
        grid = {"regressor__lookbackwindower__look_back": [2, 4]}
        search = GridSearchCV(model, grid, cv=PanelTimeSeriesSplit(2)).fit(X, y)
        ahead = forecast(search, table, 3)
        assert ahead.notna().all()
        pd.testing.assert_series_equal(ahead, one_by_one(search, table, 3, {}), check_freq=False)


def test_a_series_that_was_not_seen_or_is_short_is_forecast_from_what_it_has():
    table = shops()[["sold"]]
    X, y = make_supervised(table, group="shop")
    model = make_pipeline(windower(), LSTMForecaster(units=3, epochs=1, random_state=0)).fit(X, y)
    new = pd.concat([table, shops((2,)).rename(index={"s0": "new"}, level="shop")[["sold"]]])
    ahead = forecast(model, new, 2)
    assert ahead.loc["new"].notna().all()
    pd.testing.assert_series_equal(
        ahead.drop("new", level="shop"), forecast(model, table, 2), check_freq=False
    )


def test_a_longer_history_than_in_fit_is_gone_on_from():
    whole = shops()[["sold"]]
    X, y = make_supervised(whole.groupby("shop").head(20), group="shop")
    model = make_pipeline(windower(), LinearRegression()).fit(X, y)
    assert_allclose(
        forecast(model, whole, 3).to_numpy(), by_hand(model, shops(), 3, 1, 1, False, None)
    )


def test_weeks_that_end_on_other_days_go_on_by_themselves():
    table = shops()[["sold"]].loc[["s0", "s1"]]
    weeks = [
        pd.date_range("2024-01-01", periods=len(rows), freq="7D") + pd.Timedelta(days=i)
        for i, (_, rows) in enumerate(table.groupby("shop"))
    ]
    table.index = pd.MultiIndex.from_arrays(
        [table.index.get_level_values(0), weeks[0].append(weeks[1])], names=["shop", "week"]
    )
    X, y = make_supervised(table, group="shop")
    model = make_pipeline(windower(), LinearRegression()).fit(X, y)
    for freq in (None, "W-MON"):
        ahead = forecast(model, table, 2, freq=freq)
        for week, shop in zip(weeks, ("s0", "s1"), strict=True):
            assert list(ahead.loc[shop].index) == [
                week[-1] + pd.Timedelta(weeks=n) for n in (1, 2)
            ]


def test_numbered_times_and_periods_go_on():
    for times in (pd.RangeIndex(2000, 2030), pd.period_range("2024-01", periods=30, freq="M")):
        table = pd.concat(
            {s: pd.DataFrame({"v": np.arange(30.0)}, index=times) for s in "ab"},
            names=["id", "time"],
        )
        X, y = make_supervised(table, group="id")
        model = make_pipeline(
            LookbackWindower(2, padding="edge", group="id"), LinearRegression()
        ).fit(X, y)
        ahead = forecast(model, table, 2)
        assert_allclose(ahead, [30, 31, 30, 31])
        assert ahead.loc["b"].index[0] == times[-1] + 1


@pytest.fixture
def fitted():
    table = shops()[["sold", "price"]]
    X, y = make_supervised(table, target="sold", known="price", group="shop")
    return make_pipeline(windower(), LinearRegression()).fit(X, y), table, ahead_of(table, 4)


def test_a_future_of_a_series_without_history_is_refused(fitted):
    model, table, future = fitted
    with pytest.raises(ValueError, match=r"only series of history.* got 1 others, such as 's1'"):
        forecast(model, table.drop("s1", level="shop"), 2, future=future)


def test_a_future_that_lacks_a_time_of_a_series_is_refused(fitted):
    model, table, future = fitted
    with pytest.raises(
        ValueError, match=r"a row for each of 4 times .* got none for 2024-02-12 in series 's1'"
    ):
        forecast(model, table, 4, future=future.drop(future.loc[["s1"]].index[-1]))


def test_a_future_that_lacks_a_value_is_refused(fitted):
    model, table, future = fitted
    future.iloc[5, 0] = np.nan
    with pytest.raises(ValueError, match="got NaN in column 'price' at 2024-02-10 in series 's1'"):
        forecast(model, table, 4, future=future)


def test_a_future_in_other_units_is_warned_of(fitted):
    model, table, future = fitted
    with pytest.warns(SeriesWarning, match="in column 'price', far from those of history"):
        forecast(model, table, 4, future=100 * future)


def test_a_future_is_needed_for_columns_known_ahead(fitted):
    model, table, future = fitted
    with pytest.raises(ValueError, match="a row for each of 4 times"):
        forecast(model, table, 4)
    with pytest.raises(ValueError, match="future must be a DataFrame, got list"):
        forecast(model, table, 4, future=[1, 2])
    with pytest.raises(
        ValueError, match=r"all columns known ahead, \['price'\], but lacks \['price'\]"
    ):
        forecast(model, table, 4, future=future.rename(columns={"price": "cost"}))


def test_a_history_that_ends_unknown_is_refused():
    table = shops()[["sold"]]
    X, y = make_supervised(table, group="shop")
    model = make_pipeline(windower(), LinearRegression()).fit(X, y)
    table.loc[table.loc[["s1"]].index[-1], "sold"] = np.nan
    with pytest.raises(
        ValueError, match="got NaN in column 'sold' of the last row of series 's1', 2024-02-08"
    ):
        forecast(model, table, 2)


def test_a_forecast_that_is_not_a_number_names_the_series():
    table = shops()[["sold"]]
    X, y = make_supervised(table, group="shop")
    model = make_pipeline(
        LookbackWindower(3, group="shop"), LSTMForecaster(units=2, epochs=1)
    ).fit(X, y)
    one = table.loc[["s0"]]
    assert len(forecast(model, one, 2)) == 2
    table.loc[table.loc[["s1"]].index[-3:-1], "sold"] = np.nan

    class Strict(LinearRegression):
        def fit(self, X, y):
            complete = ~np.isnan(np.asarray(X)).any(axis=1)
            return super().fit(np.asarray(X)[complete], np.asarray(y)[complete])

        def predict(self, X):
            return np.where(np.isnan(np.asarray(X)).any(axis=1), np.nan, 1.0)

    X, y = make_supervised(shops()[["sold"]], group="shop")
    strict = make_pipeline(LookbackWindower(3, group="shop"), Strict()).fit(X, y)
    with pytest.raises(
        ValueError, match="got NaN at step 1, 2024-02-09, for 'sold' in series 's1'"
    ):
        forecast(strict, table, 2)


def test_a_known_column_forgotten_in_forecast_is_told_by_the_model(fitted):
    model, table, _ = fitted
    with pytest.raises(ValueError, match=r"known must be \['price'\], as the model was fitted"):
        forecast(model, table, 1, known=[], target=["sold"])


def test_a_model_that_returns_its_input_is_told():
    table = shops()[["sold"]]
    model = make_pipeline(windower(), LinearRegression())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SeriesWarning)
        model.fit(table, table["sold"])
    with pytest.warns(SeriesWarning, match="predicts for each row its own value of 'sold'"):
        forecast(model, table, 2)


def test_holes_in_the_history_are_told():
    table = shops()[["sold"]]
    X, y = make_supervised(table, group="shop")
    model = make_pipeline(windower(), LinearRegression()).fit(X, y)
    with pytest.warns(SeriesWarning, match="history lacks rows in 1 of 3 series"):
        forecast(model, table.drop(table.loc[["s1"]].index[5]), 2)


def test_a_history_of_another_step_is_refused():
    table = shops()[["sold"]]
    X, y = make_supervised(table, group="shop")
    model = make_pipeline(windower(), LinearRegression()).fit(X, y)
    weekly = table.groupby("shop").nth(list(range(0, 40, 7)))
    with pytest.raises(ValueError, match="history must have a row every D"):
        forecast(model, weekly, 2)


def test_the_laid_out_rows_are_refused_as_history(fitted):
    model, table, _ = fitted
    X, _ = make_supervised(table, target="sold", known="price", group="shop")
    with pytest.raises(ValueError, match="history must hold each value at its own time"):
        forecast(model, X, 1)


class Seen(LinearRegression):
    """A model that shows the last window that it has seen."""

    def fit(self, X, y):
        X, y = np.asarray(X), np.asarray(y)
        known = ~np.isnan(X).any(axis=1) & ~np.isnan(y)
        return super().fit(X[known], y[known])

    def predict(self, X):
        self.last_ = np.asarray(X)[-1]
        return super().predict(np.nan_to_num(X))


@pytest.mark.parametrize("group", ["shop", None])
def test_a_forecast_fills_missing_values_from_before_the_window(group):
    table = shops()[["sold"]].loc[["s0"]]
    table.iloc[34:38] = np.nan
    table = table if group else table.droplevel("shop")
    X, y = make_supervised(table, group=group)
    model = make_pipeline(LookbackWindower(4, fill_missing="forward", group=group), Seen()).fit(
        X, y
    )
    forecast(model, table, 1)
    value = table["sold"].to_numpy()
    assert_allclose(model[-1].last_, [value[33], value[33], value[38], value[39]])


def test_a_context_of_the_fit_does_not_repeat_a_short_series():
    table = shops((40, 3))[["sold"]]
    X, y = make_supervised(table, group="shop")
    ahead = {}
    for context in ("auto", "fit"):
        edged = LookbackWindower(4, padding="edge", context=context, group="shop")
        ahead[context] = forecast(make_pipeline(edged, LinearRegression()).fit(X, y), table, 2)
    pd.testing.assert_series_equal(ahead["fit"], ahead["auto"])


def test_a_windower_of_one_series_is_refused():
    X, y = make_supervised(np.arange(30.0))
    single = make_pipeline(LookbackWindower(4, padding="edge"), LinearRegression()).fit(X, y)
    with pytest.raises(ValueError, match="as in fit, got a windower of one series"):
        forecast(single, shops()[["sold"]], 1, group="shop")


def test_weekly_periods_go_on():
    times = pd.period_range("2024-01-03", periods=12, freq="W-WED")
    table = pd.concat(
        {s: pd.DataFrame({"v": np.arange(12.0)}, index=times) for s in "ab"}, names=["id", "week"]
    )
    X, y = make_supervised(table, group="id")
    model = make_pipeline(LookbackWindower(2, padding="edge", group="id"), LinearRegression()).fit(
        X, y
    )
    assert forecast(model, table, 2).loc["b"].index[-1] == times[-1] + 2


def test_columns_of_future_are_known_ahead_beside_a_column_of_labels():
    table = shops()[["sold", "price"]]
    X, y = make_supervised(table, target="sold", known="price", group="shop")
    model = LinearRegression().fit(X, y)
    future = ahead_of(table, 3)
    expected = forecast(model, table, 3, group="shop", target="sold", future=future)
    given = forecast(
        model, table, 3, group="shop", target="sold", future=future.reset_index("shop")
    )
    pd.testing.assert_series_equal(given, expected)


def test_series_with_few_rows_are_told():
    table = shops()[["sold"]]
    X, y = make_supervised(table, group="shop")
    model = make_pipeline(windower(), LinearRegression()).fit(X, y)
    with pytest.warns(SeriesWarning, match="1 of 2 series with fewer rows than look_back=4"):
        forecast(model, table.drop(table.loc[["s1", "s2"]].groupby("shop").tail(30).index), 2)


def test_labels_of_another_kind_in_future_are_refused(fitted):
    model, table, future = fitted
    future = future.rename(index={"s0": 0, "s1": 1, "s2": 2}, level="shop")
    with pytest.raises(ValueError, match="kind of history, text such as 's0', got 0"):
        forecast(model, table, 2, future=future)


def test_a_column_that_does_not_change_at_first_may_be_scaled():
    table = shops()[["sold", "price"]]
    table["price"] = np.repeat([4.99, 5.49], [60, len(table) - 60])
    X, y = make_supervised(table, target="sold", known="price", group="shop")
    scaled = ColumnTransformer(
        [("price", StandardScaler(), ["price"])],
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    model = make_pipeline(scaled, windower(), LinearRegression()).fit(X, y)
    assert len(forecast(model, table, 3, future=ahead_of(table, 3))) == 9
