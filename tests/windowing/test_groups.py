"""The series of a table are told apart by columns or levels, whatever kind the labels are."""

import datetime
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skl_lstm.windowing.groups import (
    Panel,
    index_of,
    kinds_of,
    names_of_group,
    series_at,
    text_of,
)

DAYS = pd.DatetimeIndex([f"2024-01-0{day}" for day in (1, 2, 3, 4)], name="day")
MONTHS = pd.period_range("2024-01", periods=2, freq="M")


class Unordered:
    """A label that has no order."""


def table(labels, times=None):
    """Two rows of each label, in their order, with the label in a column."""
    shops = labels.repeat(2) if hasattr(labels, "repeat") else np.repeat(labels, 2)
    times = DAYS[:2].append([DAYS[:2]] * (len(labels) - 1)) if times is None else times
    return pd.DataFrame({"shop": shops, "sales": np.arange(len(shops))}, index=times)


def in_levels(X, *names):
    return X.set_index(list(names), append=True)


def assert_same(one, other):
    pd.testing.assert_frame_equal(one.rows, other.rows)
    pd.testing.assert_index_equal(one.labels, other.labels)
    for name in ("codes", "order", "starts"):
        assert_array_equal(getattr(one, name), getattr(other, name))


def refused(message):
    return pytest.raises(ValueError, match=f"^{re.escape(message)}$")


@pytest.mark.parametrize(
    ("labels", "in_order"),
    [
        (np.array(["b", "a"]), ["a", "b"]),
        (np.array(["b", "a"], dtype=object), ["a", "b"]),
        (np.array([10, 9]), [9, 10]),
        (np.array([1.5, -0.5]), [-0.5, 1.5]),
        (np.array([True, False]), [False, True]),
        (pd.array([2, 1], dtype="Int64"), [1, 2]),
        (pd.array(["b", "a"], dtype="string"), ["a", "b"]),
        (pd.Categorical(["b", "a"], categories=["c", "b", "a"]), ["a", "b"]),
        (pd.Categorical([10, 9]), [9, 10]),
        (DAYS[[1, 0]], list(DAYS[:2])),
        (DAYS[[1, 0]].tz_localize("Asia/Tokyo"), list(DAYS[:2].tz_localize("Asia/Tokyo"))),
        (MONTHS[::-1], list(MONTHS)),
        (pd.Index([(2, "x"), (1, "y")], tupleize_cols=False), [(1, "y"), (2, "x")]),
    ],
    ids=[
        "text",
        "objects",
        "integers",
        "floats",
        "booleans",
        "Int64",
        "string",
        "categories",
        "numbers as categories",
        "dates",
        "dates of a zone",
        "periods",
        "tuples",
    ],
)
def test_labels_of_any_kind_are_sorted(labels, in_order):
    panel = Panel.of(table(labels), "shop")
    assert_array_equal(panel.codes, [1, 1, 0, 0])
    assert_array_equal(panel.order, [2, 3, 0, 1])
    assert_array_equal(panel.starts, [0, 2, 4])
    assert list(panel.labels) == in_order
    assert panel.labels.names == panel.names == panel.columns == ["shop"]
    assert list(panel.rows) == ["sales"]
    assert panel.labels.nlevels == 1


def test_labels_without_an_order_keep_that_of_the_rows():
    labels = np.array([Unordered(), Unordered()])
    panel = Panel.of(table(labels), "shop")
    assert list(panel.labels) == list(labels)
    assert_array_equal(panel.codes, [0, 0, 1, 1])
    X = table(labels).assign(region=["b", "b", "a", "a"])
    for panel in (
        Panel.of(X, ["shop", "region"]),
        Panel.of(in_levels(X, "shop", "region"), ["shop", "region"]),
    ):
        assert list(panel.labels) == [(labels[0], "b"), (labels[1], "a")]
        assert_array_equal(panel.codes, [0, 0, 1, 1])


@pytest.mark.parametrize("group", ["shop", ["shop"]])
def test_a_column_and_a_level_tell_the_same(group):
    X = table(np.array(["b", "a", "c"]))
    by_column, by_level = Panel.of(X, group), Panel.of(in_levels(X, "shop"), group)
    assert_same(by_column, by_level)
    assert (by_column.columns, by_level.columns) == (["shop"], [])
    swapped = in_levels(X, "shop").swaplevel()
    assert_same(Panel.of(swapped, group), by_column)


