"""The index decides which rows follow which, in fit and in transform."""

import pickle
import re
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from skl_lstm import LookbackWindower, SeriesWarning, make_supervised

INDEXES = {
    "days": pd.date_range("2024-01-01", periods=60),
    "local days over a change of time": pd.date_range(
        "2024-03-01", periods=60, tz="Europe/Berlin"
    ),
    "local hours over a change of time": pd.date_range(
        "2024-10-26", periods=60, freq="h", tz="Europe/Berlin"
    ),
    "UTC hours": pd.date_range("2024-10-26", periods=60, freq="h", tz="UTC"),
    "quarters of an hour": pd.date_range("2024-01-01", periods=60, freq="15min"),
    "business days": pd.bdate_range("2024-01-01", periods=60),
    "month ends": pd.date_range("2020-01-31", periods=60, freq="ME"),
    "the 15th of each month": pd.date_range(
        "2020-01-15", periods=60, freq=pd.DateOffset(months=1)
    ),
    "Wednesdays": pd.date_range("2024-01-03", periods=60, freq="W-WED"),
    "fiscal quarters": pd.date_range("1990-02-28", periods=60, freq="QE-FEB"),
    "years": pd.date_range("1950", periods=60, freq="YS"),
    "monthly periods": pd.period_range("2020-01", periods=60, freq="M"),
    "fiscal quarters as periods": pd.period_range("2000Q1", periods=60, freq="Q-FEB"),
    "numbers": pd.RangeIndex(5, 65),
    "tens": pd.RangeIndex(0, 600, 10),
    "years as numbers": pd.Index(np.arange(1960, 2020)),
}
LOOK_BACK = 4


@pytest.fixture(params=INDEXES, ids=lambda name: name.replace(" ", "_"))
def series(request):
    index = INDEXES[request.param]
    if isinstance(index, pd.DatetimeIndex):
        index = pd.DatetimeIndex(list(index))  # without its frequency, as read from a file
    return pd.DataFrame({"load": np.arange(60.0)}, index)


def expected_windows(rows, known, look_back=LOOK_BACK):
    """Windows of rows that hold their own place; lags that are not `known` are NaN."""
    places = np.asarray(rows)[:, None] + np.arange(1 - look_back, 1)
    return np.where(np.isin(places, list(known)), places, np.nan)


def fitted(series, n_rows=40, **parameters):
    return LookbackWindower(LOOK_BACK, **parameters).fit(series[:n_rows])


def test_rows_that_follow_see_the_tail_without_a_word(series):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        windows = fitted(series).transform(series[40:])
    assert_array_equal(windows, expected_windows(range(40, 60), range(60)))


@pytest.mark.parametrize("gap", [1, 2, 3, 10])
def test_rows_after_a_gap_see_only_what_is_known_and_say_so(gap, series):
    with pytest.warns(SeriesWarning, match="which does not follow the rows seen in fit"):
        windows = fitted(series).transform(series[40 + gap :])
    known = {*range(40), *range(40 + gap, 60)}
    assert_array_equal(windows, expected_windows(range(40 + gap, 60), known))


@pytest.mark.parametrize("start", [1, 10, 36, 37])
def test_new_rows_with_their_past_are_complete_without_a_word(start, series):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        windows = fitted(series).transform(series[start:])
    known = {*range(start, 60), *range(40 - LOOK_BACK + 1, 40)}
    assert_array_equal(windows, expected_windows(range(start, 60), known))
    assert not np.isnan(windows[40 - start :]).any()


@pytest.mark.parametrize(("start", "end"), [(1, 30), (10, 40), (36, 40), (38, 60), (39, 60)])
def test_rows_within_the_training_rows_never_see_later_ones(start, end, series):
    with pytest.warns(SeriesWarning, match="which does not follow the rows seen in fit"):
        windows = fitted(series).transform(series[start:end])
    known = {*range(start, end), *range(40 - LOOK_BACK + 1, 40)}
    assert_array_equal(windows, expected_windows(range(start, end), known))


def test_the_training_series_is_known_again_and_may_have_grown(series):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        windows = fitted(series).transform(series)
    assert_array_equal(windows, expected_windows(range(60), range(60)))


def test_rows_before_the_training_rows_see_nothing_of_them(series):
    windower = LookbackWindower(LOOK_BACK).fit(series[20:])
    with pytest.warns(SeriesWarning, match="which does not follow the rows seen in fit"):
        windows = windower.transform(series[:20])
    assert_array_equal(windows, expected_windows(range(20), range(20)))


