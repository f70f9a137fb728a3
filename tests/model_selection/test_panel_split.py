"""Every series is cut at the same times, whatever their lengths and the order of the rows."""

import datetime
import pickle
import re
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import (
    BaseCrossValidator,
    GridSearchCV,
    GroupKFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline

from skl_lstm import PanelTimeSeriesSplit

DAYS = pd.date_range("2024-01-01", periods=30)


def panel(*spans, days=DAYS):
    """A series for each span of days, labeled by a letter, in levels of the index."""
    rows = [(shop, day) for shop, span in zip("abc", spans, strict=False) for day in days[span]]
    index = pd.MultiIndex.from_tuples(rows, names=["shop", "day"])
    return pd.DataFrame({"price": np.arange(len(rows)) % 7.0}, index=index)


X = panel(slice(0, 30), slice(4, 20), slice(25, 30))
TIMES = X.index.get_level_values("day")


def folds(cv, X):
    return [(train.tolist(), test.tolist()) for train, test in cv.split(X)]


def refused(message):
    return pytest.raises(ValueError, match=f"^{re.escape(message)}$")


@st.composite
def tables(draw):
    """Series of any lengths and starts, with holes, in any order of the rows; any folds."""
    present = draw(st.lists(st.sets(st.integers(0, 14), max_size=15), min_size=1, max_size=4))
    rows = [(shop, DAYS[day]) for shop, days in enumerate(present) for day in days]
    rows = draw(st.permutations(rows))
    n_times = len({day for _, day in rows})
    n_splits = draw(st.integers(2, 4))
    test_size = draw(st.none() | st.integers(1, 4))
    gap = draw(st.integers(0, 3))
    max_train_size = draw(st.none() | st.integers(1, 5))
    tested = n_splits * (n_times // (n_splits + 1) if test_size is None else test_size)
    if n_times <= n_splits or n_times - gap - tested <= 0:
        rows, n_splits, test_size, gap = [(0, day) for day in DAYS], 2, None, 0
    index = pd.MultiIndex.from_tuples(rows, names=["shop", "day"])
    parameters = {"max_train_size": max_train_size, "test_size": test_size, "gap": gap}
    return pd.DataFrame({"price": 1.0}, index=index), n_splits, parameters


@given(tables())
def test_folds_are_those_of_the_distinct_times(drawn):
    X, n_splits, parameters = drawn
    times = X.index.get_level_values("day")
    distinct = sorted(set(times))
    by_date = TimeSeriesSplit(n_splits, **parameters).split(distinct)
    expected = [
        tuple(
            [row for row, time in enumerate(times) if time in {distinct[i] for i in part}]
            for part in fold
        )
        for fold in by_date
    ]
    assert folds(PanelTimeSeriesSplit(n_splits, **parameters), X) == expected


@given(tables())
def test_no_fold_trains_on_a_time_that_is_tested_or_later(drawn):
    X, n_splits, parameters = drawn
    times = X.index.get_level_values("day")
    place = times.unique().sort_values().get_indexer
    for train, test in PanelTimeSeriesSplit(n_splits, **parameters).split(X):
        first, last = times[test].min(), times[test].max()
        assert place([first])[0] - place([times[train].max()])[0] == parameters["gap"] + 1
        assert len(test) == ((times >= first) & (times <= last)).sum()
        assert (np.diff(train) > 0).all()
        assert (np.diff(test) > 0).all()
        if parameters["max_train_size"] is not None:
            assert times[train].nunique() <= parameters["max_train_size"]


def test_one_series_is_split_as_by_scikit_learn():
    one = panel(slice(0, 30)).droplevel("shop")
    for parameters in ({}, {"test_size": 3, "gap": 2}, {"max_train_size": 4}):
        ours = PanelTimeSeriesSplit(4, **parameters)
        assert folds(ours, one) == folds(TimeSeriesSplit(4, **parameters), one)


def test_a_series_may_be_missing_in_a_part():
    last_fold = list(PanelTimeSeriesSplit(2, test_size=2).split(X))[-1]
    shops = [set(X.index[rows].get_level_values("shop")) for rows in last_fold]
    assert shops == [{"a", "b", "c"}, {"a", "c"}]


def test_times_that_no_series_has_do_not_count():
    days = DAYS[[0, 1, 2, 9, 10, 20]]
    holes = panel(slice(0, 6), slice(1, 5), days=days)
    train, test = next(PanelTimeSeriesSplit(2, test_size=2).split(holes))
    times = holes.index.get_level_values("day")
    assert_array_equal(times[train].unique(), days[:2])
    assert_array_equal(times[test].unique(), days[2:4])


EXPECTED = folds(PanelTimeSeriesSplit(3), X)


@pytest.mark.parametrize("time", [None, "day"])
@pytest.mark.parametrize(
    "table",
    [
        X,
        X["price"],
        X.swaplevel(),
        X.reset_index("shop"),
        X.set_index(X.index.set_levels(DAYS.tz_localize("Europe/Paris"), level="day")),
        X.set_index(X.index.set_levels(DAYS.to_period("D"), level="day")),
        X.set_index(X.index.set_levels(DAYS.date, level="day")),
    ],
    ids=["levels", "Series", "swapped", "column of shops", "zone", "periods", "objects"],
)
def test_times_are_found_in_the_index(table, time):
    assert folds(PanelTimeSeriesSplit(3, time=time), table) == EXPECTED


@pytest.mark.parametrize(
    "table",
    [
        X.reset_index(),
        X.reset_index("day"),
        X.reset_index().astype({"day": "period[D]"}),
        X.reset_index().assign(day=np.asarray(TIMES.date, dtype=object)),
        X.reset_index().assign(day=TIMES.day),
        X.reset_index().assign(day=pd.array(TIMES.day, dtype="Int64")),
    ],
    ids=["rows", "beside shops", "periods", "objects", "numbers", "Int64"],
)
def test_times_are_found_in_a_column(table):
    assert folds(PanelTimeSeriesSplit(3, time="day"), table) == EXPECTED


def test_times_are_found_in_a_column_of_polars():
    polars = pytest.importorskip("polars")
    table = polars.DataFrame({"day": TIMES.to_numpy(), "price": X["price"].to_numpy()})
    assert folds(PanelTimeSeriesSplit(3, time="day"), table) == EXPECTED


def test_numbers_that_recur_in_the_index_are_times():
    by_week = X.reset_index().assign(day=TIMES.day).set_index("day")
    assert folds(PanelTimeSeriesSplit(3), by_week) == EXPECTED
    in_levels = by_week.set_index("shop", append=True)
    assert folds(PanelTimeSeriesSplit(3, time="day"), in_levels) == EXPECTED


def test_numbers_are_times_of_one_series_where_time_names_them():
    years = pd.DataFrame({"price": np.ones(20)}, index=pd.RangeIndex(2000, 2020, name="year"))
    assert folds(PanelTimeSeriesSplit(3, time="year"), years) == folds(TimeSeriesSplit(3), years)


def test_a_search_chooses_with_it():
    y = 3 * X["price"] + X.index.get_level_values("shop").map(ord)
    cv = PanelTimeSeriesSplit(3)
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 1e6]}, cv=cv, error_score="raise").fit(X, y)
    assert search.best_params_ == {"alpha": 0.1}
    assert search.n_splits_ == 3
    by_hand = [
        Ridge(0.1).fit(X.iloc[train], y.iloc[train]).score(X.iloc[test], y.iloc[test])
        for train, test in EXPECTED
    ]
    found = [search.cv_results_[f"split{fold}_test_score"][0] for fold in range(3)]
    assert_array_equal(found, by_hand)
    assert_array_equal(cross_val_score(Ridge(0.1), X, y, cv=cv), by_hand)