def test_several_names_tell_apart_the_combinations_that_are_there():
    X = table(np.array(["b", "a", "b"])).assign(item=np.repeat([2, 1, 1], 2))
    names = ["shop", "item"]
    panel = Panel.of(X, names)
    expected = pd.MultiIndex.from_tuples([("a", 1), ("b", 1), ("b", 2)], names=names)
    pd.testing.assert_index_equal(panel.labels, expected)
    assert_array_equal(panel.codes, [2, 2, 0, 0, 1, 1])
    assert_same(Panel.of(in_levels(X, "shop", "item"), names), panel)
    assert_same(Panel.of(in_levels(X, "item"), names), panel)
    assert Panel.of(in_levels(X, "item"), names).columns == ["shop"]
    turned = Panel.of(X, names[::-1])
    assert list(turned.labels) == [(1, "a"), (1, "b"), (2, "b")]


def test_several_names_of_categories_are_those_of_their_values():
    X = table(np.array(["b", "a"])).assign(item=np.repeat([2, 1], 2))
    assert_same(
        Panel.of(X.astype({"shop": "category", "item": "category"}), ["shop", "item"]),
        Panel.of(X, ["shop", "item"]),
    )


@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 3)), min_size=1, max_size=20),
    st.booleans(),
)
def test_series_are_those_of_groupby(keys, several):
    X = pd.DataFrame(keys, columns=["shop", "item"]).assign(sales=range(len(keys)))
    X.index = pd.date_range("2024-01-01", periods=len(X), name="day")
    group = ["shop", "item"] if several else "shop"
    panel = Panel.of(X, group)
    groups = X.groupby(group)
    assert list(panel.labels) == list(groups.groups)
    for code, (_, rows) in enumerate(groups):
        pd.testing.assert_frame_equal(
            panel.series(code), rows.drop(columns=panel.names), check_freq=False
        )
    assert_array_equal(panel.lengths, groups.size())
    assert_array_equal(panel.place_in_series(), groups.cumcount())


@pytest.mark.parametrize(
    "times",
    [
        DAYS,
        DAYS.tz_localize("Europe/Paris"),
        pd.period_range("2024-01", periods=4, freq="M", name="month"),
        pd.Index([3, 5, 8, 9], name="week"),
        pd.Index(pd.array([3, 5, 8, 9], dtype="Int64"), name="week"),
    ],
    ids=["dates", "dates of a zone", "periods", "numbers", "Int64"],
)
def test_times_of_any_kind_stay_as_they_are(times):
    both = times[:2].append(times[1:3])
    X = table(np.array(["a", "b"]), both)
    for each in (X, in_levels(X, "shop")):
        panel = Panel.of(each, "shop")
        pd.testing.assert_index_equal(panel.times, both)
        pd.testing.assert_index_equal(panel.series(1).index, times[1:3], exact="equiv")


def test_objects_of_dates_become_dates():
    times = [datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)]
    panel = Panel.of(table(np.array(["a", "b"]), pd.Index(times * 2)), "shop")
    assert isinstance(panel.times, pd.DatetimeIndex)


def test_a_series_of_values_is_a_table_of_one_column():
    sales = in_levels(table(np.array(["a", "b"])), "shop")["sales"]
    assert list(Panel.of(sales, "shop").rows) == ["sales"]


def test_the_level_of_times_needs_no_name():
    X = in_levels(table(np.array(["a", "b"])), "shop").rename_axis([None, "shop"])
    assert_array_equal(Panel.of(X, "shop").times, DAYS[[0, 1, 0, 1]])


def test_rows_of_several_series_may_alternate():
    X = table(np.array(["a", "b"])).sort_index()
    panel = Panel.of(X, "shop")
    assert_array_equal(panel.codes, [0, 1, 0, 1])
    assert_array_equal(panel.order, [0, 2, 1, 3])
    assert_array_equal(panel.place_in_series(), [0, 0, 1, 1])