def test_a_single_row_with_its_past_is_exact(series):
    with pytest.warns(SeriesWarning, match="which does not follow the rows seen in fit"):
        windows = fitted(series).transform(series[50 - LOOK_BACK + 1 : 51])
    assert_array_equal(windows[-1:], expected_windows([50], range(60)))


def test_no_window_reaches_over_a_hole(series):
    kept = np.delete(np.arange(60), [10, 11, 30])
    series = series.iloc[kept]
    windower = LookbackWindower(LOOK_BACK)
    with pytest.warns(SeriesWarning, match="^X lacks a row for .*; no window reaches over a hole"):
        windows = windower.fit_transform(series[:35])
    assert_array_equal(windows, expected_windows(kept[:35], kept[:35]))
    assert_array_equal(windower.transform(series[35:]), expected_windows(kept[35:], kept))
    with pytest.warns(SeriesWarning, match="^X lacks a row for .*; no window reaches over a hole"):
        later = LookbackWindower(LOOK_BACK).fit(series[:9]).transform(series[9:])
    assert_array_equal(later, expected_windows(kept[9:], kept))


def test_rows_are_consecutive_where_freq_says_so(series):
    kept = series.drop(series.index[[10, 11, 30]])
    windower = LookbackWindower(LOOK_BACK, freq="rows").fit(kept[:35])
    plain = LookbackWindower(LOOK_BACK).fit(kept.to_numpy()[:35])
    assert_array_equal(windower.transform(kept[35:]), plain.transform(kept.to_numpy()[35:]))


def test_padding_edge_repeats_the_last_row_before_a_hole():
    series = pd.DataFrame({"x": np.arange(10.0)}, pd.RangeIndex(5, 15)).drop([8, 9])
    with pytest.warns(SeriesWarning, match="^X lacks a row for 8, as its frequency 1 requires"):
        windows = LookbackWindower(3, padding="edge").fit_transform(series)
    assert_array_equal(windows[:4], [[0, 0, 0], [0, 0, 1], [0, 1, 2], [2, 2, 5]])


def test_padding_edge_fills_a_hole_at_the_end_of_the_training_rows():
    series = pd.DataFrame({"x": np.arange(20.0)}, pd.RangeIndex(5, 25)).drop(14)
    with pytest.warns(SeriesWarning, match="^X lacks a row for 14"):
        windower = LookbackWindower(4, padding="edge").fit(series[:11])
    assert_array_equal(windower.transform(series[11:])[0], [8, 10, 11, 12])
    assert not np.isnan(windower.transform(series[11:])).any()


@pytest.mark.parametrize("freq", ["D", "h", 1, pd.offsets.Day()])
def test_a_given_frequency_refuses_a_hole(freq):
    index = {"h": pd.date_range("2024", periods=9, freq="h"), 1: pd.RangeIndex(9)}.get(
        freq, pd.date_range("2024", periods=9)
    )
    series = pd.DataFrame({"x": np.arange(9.0)}, index)
    windower = LookbackWindower(2, freq=freq).fit(series)
    before = pickle.dumps(windower)
    with pytest.raises(
        ValueError,
        match=r"^X must have a row for .*, as its frequency \w+ requires, got .* after .*; add "
        r"the row, or set freq='rows' if none is missing$",
    ):
        windower.fit(series.drop(series.index[4]))
    assert pickle.dumps(windower) == before


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (
            pd.DatetimeIndex(["2024-01-02", "2024-01-01", "2024-01-03"]),
            "^X must have an index that increases from row to row, got 2024-01-01 after "
            r"2024-01-02; sort the series with sort_index\(\) first$",
        ),
        (
            pd.DatetimeIndex(["2024-01-01", "2024-01-01", "2024-01-03"]),
            r"^X must have one row for each time, got 2024-01-01 twice; name what tells several "
            r"series apart in group, or "
            r"keep one row; local times in which an hour is repeated need a time zone "
            r"\(tz_localize\)$",
        ),
        (pd.Index([5, 4, 3]), "^X must have an index that increases from row to row, got 4 after"),
        (pd.Index([1949.0, 1951.0, 1950.0]), "increases from row to row, got 1950.0 after 1951.0"),
        (pd.Index([0.1, 0.5, 0.2]), "increases from row to row, got 0.2 after 0.5"),
        (pd.Index([0.1, 0.1, 0.2]), "^X must have one row for each time, got 0.1 twice"),
        (
            pd.Index([0.1, np.nan, 0.2]),
            "^X must have a time for each row, got NaN in its index$",
        ),
        (
            pd.PeriodIndex(["2024-02", "2024-01", "2024-03"], freq="M"),
            "^X must have an index that increases from row to row, got 2024-01 after 2024-02",
        ),
        (
            pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["shop", "day"]),
            r"^X must be one series, indexed by its times, got an index of the levels "
            r"\['shop', 'day'\]; name .* or select one series with X.xs\(label, level=…\)$",
        ),
        (
            pd.DatetimeIndex(["2024-01-01", pd.NaT, "2024-01-03"]),
            "^X must have a time for each row, got NaT in its index$",
        ),
    ],
)
def test_times_out_of_order_are_refused(index, message):
    series = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index)
    with pytest.raises(ValueError, match=message):
        LookbackWindower(2).fit(series)
    windower = LookbackWindower(2).fit(series.set_axis(pd.date_range("2024", periods=3)))
    with pytest.raises(ValueError, match=message):
        windower.transform(series)