def test_a_column_of_times_is_left_to_the_model():
    table = X.reset_index()
    model = make_pipeline(make_column_transformer(("passthrough", ["price"])), LinearRegression())
    cv = PanelTimeSeriesSplit(3, time="day")
    scores = cross_validate(model, table, table["price"], cv=cv, error_score="raise")
    assert_array_equal(scores["test_score"], [1, 1, 1])


def test_predictions_of_all_rows_are_refused_by_scikit_learn():
    with pytest.raises(ValueError, match="cross_val_predict only works for partitions"):
        cross_val_predict(Ridge(), X, X["price"], cv=PanelTimeSeriesSplit(3))


def test_it_works_where_metadata_is_routed():
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=PanelTimeSeriesSplit(3))
        search.fit(X, X["price"])
    assert search.n_splits_ == 3
    assert not hasattr(PanelTimeSeriesSplit, "set_split_request")


def test_groups_are_ignored_with_a_warning():
    cv = PanelTimeSeriesSplit(3)
    with pytest.warns(
        UserWarning,
        match="^groups is ignored by PanelTimeSeriesSplit, whose folds depend on time alone$",
    ) as caught:
        cross_val_score(Ridge(), X, X["price"], groups=np.ones(len(X)), cv=cv)
    assert {warning.filename for warning in caught} == {__file__}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cross_val_score(Ridge(), X, X["price"], cv=cv)