def test_a_table_without_rows_has_no_series():
    panel = Panel.of(table(np.array(["a"])).iloc[:0], "shop")
    assert len(panel.labels) == len(panel.codes) == 0
    assert_array_equal(panel.starts, [0])


NUMBERED = (
    "X must be indexed by the times of its rows, which tell what follows what, got rows that are "
    "numbered; set_index(<time column>), or set_index(['shop', <time column>]), makes such an "
    "index"
)


def test_numbers_of_the_rows_are_no_times():
    X = table(np.array(["a", "b"]), pd.RangeIndex(4))
    with refused(NUMBERED):
        Panel.of(X, "shop")
    with refused(NUMBERED):
        Panel.of(X.iloc[[2, 3, 0, 1]], "shop")
    part = Panel.of(X, "shop", whole=False)
    assert_array_equal(part.times, range(4))
    one = Panel.of(X[X["shop"] == "b"], "shop")
    assert_array_equal(one.times, [2, 3])


@pytest.mark.parametrize(
    ("X", "kind"),
    [(np.ones((4, 2)), "ndarray"), ([[1, 2]], "list"), (None, "NoneType")],
    ids=["array", "list", "None"],
)
def test_what_has_no_index_is_refused(X, kind):
    with refused(
        "history must be a DataFrame of pandas, with 'shop' as a column or a level of its index, "
        f"got {kind}; set_output(transform='pandas') on what stands before keeps names and index"
    ):
        Panel.of(X, "shop", "history")


def test_a_table_of_polars_has_no_index():
    polars = pytest.importorskip("polars")
    with pytest.raises(ValueError, match=r"^history must be a DataFrame of pandas, .* got Data"):
        Panel.of(polars.DataFrame({"shop": ["a"]}), "shop", "history")


@pytest.mark.parametrize("group", ["store", 0, None, ("shop",), ["shop", "store"]])
def test_a_name_that_is_not_there_is_refused(group):
    got = group[1] if isinstance(group, list) else group
    with refused(
        "group must be a column of X, ['shop', 'sales'], or a level of its index, ['day'], got "
        f"{got!r}"
    ):
        Panel.of(table(np.array(["a"])), group)


def test_a_name_of_a_column_and_a_level_is_refused():
    X = table(np.array(["a"])).set_index("shop", append=True, drop=False)
    with refused("group must be a column of X or a level of its index, but 'shop' is both"):
        Panel.of(X, "shop")


@pytest.mark.parametrize(
    "group", [[], ["shop", "shop"], {"shop"}, [["shop"]], np.array(["shop"])], ids=repr
)
def test_group_must_be_one_name_or_a_list_of_names(group):
    with refused(f"group must be one name, or several different ones, got {group!r}"):
        names_of_group(group)


def test_a_tuple_is_one_name():
    assert names_of_group(("shop", "item")) == [("shop", "item")]
    X = table(np.array(["a", "b"]))
    X.columns = pd.Index([("shop", 1), ("sales", 1)], tupleize_cols=False)
    assert list(Panel.of(X, ("shop", 1)).labels) == ["a", "b"]


def test_two_columns_of_one_name_are_refused():
    X = table(np.array(["a", "b"]))
    with refused("X must have columns of different names, got 'shop' twice"):
        Panel.of(pd.concat([X, X["shop"]], axis=1), "shop")


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_row_without_a_label_is_refused(missing):
    X = table(np.array(["a", "b"], dtype=object))
    X.iloc[2, 0] = missing
    for each in (X, in_levels(X, "shop")):
        with refused("X must name the series of each row, got a missing label in 'shop' of row 2"):
            Panel.of(each, "shop")


@pytest.mark.parametrize(
    ("labels", "got"),
    [
        (["b", 1], "1 and 'b'"),
        ([np.int64(1), "b"], "1 and 'b'"),
        ([(1,), "b"], "(1,) and 'b'"),
        (
            [datetime.date(2024, 1, 2), pd.Timestamp("2024-01-01")],
            "Timestamp('2024-01-01 00:00:00') and datetime.date(2024, 1, 2)",
        ),
    ],
)
def test_labels_of_several_kinds_are_refused(labels, got):
    mixed = np.empty(2, dtype=object)
    mixed[:] = labels
    X = table(mixed)
    for each in (X, in_levels(X, "shop")):
        with refused(
            f"X must have labels of one kind in 'shop', got {got}, which would be different series"
        ):
            Panel.of(each, "shop")


