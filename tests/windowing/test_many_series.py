"""Windows of several series: each row with the rows before it in its own series."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skl_lstm import (
    GroupedWindows,
    LookbackWindower,
    PanelTimeSeriesSplit,
    SeriesWarning,
    load_model,
    save_model,
)

N_COLUMNS = 2
START = pd.Timestamp("2024-01-01")


def table(places, *, as_column=False):
    """A table of (shop, day) pairs in their order, with a value that tells both."""
    shops = [shop for shop, _ in places]
    days = pd.DatetimeIndex([START + pd.Timedelta(days=day) for _, day in places], name="day")
    values = {f"c{i}": [value_of(*place, i) for place in places] for i in range(N_COLUMNS)}
    if as_column:
        return pd.DataFrame({"shop": shops, **values}, index=days)
    return pd.DataFrame(
        values, index=pd.MultiIndex.from_arrays([shops, days], names=["shop", "day"])
    )


def value_of(shop, day, column):
    return 1000.0 * (ord(shop) - 64) + day + 0.5 * column


def by_hand(places, known, look_back):
    """The window of each row: what is known of its shop on its day and the days before it."""
    return np.array(
        [
            [
                value_of(shop, day - lag, column) if (shop, day - lag) in known else np.nan
                for lag in range(look_back - 1, -1, -1)
                for column in range(N_COLUMNS)
            ]
            for shop, day in places
        ]
    )


def silently(function, *values):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SeriesWarning)
        return function(*values)


# Days of each of up to four shops, with holes; rows of all shops mixed, in time order in each.
@st.composite
def panels(draw, first_day=0, last_day=12, shops="ABCD", min_rows=0):
    days = {
        shop: sorted(draw(st.sets(st.integers(first_day, last_day), min_size=min_rows)))
        for shop in shops
    }
    order = draw(st.permutations([shop for shop, own in days.items() for _ in own]))
    following = {shop: iter(own) for shop, own in days.items()}
    return [(shop, next(following[shop])) for shop in order]


@given(panels(), st.integers(1, 4), st.booleans())
def test_windows_of_the_training_rows_are_those_of_a_loop(places, look_back, as_column):
    lengths = [sum(shop == each for shop, _ in places) for each in "ABCD"]
    if max(lengths) < look_back or not daily(places):
        return
    windower = LookbackWindower(look_back, group="shop", freq=None)
    windows = silently(windower.fit_transform, table(places, as_column=as_column))
    assert_array_equal(np.asarray(windows), by_hand(places, set(places), look_back))
    again = silently(windower.transform, table(places, as_column=as_column))
    assert_array_equal(np.asarray(again), by_hand(places, set(places), look_back))


def daily(places):
    """Whether the longest shop has two neighboring days more often than others."""
    days = {}
    for shop, day in places:
        days.setdefault(shop, []).append(day)
    longest = max((days[shop] for shop in sorted(days)), key=len)
    weekend = any((START + pd.Timedelta(days=day)).day_of_week > 4 for day in longest)
    return (
        weekend and len(longest) > 2 and 2 * np.count_nonzero(np.diff(longest) == 1) > len(longest)
    )


@given(panels(0, 8), panels(4, 14, shops="BCDE"), st.integers(1, 4))
def test_windows_of_later_rows_take_the_last_rows_of_their_own_series(seen, later, look_back):
    seen = [("A", day) for day in range(9)] + [place for place in seen if place[0] != "A"]
    lasts = {shop: max(day for each, day in seen if each == shop) for shop, _ in seen}
    later = [(shop, day) for shop, day in later if day > lasts.get(shop, -1)]
    if not later:
        return
    windower = LookbackWindower(look_back, group="shop")
    silently(windower.fit, table(seen))
    windows = silently(windower.transform, table(later))
    expected = by_hand(later, set(seen) | set(later), look_back)
    assert_array_equal(np.asarray(windows), expected)


@given(panels(0, 12), st.integers(1, 4), st.integers(0, 2), st.booleans())
def test_rows_of_a_fold_see_the_training_rows_of_their_own_series(places, look_back, gap, sliding):
    whole = [("A", day) for day in range(13)] + [place for place in places if place[0] != "A"]
    X = table(whole)
    cv = PanelTimeSeriesSplit(2, test_size=3, gap=gap, max_train_size=5 if sliding else None)
    for train, test in cv.split(X):
        windower = LookbackWindower(look_back, group="shop", freq=None)
        known = {whole[row] for row in (*train, *test)}
        windows = silently(windower.fit_transform, X.iloc[train])
        seen = [whole[row] for row in train]
        assert_array_equal(np.asarray(windows), by_hand(seen, set(seen), look_back))
        later = [whole[row] for row in test]
        windows = np.asarray(silently(windower.transform, X.iloc[test]))
        assert_array_equal(windows, by_hand(later, known, look_back))


@given(panels(0, 8), panels(0, 8), st.integers(1, 4), st.sampled_from(["fit", "none"]))
def test_context_none_takes_nothing_of_the_training_rows(seen, others, look_back, context):
    seen = [("A", day) for day in range(9)] + [place for place in seen if place[0] != "A"]
    if not others:
        return
    windower = LookbackWindower(look_back, group="shop", context=context)
    silently(windower.fit, table(seen))
    windows = np.asarray(silently(windower.transform, table(others)))
    if context == "none":
        assert_array_equal(windows, by_hand(others, set(others), look_back))
        return
    firsts = {shop: day for shop, day in reversed(others)}
    at = [others.index(each) for each in firsts.items() if each[0] in dict(seen)]
    for row in at:
        shop = others[row][0]
        last = max(day for each, day in seen if each == shop)
        tail = by_hand([(shop, last)], set(seen), look_back - 1) if look_back > 1 else [[]]
        assert_array_equal(windows[row, : (look_back - 1) * N_COLUMNS], tail[0])


@given(panels(0, 10, min_rows=1), st.data())
@settings(max_examples=50)
def test_the_future_does_not_change_a_window(places, data):
    windower = LookbackWindower(3, group="shop")
    whole = [("A", day) for day in range(11)] + [place for place in places if place[0] != "A"]
    row = data.draw(st.integers(0, len(whole) - 1))
    X = table(whole)
    before = np.asarray(silently(windower.fit_transform, X))[row]
    later = X.index.get_level_values("day") > X.index[row][1]
    X.loc[later, :] = -1.0
    X.loc[X.index.get_level_values("shop") != whole[row][0], :] = -2.0
    assert_array_equal(np.asarray(silently(windower.fit_transform, X))[row], before)


DAYS = [("A", day) for day in range(6)] + [("B", day) for day in range(2, 8)]


def test_padding_edge_repeats_the_first_row_of_each_series():
    windows = np.asarray(
        LookbackWindower(3, padding="edge", group="shop").fit_transform(table(DAYS))
    )
    first = {shop: windows[DAYS.index((shop, day))] for shop, day in [("A", 0), ("B", 2)]}
    for shop, day in [("A", 0), ("B", 2)]:
        row = [value_of(shop, day, column) for column in range(N_COLUMNS)]
        assert_array_equal(first[shop], row * 3)
    assert not np.isnan(windows).any()


def test_fill_missing_carries_values_forward_within_a_series():
    X = table(DAYS)
    X.iloc[[2, 6], 0] = np.nan
    windower = LookbackWindower(2, fill_missing="forward", group="shop")
    windows = np.asarray(windower.fit_transform(X))
    assert windows[2, 2] == value_of("A", 1, 0)
    assert np.isnan(windows[6, 2])  # the first of B has nothing before it


def test_rows_that_follow_a_hole_lack_lags_and_tell():
    windower = LookbackWindower(3, group="shop").fit(table(DAYS))
    with pytest.warns(
        SeriesWarning, match="1 of 2 series that do not follow the rows seen in fit"
    ):
        windows = windower.transform(table([("A", 9), ("B", 8)]))
    assert_array_equal(
        np.asarray(windows), by_hand([("A", 9), ("B", 8)], {*DAYS, ("A", 9), ("B", 8)}, 3)
    )


def test_a_hole_in_training_is_told():
    with pytest.warns(
        SeriesWarning, match=r"lacks rows in 1 of 2 series: .*'A' has none for 2024-01-04"
    ):
        LookbackWindower(3, group="shop").fit(table([d for d in DAYS if d != ("A", 3)]))


def test_freq_refuses_a_hole():
    with pytest.raises(ValueError, match="'A' has none for 2024-01-04, as its frequency D"):
        LookbackWindower(3, group="shop", freq="D").fit(table([d for d in DAYS if d != ("A", 3)]))


def test_freq_rows_takes_rows_to_follow():
    X = table([d for d in DAYS if d != ("A", 3)])
    windows = np.asarray(LookbackWindower(2, group="shop", freq="rows").fit_transform(X))
    assert windows[3, 0] == value_of("A", 2, 0)


def test_series_of_other_days_of_the_week_share_a_step():
    weeks = pd.date_range("2024-01-01", periods=6, freq="W-MON")
    frames = {
        shop: pd.DataFrame({"sold": np.arange(6.0)}, index=weeks + pd.Timedelta(days=i))
        for i, shop in enumerate("AB")
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        windower = LookbackWindower(2, group="shop").fit(
            pd.concat(frames, names=["shop", "week"])[:11]
        )
        later = frames["B"].iloc[5:].assign(shop="B").set_index("shop", append=True)
        assert_array_equal(np.asarray(windower.transform(later)), [[4.0, 5.0]])


@pytest.mark.parametrize("freq", ["MS", "ME", "QS", "B", "W", "h", "15min", "D"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_the_step_is_inferred_and_rows_follow(freq, zone):
    times = pd.date_range("2024-03-01", periods=40, freq=freq, tz=zone)
    X = pd.concat(
        {shop: pd.DataFrame({"v": np.arange(40.0)}, index=times) for shop in "AB"},
        names=["shop", "time"],
    )
    X = X.sort_index(level="time")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        windower = LookbackWindower(3, group="shop").fit(X[:60])
        windows = np.asarray(windower.transform(X[60:]))
    assert_array_equal(windows[:2], [[28, 29, 30]] * 2)


def test_periods_and_numbers_are_times_too():
    for times in (pd.period_range("2024-01", periods=8, freq="M"), pd.RangeIndex(10, 26, 2)):
        X = pd.concat(
            {shop: pd.DataFrame({"v": np.arange(8.0)}, index=times) for shop in "AB"},
            names=["shop", "time"],
        )
        windower = LookbackWindower(2, group="shop").fit(X.groupby("shop").head(5))
        assert_array_equal(np.asarray(windower.transform(X.groupby("shop").tail(3)))[0], [4, 5])


def test_irregular_times_follow_if_later():
    times = pd.DatetimeIndex(
        [
            "2024-01-01 00:00",
            "2024-01-01 07:13",
            "2024-01-01 07:40",
            "2024-01-02 03:00",
            "2024-01-02 11:59",
            "2024-01-03 01:01",
        ]
    )
    X = pd.DataFrame({"v": np.arange(6.0), "id": 1}, index=times)
    windower = LookbackWindower(2, group="id")
    silently(windower.fit, X[:5])
    assert_array_equal(np.asarray(silently(windower.transform, X[5:])), [[4, 5]])
    assert_array_equal(
        np.asarray(silently(windower.transform, X[:5]))[1:], [[0, 1], [1, 2], [2, 3], [3, 4]]
    )


def test_series_shorter_than_look_back_are_counted_in_one_warning():
    X = table([*DAYS, ("C", 0), ("D", 1)])
    with pytest.warns(
        SeriesWarning, match="2 of 4 series with fewer rows than look_back=3, such as 'C' with 1"
    ) as told:
        LookbackWindower(3, group="shop").fit(X)
    assert len(told) == 1


def test_no_series_that_is_long_enough_is_refused():
    with pytest.raises(
        ValueError,
        match=r"look_back=9 needs a series .* rows, got n_samples=6 in the longest of 2",
    ):
        LookbackWindower(9, group="shop").fit(table(DAYS))


def test_labels_of_another_kind_than_in_fit_are_refused():
    windower = LookbackWindower(2, group="shop").fit(table(DAYS, as_column=True))
    X = table(DAYS, as_column=True).assign(shop=1)
    with pytest.raises(
        ValueError,
        match=r"labels of the same kind as in fit, text such as 'A', got numbers such as 1",
    ):
        windower.transform(X[:1])


def test_times_of_another_kind_than_in_fit_are_refused():
    windower = LookbackWindower(2, group="shop").fit(table(DAYS))
    X = table(DAYS, as_column=True)
    numbered = X.set_axis(range(len(X))).set_index("shop", append=True)
    with pytest.raises(
        ValueError, match="X must be indexed by dates without a time zone, as in fit, got numbers"
    ):
        windower.transform(numbered)


def test_a_date_column_left_over_is_refused():
    with pytest.raises(
        ValueError, match="column 'day' holds times: set the time of the rows as the index"
    ):
        LookbackWindower(2, group="shop").fit(table(DAYS).assign(day=START))


def test_names_are_those_of_the_columns_without_the_group():
    windower = LookbackWindower(2, group="shop").fit(table(DAYS, as_column=True))
    expected = ["c0_lag1", "c1_lag1", "c0_lag0", "c1_lag0"]
    assert windower.get_feature_names_out().tolist() == expected
    assert windower.get_feature_names_out(["shop", "c0", "c1"]).tolist() == expected
    framed = windower.set_output(transform="pandas").transform(table(DAYS, as_column=True))
    assert framed.columns.tolist() == expected


def test_columns_and_levels_may_tell_series_apart_together():
    X = table(DAYS).assign(item=1)
    both = np.asarray(LookbackWindower(2, group=["shop", "item"]).fit_transform(X))
    assert_array_equal(
        both, np.asarray(LookbackWindower(2, group="shop").fit_transform(table(DAYS)))
    )


def test_windows_behave_as_an_array():
    windows = LookbackWindower(2, group="shop").fit_transform(table(DAYS))
    laid_out = np.asarray(windows)
    assert isinstance(windows, GroupedWindows)
    assert windows.shape == laid_out.shape
    assert windows.dtype == laid_out.dtype
    assert windows.size == laid_out.size
    assert_array_equal(np.array(list(windows)), laid_out)
    for key in (
        slice(2, 5),
        [3, 1],
        np.arange(12) % 2 == 0,
        (slice(1, 4), ...),
        ([2, 0], slice(None)),
    ):
        part = windows[key]
        assert isinstance(part, GroupedWindows)
        assert_array_equal(np.asarray(part), laid_out[key])
    for key in (4, (4, 1), (slice(None), 0), (slice(2, 4), slice(-2, None)), ([0, 1], [1, 2])):
        assert_array_equal(windows[key], laid_out[key])
    assert_array_equal(windows.complete(), ~np.isnan(laid_out).any(axis=1))
    assert_array_equal(windows.rows_after(), [5, 4, 3, 2, 1, 0] * 2)
    assert_array_equal(np.hstack([windows, windows]), np.hstack([laid_out, laid_out]))
    assert_array_equal(np.asarray(pickle.loads(pickle.dumps(windows))), laid_out)
    assert np.asarray(windows, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="laid out in a copy, got copy=False"):
        np.array(windows, copy=False)
    assert repr(windows) == "GroupedWindows(shape=(12, 4), step_columns=('c0', 'c1'))"


def test_windows_take_the_memory_of_the_rows():
    many = table([(shop, day) for shop in "ABCD" for day in range(200)])
    windows = LookbackWindower(48, group="shop").fit_transform(many)
    assert windows.rows.nbytes < 1.3 * many.to_numpy().nbytes
    assert windows[10:].rows is windows.rows


@pytest.mark.parametrize(
    "store", ["pickle", pytest.param("skops", marks=pytest.mark.needs("skops"))]
)
def test_a_fitted_windower_is_stored_with_its_series(store, tmp_path):
    windower = LookbackWindower(3, group="shop").fit(table(DAYS))
    later = table([("A", 6), ("B", 8), ("C", 1)])
    expected = np.asarray(windower.transform(later))
    if store == "pickle":
        again = pickle.loads(pickle.dumps(windower))
    else:
        save_model(windower, tmp_path / "windower")
        again = load_model(tmp_path / "windower")
    assert_array_equal(np.asarray(again.transform(later)), expected)


@pytest.mark.parametrize(
    ("seen", "later"),
    [
        (pd.date_range("2024-01-01", periods=9), pd.date_range("2024-02-25 06:00", periods=2)),
        (pd.date_range("2020-01-01", periods=9, freq="MS"), pd.DatetimeIndex(["2024-05-15"])),
        (pd.date_range("2020-01-01", periods=9, freq="B"), pd.DatetimeIndex(["2020-02-01"])),
        (pd.RangeIndex(0, 90, 10), pd.Index([505, 515])),
        (
            pd.DatetimeIndex(["2024-01-01", "2024-01-03 07:13", "2024-01-04 02:00", "2024-01-09"]),
            pd.DatetimeIndex(["2027-01-01"]),
        ),
    ],
    ids=["days", "months", "business days", "numbers", "irregular"],
)
def test_rows_off_the_step_take_no_lags_over_a_gap(seen, later):
    def rows(times, first):
        values = pd.DataFrame({"v": first + np.arange(float(len(times)))}, index=times)
        return pd.concat({"a": values, "b": values}, names=["shop", "time"])

    windower = LookbackWindower(3, group="shop")
    silently(windower.fit, rows(seen, 0.0))
    with pytest.warns(SeriesWarning, match="2 of 2 series that do not follow"):
        windows = np.asarray(windower.transform(rows(later, 100.0)))
    assert np.isnan(windows[0, :2]).all()
    assert windows[0, 2] == 100.0


def test_an_odd_time_does_not_hide_a_hole():
    windower = LookbackWindower(3, group="shop").fit(table(DAYS))
    times = pd.DatetimeIndex(["2024-01-07", "2024-01-08", "2024-03-01", "2024-03-02 06:00"])
    X = pd.DataFrame({"shop": "A", "c0": np.arange(4.0), "c1": 0.0}, index=times)
    windows = np.asarray(silently(windower.transform, X.set_index("shop", append=True)))
    assert_array_equal(windows[3, ::2], [np.nan, 2.0, 3.0])


@pytest.mark.parametrize("how", [{"padding": "edge"}, {"fill_missing": "forward"}], ids=str)
@pytest.mark.parametrize("group", ["shop", None])
def test_what_is_carried_on_is_so_over_a_long_gap(how, group):
    X = table([("A", day) for day in (*range(6), 20, 21)])
    X = X if group else X.droplevel("shop")
    windower = LookbackWindower(3, group=group, **how)
    silently(windower.fit, X[:6])
    windows = np.asarray(silently(windower.transform, X[6:]))
    assert_array_equal(windows[:, 0], [1005.0, 1005.0])


def test_unsigned_numbers_are_times_too():
    times = pd.Index(np.arange(8, dtype=np.uint64), name="t")
    X = pd.concat(
        {s: pd.DataFrame({"v": np.arange(8.0)}, index=times) for s in "ab"}, names=["id"]
    )
    windower = LookbackWindower(2, group="id").fit(X.groupby("id").head(5))
    assert_array_equal(np.asarray(windower.transform(X.groupby("id").tail(3)))[0], [4, 5])


def test_columns_named_by_numbers_are_refused():
    X = table(DAYS).set_axis([0, 1], axis=1)
    with pytest.raises(ValueError, match=r"columns named by text with group, got \[0, 1\]"):
        LookbackWindower(2, group="shop").fit(X)


def test_a_table_without_rows_or_columns_is_refused():
    for X in (table(DAYS)[:0], table(DAYS)[[]]):
        with pytest.raises(ValueError, match="X must have a row, and a column beside 'shop'"):
            LookbackWindower(2, group="shop").fit(X)


def test_a_group_set_after_the_fit_is_refused():
    windower = LookbackWindower(2).fit(table(DAYS[:6]).droplevel("shop")).set_params(group="shop")
    with pytest.raises(ValueError, match="group must be None, as in fit, got 'shop'"):
        windower.transform(table(DAYS))


def test_a_fold_that_is_not_cut_by_time_is_told():
    X = table([("A", day) for day in range(8)] + [("B", day) for day in range(8)])
    windower = LookbackWindower(3, group="shop").fit(X[:12])
    with pytest.warns(SeriesWarning, match="of 'B', at times at which other series were seen"):
        windower.transform(X[12:])


def test_y_in_another_order_than_X_is_refused():
    X = table(DAYS)
    y = X["c0"].sort_index(level="day")
    with pytest.raises(ValueError, match="y must have the rows of X, in the same order"):
        LookbackWindower(3, group="shop").fit(X, y)
