"""An index goes on as it began, and a hole in it is named."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skl_lstm.windowing.calendar import following, frequency, season_of

DATES = {
    "month ends": pd.date_range("2020-01-31", periods=32, freq="ME"),
    "business days": pd.bdate_range("2024-01-01", periods=32),
    "summer time": pd.date_range("2024-03-01", periods=32, freq="D", tz="Europe/Paris"),
    "half hours": pd.date_range("2024-01-01", periods=32, freq="30min"),
    "every other month": pd.date_range("2020-01-01", periods=32, freq="2MS"),
    "years": pd.date_range("1980-01-01", periods=32, freq="YS"),
    "pay days": pd.date_range("2000-01-15", periods=32, freq=pd.DateOffset(months=1)),
    "every third 28th": pd.date_range("2000-02-28", periods=32, freq=pd.DateOffset(months=3)),
    "birthdays": pd.date_range("1980-07-04", periods=32, freq=pd.DateOffset(months=12)),
}


@pytest.mark.parametrize("stored", [True, False], ids=["freq", "no freq"])
@pytest.mark.parametrize("index", DATES.values(), ids=list(DATES))
def test_dates_go_on_with_their_frequency(index, stored):
    index = index.rename("when")
    past = index[:30] if stored else pd.DatetimeIndex(list(index[:30]), name="when")
    ahead = following(past, 2)
    pd.testing.assert_index_equal(ahead, index[30:], exact=True)
    assert ahead.freq == index.freq


@pytest.mark.parametrize(
    "index",
    [
        pd.period_range("2020Q1", periods=32, freq="Q", name="quarter"),
        pd.period_range("2020-01", periods=32, freq="2M"),
        pd.RangeIndex(32),
        pd.RangeIndex(10, 330, 10, name="row"),
    ],
    ids=["quarters", "every other month", "numbers", "tens"],
)
@pytest.mark.parametrize("n_rows", [1, 30])
def test_periods_and_numbers_go_on(index, n_rows):
    ahead = following(index[:n_rows], 2)
    pd.testing.assert_index_equal(ahead, index[n_rows : n_rows + 2], exact=True)


def test_whole_numbers_of_any_kind_go_on():
    years = pd.Index([2018, 2020, 2022], name="year")
    pd.testing.assert_index_equal(following(years, 2), pd.RangeIndex(2024, 2028, 2, name="year"))


@pytest.mark.parametrize(
    ("index", "freq", "hole"),
    [
        (pd.date_range("2020-01-01", periods=32, freq="MS"), "MS", 7),
        (pd.bdate_range("2024-01-01", periods=32), pd.offsets.BDay(), 4),
        (pd.period_range("2020-01", periods=32, freq="M"), "M", 3),
        (pd.RangeIndex(32), 1, 3),
    ],
    ids=["months", "business days", "periods", "numbers"],
)
def test_freq_takes_rows_with_holes_for_consecutive_ones(index, freq, hole):
    assert_array_equal(following(index[:30].delete(hole), 2, freq), index[30:])


def test_dates_at_growing_distances_are_refused_without_a_warning_of_pandas():
    index = pd.Timestamp("2005-01-01") + pd.to_timedelta(np.arange(48) ** 2 * 7, "D")
    with pytest.raises(ValueError, match=r"^history must have a row for 2005-02-05, as its freq"):
        frequency(index)


def test_two_dates_go_on_where_freq_is_given():
    index = pd.DatetimeIndex(["2020-01-01", "2020-02-01"])
    assert following(index, 1, "MS")[0] == pd.Timestamp("2020-03-01")


def test_a_date_that_freq_passes_over_goes_on_to_the_next_that_it_meets():
    ahead = following(pd.DatetimeIndex(["2024-02-13"]), 2, "MS")
    assert_array_equal(ahead, pd.DatetimeIndex(["2024-03-01", "2024-04-01"]))


MONTHS = pd.date_range("2020-01-01", periods=30, freq="MS")
PAY_DAYS = pd.date_range("2020-01-15", periods=30, freq=pd.DateOffset(months=1))
BACKWARDS = pd.DateOffset(months=-1)


@pytest.mark.parametrize(
    ("index", "freq", "message"),
    [
        (
            MONTHS.delete([7, 9]),
            None,
            "history must have a row for 2020-08-01, as its frequency MS requires, got "
            "2020-09-01 after 2020-07-01; add the row, or pass freq= to treat the rows as "
            "consecutive",
        ),
        (
            pd.date_range("2020", periods=30, freq="h").delete(7),
            None,
            "history must have a row for 2020-01-01 07:00:00, as its frequency h requires",
        ),
        (
            pd.period_range("2020-01", periods=31, freq="M").delete(3),
            None,
            "history must have a row for 2020-04, as its frequency ME requires",
        ),
        (
            pd.Index(np.delete(np.arange(31), 3)),
            None,
            "history must have a row for 3, as its frequency 1 requires, got 4 after 2",
        ),
        (
            pd.bdate_range("2024-01-01", periods=60).delete(30),
            None,
            "history must have a row for 2024-02-12, as its frequency B requires, got "
            "2024-02-13 after 2024-02-09",
        ),
        (
            PAY_DAYS.delete(9),
            None,
            "history must have a row for 2020-10-15, as its frequency <DateOffset: months=1> "
            "requires, got 2020-11-15 after 2020-09-15",
        ),
        (
            MONTHS[np.arange(30) % 3 < 2],
            None,
            "history must have a row for 2020-03-01, as its frequency MS requires",
        ),
        (
            pd.date_range("2020", periods=30, freq="h")[np.arange(30) % 3 < 2],
            None,
            "history must have a row for 2020-01-01 02:00:00, as its frequency h requires, got "
            "2020-01-01 03:00:00 after 2020-01-01 01:00:00",
        ),
        (
            pd.date_range("2024-03-01", periods=60, freq="D", tz="Europe/Paris").delete(20),
            None,
            "history must have a row for 2024-03-21 00:00:00+01:00, as its frequency D requires",
        ),
        (
            pd.date_range("2020", periods=10**6, freq="min").delete(-2),
            None,
            "history must have a row for 2021-11-25 10:38:00, as its frequency min requires",
        ),
        (
            pd.DatetimeIndex(np.cumsum(np.arange(30) ** 2 + 1) * 10**15),
            None,
            "freq must be given if it cannot be inferred from the dates of history, got 30 dates",
        ),
        (
            pd.DatetimeIndex(["2020-01-01"]),
            None,
            "freq must be given if it cannot be inferred from the dates of history, got 1 dates",
        ),
        (
            MONTHS[::-1],
            None,
            "history must have an index that increases from row to row, got 2022-05-01 after "
            "2022-06-01",
        ),
        (
            MONTHS[[0, *range(29)]],
            None,
            "history must have one row for each time, got 2020-01-01 twice",
        ),
        (MONTHS.insert(3, pd.NaT), None, "got NaT after 2020-03-01"),
        (
            pd.Index([str(k) for k in range(10, 40)]),
            None,
            "history must be indexed by dates, periods or whole numbers, got labels of",
        ),
        (
            pd.Index([0.0, 1.0]),
            None,
            "got labels of float64; history.index = history.index.astype(int) makes whole "
            "numbers of these, and history.reset_index(drop=True) numbers rows",
        ),
        (pd.RangeIndex(30), "MS", "freq must be a positive integer, got 'MS'"),
        *[
            (MONTHS, freq, f"freq must be a frequency of pandas that goes forward, got {freq!r}")
            for freq in ("never", "-1D", "0D", 3, BACKWARDS)
        ],
        *[
            (
                MONTHS.to_period(),
                freq,
                f"freq must be that of history's periods, 'M', got {freq!r}",
            )
            for freq in ("never", "-1M", 3)
        ],
        (
            pd.period_range("2020-01", periods=30, freq="M"),
            "D",
            "freq must be that of history's periods, 'M', got 'D'",
        ),
    ],
)
def test_an_index_that_cannot_go_on_is_refused(index, freq, message):
    with pytest.raises(ValueError) as refused:
        following(index, 2, freq)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("index", "rows"),
    [
        (pd.date_range("2020", periods=9, freq="MS"), 12),
        (pd.date_range("2020", periods=9, freq="2ME"), 6),
        (pd.period_range("2020", periods=9, freq="M"), 12),
        (pd.period_range("2020", periods=9, freq="Q"), 4),
        (pd.date_range("2020", periods=9, freq="QS-NOV"), 4),
        (pd.date_range("2020", periods=9, freq="W-TUE"), 52),
        (pd.date_range("2020", periods=9, freq="D"), 7),
        (pd.date_range("2020", periods=9, freq="2D"), 1),
        (pd.date_range("2020", periods=9, freq="B"), 5),
        (pd.date_range("2020", periods=9, freq="h"), 24),
        (pd.date_range("2020", periods=9, freq="15min"), 96),
        (pd.date_range("2020", periods=9, freq="YS"), 1),
        (PAY_DAYS, 12),
        (PAY_DAYS[::3], 4),
        (PAY_DAYS[::12], 1),
        (pd.date_range("2020", periods=9, freq=pd.DateOffset(days=1, hours=1)), 1),
        (pd.RangeIndex(9), 1),
    ],
    ids=str,
)
def test_the_season_follows_from_the_frequency(index, rows):
    assert season_of(frequency(index)) == rows


@pytest.mark.parametrize(
    ("index", "freq", "told"),
    [
        (
            pd.date_range("2024-01-01", periods=9, freq="h"),
            "D",
            r"<Day>, but 2024-01-01 01:00:00 ",
        ),
        (
            pd.date_range("2024-01-01", periods=9, freq="MS"),
            "ME",
            "<MonthEnd>, but 2024-02-01 fol",
        ),
        (pd.RangeIndex(0, 18, 2), 1, "1, but 2 follows 0"),
    ],
)
def test_a_step_that_the_rows_do_not_have_is_refused(index, freq, told):
    message = f"^freq must be the step between two rows of history, got {told}"
    with pytest.raises(ValueError, match=message):
        frequency(index, freq)
    uneven = index.delete([1, 3, 4])  # rows that are taken to be consecutive
    assert frequency(uneven, freq) is not None
    assert frequency(index[:2], freq) is not None