def test_an_index_with_other_levels_than_one_of_times_is_refused():
    X = table(np.array(["a", "b"])).assign(item=1)
    message = "X must have one level of times in its index beside 'shop', got the levels "
    with refused(f"{message}['day', 'shop', 'item']"):
        Panel.of(in_levels(X, "shop", "item"), "shop")
    with refused(f"{message}['shop']"):
        Panel.of(X.set_index("shop"), "shop")


@pytest.mark.parametrize(
    ("times", "got"),
    [
        (["x", "y"], f"{pd.Index(['x']).dtype} such as 'x'"),
        ([0.5, 1.5], "float64 such as 0.5"),
        ([True, False], "bool such as True"),
        (
            [DAYS[0].tz_localize("UTC"), DAYS[1].tz_localize("Asia/Tokyo")],
            "object such as Timestamp('2024-01-01 00:00:00+0000', tz='UTC')",
        ),
        ([pd.Period("2024-01"), pd.Period("2024Q1")], "object such as Period('2024-01', 'M')"),
    ],
    ids=["text", "floats", "booleans", "zones", "frequencies"],
)
def test_other_labels_than_times_are_refused(times, got):
    with refused(
        "X must be indexed by dates, periods or whole numbers beside 'shop', got labels of "
        f"{got}; pd.to_datetime makes dates of text"
    ):
        Panel.of(table(np.array(["a"]), pd.Index(times)), "shop")


def test_an_empty_index_of_objects_is_refused():
    with refused(
        "X must be indexed by dates, periods or whole numbers beside 'shop', got labels of object "
        "such as none; pd.to_datetime makes dates of text"
    ):
        Panel.of(pd.DataFrame({"shop": []}, index=pd.Index([], dtype=object)), "shop")


def test_a_row_without_a_time_is_refused():
    X = table(np.array(["a", "b"]), DAYS[:3].append(pd.DatetimeIndex([pd.NaT])))
    for each in (X, in_levels(X, "shop")):
        with refused("X must have a time for each row, got NaT in its index"):
            Panel.of(each, "shop")


def test_a_time_that_a_series_has_twice_is_refused():
    X = table(np.array(["a", "b"]), DAYS[[0, 1, 1, 1]])
    with refused(
        "X must have one row for each time of a series, got 2024-01-02 twice in 'shop' 'b'"
    ):
        Panel.of(X, "shop")


def test_rows_of_a_series_out_of_order_are_refused():
    X = table(np.array([7, 8]), DAYS[[0, 1, 1, 0]]).assign(item=np.int64(1))
    message = "X must have the rows of a series in time order, got 2024-01-01 after 2024-01-02 in "
    end = "; sort it with sort_index() first"
    with refused(f"{message}'shop' 8{end}"):
        Panel.of(X, "shop")
    with refused(f"{message}'shop', 'item' (8, 1){end}"):
        Panel.of(X, ["shop", "item"])
    assert_array_equal(Panel.of(X.sort_index(), "shop").lengths, [2, 2])


def test_labels_are_shown_as_plain_values():
    assert text_of(np.int64(1)) == "1"
    assert text_of((np.str_("a"), np.float64(0.5))) == "('a', 0.5)"
    assert series_at("a") == "series 'a'"


def test_kinds_of_labels_are_named_level_by_level():
    assert kinds_of(pd.Index(["a", 1, 2.5, True], dtype=object)) == [
        "labels of bool and numbers and text"
    ]
    labels = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])
    assert kinds_of(labels) == ["text", "numbers"]


def test_labels_kept_as_plain_values_become_the_same_index():
    X = table(np.array(["b", "a"])).assign(item=1)
    for group in ("shop", ["shop", "item"]):
        panel = Panel.of(X, group)
        pd.testing.assert_index_equal(index_of(list(panel.labels), panel.names), panel.labels)
    tuples = index_of([(1, 2), (3, 4)], ["pair"])
    assert tuples.nlevels == 1