def test_series_as_a_whole_are_left_out_by_scikit_learn():
    search = GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=GroupKFold(3), error_score="raise")
    search.fit(X, X["price"], groups=X.index.get_level_values("shop"))
    assert search.n_splits_ == 3


def test_it_is_a_splitter_of_scikit_learn():
    cv = PanelTimeSeriesSplit(3, time="day", gap=1)
    assert isinstance(cv, BaseCrossValidator)
    assert cv.get_n_splits() == cv.get_n_splits(X, X["price"], None) == 3
    assert " ".join(repr(cv).split()) == (
        "PanelTimeSeriesSplit(gap=1, max_train_size=None, n_splits=3, test_size=None, time='day')"
    )
    assert folds(pickle.loads(pickle.dumps(cv)), X) == folds(cv, X)
    assert b"model_selection.panel" not in pickle.dumps(cv)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_splits": 1}, "n_splits must be an integer of at least 2, got 1"),
        ({"n_splits": 2.5}, "n_splits must be an integer of at least 2, got 2.5"),
        ({"gap": -1}, "gap must be an integer of at least 0, got -1"),
        ({"test_size": 0}, "test_size must be a positive integer, got 0"),
        ({"max_train_size": 0}, "max_train_size must be a positive integer, got 0"),
        ({"max_train_size": 0.5}, "max_train_size must be a positive integer, got 0.5"),
        (
            {"n_splits": 30},
            "Cannot have number of folds=31 greater than the number of samples=30. The samples "
            "are the distinct times of X.",
        ),
        (
            {"test_size": 5, "gap": 5},
            "Too many splits=5 for number of samples=30 with test_size=5 and gap=5. The samples "
            "are the distinct times of X.",
        ),
        ({"time": ["day"]}, "time must be the name of one column or level of X, got ['day']"),
        (
            {"time": "month"},
            "time must be a column of X, ['price'], or a level of its index, ['shop', 'day'], got "
            "'month'",
        ),
        (
            {"time": "shop"},
            "X must have dates, periods or whole numbers in 'shop', got labels of "
            f"{pd.Index(['a']).dtype} such as 'a'; pd.to_datetime makes dates of text",
        ),
        (
            {"time": "price"},
            "X must have dates, periods or whole numbers in 'price', got labels of float64 such "
            "as 0.0; pd.to_datetime makes dates of text",
        ),
    ],
)
def test_parameters_that_make_no_folds_are_refused(parameters, message):
    with refused(message):
        PanelTimeSeriesSplit(**parameters).split(X)


def test_an_unknown_parameter_is_refused_by_the_nearest():
    with pytest.raises(TypeError, match=r"argument 'n_split'; did you mean 'n_splits'\?$"):
        PanelTimeSeriesSplit(n_split=3)


@pytest.mark.parametrize("rows", [np.ones((30, 2)), [[1.0]] * 30], ids=["array", "list"])
@pytest.mark.parametrize("time", [None, 0])
def test_rows_without_an_index_are_refused(rows, time):
    with refused(
        "X must be a DataFrame with the times of its rows in its index or a column, got "
        f"{type(rows).__name__}; TimeSeriesSplit splits rows that are one series"
    ):
        PanelTimeSeriesSplit(time=time).split(rows)