@pytest.mark.parametrize(
    ("fitted_on", "given", "message"),
    [
        (
            pd.date_range("2024", periods=5),
            pd.date_range("2024", periods=5, tz="UTC"),
            "^X must be indexed by dates without a time zone, as in fit, got dates of a time "
            r"zone; X.to_numpy\(\) has no index$",
        ),
        (
            pd.period_range("2024", periods=5, freq="M"),
            pd.RangeIndex(7, 12),
            "^X must be indexed by periods of frequency M, as in fit, got numbers; ",
        ),
    ],
)
def test_times_of_another_kind_are_refused(fitted_on, given, message):
    series = pd.DataFrame({"x": np.arange(5.0)}, fitted_on)
    windower = LookbackWindower(2).fit(series)
    with pytest.raises(ValueError, match=message):
        windower.transform(series.set_axis(given))


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(3),
        pd.Index(["a", "b", "c"]),
        pd.Index([0.1, 0.2, 0.5]),
        pd.Index([1e300, 2e300, np.inf]),
    ],
    ids=["numbered afresh", "labels", "fractions", "no whole numbers"],
)
def test_other_labels_are_no_times_and_rows_follow(index):
    windower = LookbackWindower(2).fit(
        pd.DataFrame({"x": np.arange(5.0)}, pd.date_range("2024", periods=5))
    )
    assert_array_equal(
        windower.transform(pd.DataFrame({"x": [7.0, 8.0, 9.0]}, index)), [[4, 7], [7, 8], [8, 9]]
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32, "Float64"])
def test_years_as_floats_are_times(dtype):
    years = pd.Index(np.arange(1950, 1959), dtype=dtype)
    series = pd.DataFrame({"x": np.arange(9.0)}, years)
    windower = LookbackWindower(2).fit(series.iloc[:5])
    assert_array_equal(windower.transform(series.iloc[5:])[0], [4, 5])
    with pytest.warns(SeriesWarning, match="^X begins at 1956, which does not follow"):
        assert_array_equal(windower.transform(series.iloc[6:])[0], [np.nan, 6])
    with pytest.warns(SeriesWarning, match="^X lacks a row for 1953, as its frequency 1"):
        LookbackWindower(2).fit(series.drop(1953))


def test_dates_of_the_standard_library_are_times():
    days = list(pd.date_range("2024", periods=9).date)
    series = pd.DataFrame({"x": np.arange(9.0)}, pd.Index(days, dtype=object))
    windower = LookbackWindower(2).fit(series[:5])
    with pytest.warns(SeriesWarning, match="^X begins at 2024-01-07, which does not follow"):
        assert_array_equal(windower.transform(series[6:])[0], [np.nan, 6])


def irregular(freq=None):
    gaps = np.random.default_rng(0).integers(1000, 9999, 20)
    index = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.cumsum(gaps), unit="s")
    series = pd.DataFrame({"x": np.arange(20.0)}, index)
    return series, LookbackWindower(3, freq=freq)


def test_irregular_times_are_told_and_follow_where_they_are_soon_later():
    series, windower = irregular()
    with pytest.warns(
        SeriesWarning,
        match="^X has no regular times: 2024-01-01 .* comes after 2024-01-01 .*; its rows are "
        r"taken to follow each other. Set freq='rows' if they do$",
    ):
        windower.fit(series[:12])
    series, windower = irregular("rows")
    windower.fit(series[:12])
    assert_array_equal(windower.transform(series[12:])[0], [10, 11, 12])
    for begin in (3, 18):
        with pytest.warns(SeriesWarning, match="which does not follow the rows seen in fit"):
            windows = windower.transform(series[begin:])
        assert_array_equal(windows[0], [np.nan, np.nan, begin])