NUMBERED = X.reset_index()


@pytest.mark.parametrize(
    "table",
    [
        NUMBERED,
        NUMBERED.sample(frac=1, random_state=0),
        NUMBERED[NUMBERED["price"] > 1],
    ],
    ids=["range", "shuffled", "selected"],
)
def test_numbers_of_rows_are_no_times(table):
    with refused(
        "X must have the times of its rows in its index, got numbers that are all different and "
        "seem to number the rows; name the column or level that holds times in time=, or use "
        "TimeSeriesSplit for rows that are one series in time order"
    ):
        PanelTimeSeriesSplit().split(table)


def test_a_table_of_polars_has_no_times_in_an_index():
    polars = pytest.importorskip("polars")
    with pytest.raises(ValueError, match=r"^X must have the times .* seem to number the rows"):
        PanelTimeSeriesSplit().split(polars.DataFrame({"price": [1.0, 2.0]}))


def test_text_is_no_time():
    with refused(
        "X must be indexed by dates, periods or whole numbers, unless time names a column of it, "
        f"got labels of {pd.Index(['a']).dtype} such as 'a'; pd.to_datetime makes dates of text"
    ):
        PanelTimeSeriesSplit().split(X.droplevel("day"))


@pytest.mark.parametrize(
    ("index", "n_levels"),
    [
        (X.index.set_levels(range(30), level="day"), 0),
        (X.index.set_levels(DAYS[:3], level="shop"), 2),
    ],
    ids=["none", "both"],
)
def test_time_must_name_one_of_several_levels(index, n_levels):
    table = X.set_axis(index)
    with refused(
        "time must be given unless just one level of X's index holds dates or periods, got "
        f"{n_levels} of them among the levels ['shop', 'day']"
    ):
        PanelTimeSeriesSplit().split(table)
    assert folds(PanelTimeSeriesSplit(3, time="day"), table) == EXPECTED


def test_a_time_in_two_places_is_refused():
    cv = PanelTimeSeriesSplit(time="day")
    with refused("time must be a column of X or a level of its index, but 'day' is both"):
        cv.split(X.assign(day=TIMES))
    twice = X.reset_index()
    with refused("X must have columns of different names, got 'day' twice"):
        cv.split(pd.concat([twice, twice["day"]], axis=1))


def test_a_row_without_a_time_is_refused():
    missing = X.reset_index()
    missing.loc[3, "day"] = pd.NaT
    with refused("X must have a time for each row, got NaT in 'day'"):
        PanelTimeSeriesSplit(time="day").split(missing)
    with refused("X must have a time for each row, got NaT in its index"):
        PanelTimeSeriesSplit().split(missing.set_index(["shop", "day"]))
    numbers = missing.assign(day=pd.array(missing["day"].dt.day, dtype="Int64"))
    with refused("X must have a time for each row, got NaT in 'day'"):
        PanelTimeSeriesSplit(time="day").split(numbers)


@pytest.mark.parametrize(
    ("times", "got"),
    [
        (
            [DAYS[0].tz_localize("UTC"), DAYS[1].tz_localize("Asia/Tokyo")],
            "Timestamp('2024-01-01 00:00:00+0000', tz='UTC')",
        ),
        ([pd.Period("2024-01"), pd.Period("2024Q1")], "Period('2024-01', 'M')"),
        ([datetime.date(2024, 1, 1), 1], "datetime.date(2024, 1, 1)"),
    ],
    ids=["zones", "frequencies", "kinds"],
)
def test_times_without_an_order_are_refused(times, got):
    table = pd.DataFrame({"day": pd.Series(times, dtype=object)})
    with refused(
        "X must have dates, periods or whole numbers in 'day', got labels of object such as "
        f"{got}; pd.to_datetime makes dates of text"
    ):
        PanelTimeSeriesSplit(time="day").split(table)