@pytest.mark.parametrize(
    ("form", "text", "code"),
    [
        ("%Y-%m-%d", "2024-01-01", "pd.to_datetime(X.index)"),
        ("%Y/%m", "2024/01", "pd.to_datetime(X.index)"),
        (
            "%d.%m.%Y",
            "01.01.2024",
            "pd.to_datetime(X.index, dayfirst=True), or False where the month is first",
        ),
    ],
)
def test_dates_as_text_are_told(form, text, code):
    days = pd.date_range("2024", periods=5).strftime(form)
    with pytest.warns(
        SeriesWarning,
        match=f"^X is indexed by text such as {text!r}, which is not read as dates, so that "
        rf"the order of the rows is not checked: X.index = {re.escape(code)}$",
    ):
        LookbackWindower(2).fit(pd.DataFrame({"x": np.arange(5.0)}, days))


@pytest.mark.parametrize(("context", "lags"), [("fit", [38, 39]), ("none", [np.nan, np.nan])])
def test_context_overrules_the_index(context, lags):
    series = pd.DataFrame({"x": np.arange(60.0)}, pd.date_range("2024", periods=60))
    windower = LookbackWindower(3, context=context).fit(series[:40])
    assert_array_equal(windower.transform(series[45:])[0], [*lags, 45])


@pytest.mark.parametrize("cv", [TimeSeriesSplit(3, gap=2), KFold(4)], ids=str)
def test_every_fold_of_a_splitter_sees_true_lags_or_none(cv):
    series = pd.DataFrame({"x": np.arange(60.0)})
    for train, test in cv.split(series):
        windower = LookbackWindower(LOOK_BACK)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SeriesWarning)
            learned = windower.fit_transform(series.iloc[train])
            judged = windower.transform(series.iloc[test])
        assert_array_equal(learned, expected_windows(train, train))
        assert_array_equal(judged, expected_windows(test, {*train[-LOOK_BACK + 1 :], *test}))


@given(
    st.lists(st.integers(1, 4), min_size=8, max_size=30),
    st.integers(1, 5),
    st.data(),
)
def test_any_rows_of_any_series_see_true_lags_or_none(steps, look_back, data):
    places = np.cumsum(steps)
    series = pd.DataFrame({"x": places.astype(float)}, pd.Index(places))
    n_train = data.draw(st.integers(look_back, len(places)))
    first = data.draw(st.integers(0, len(places) - 1))
    windower = LookbackWindower(look_back, freq=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SeriesWarning)
        learned = windower.fit_transform(series[:n_train])
        judged = windower.transform(series[first:])
    step = windower.span_["freq"] or 1
    for rows, windows in ((places[:n_train], learned), (places[first:], judged)):
        if ((rows - places[0]) % step).any():
            continue  # later rows stand between those that fit could see
        lags = rows[:, None] + step * np.arange(1 - look_back, 1)
        seen = ~np.isnan(windows)
        assert_array_equal(windows[seen], lags[seen])
        assert_array_equal(seen, seen & np.isin(lags, places))
        assert seen[:, -1].all()


@pytest.mark.parametrize("name", ["days", "the 15th of each month", "monthly periods", "tens"])
def test_a_stored_windower_still_knows_its_time(name, tmp_path):
    series = pd.DataFrame({"x": np.arange(60.0)}, INDEXES[name])
    model = make_pipeline(LookbackWindower(3, padding="edge"), LinearRegression())
    model.fit(series[:40], np.arange(40.0))
    joblib.dump(model, tmp_path / "model.joblib")
    with pytest.warns(SeriesWarning, match="which does not follow"):
        again = joblib.load(tmp_path / "model.joblib")[0].transform(series[45:])
    with pytest.warns(SeriesWarning, match="which does not follow"):
        assert_array_equal(again, model[0].transform(series[45:]))


def test_supervised_refuses_rows_out_of_order():
    series = pd.Series(
        [1.0, 2.0, 3.0], pd.DatetimeIndex(["2024-01-02", "2024-01-01", "2024-01-03"])
    )
    with pytest.raises(ValueError, match=r"^series must have an index that increases from row"):
        make_supervised(series)
