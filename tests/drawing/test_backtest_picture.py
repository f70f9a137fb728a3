"""Pictures of backtests show each path over the truth, and what each model errs by step."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from backtest_frames import NAIVE, TIMES, frame_of
from numpy.testing import assert_allclose, assert_array_equal

from skl_lstm.drawing.backtest import draw_backtest

plt = pytest.importorskip("matplotlib.pyplot")
date2num = pytest.importorskip("matplotlib.dates").date2num


def runs(line):
    """Return the unbroken parts of a line as lists of (position, value)."""
    at, values = line.get_xdata(orig=True), line.get_ydata()
    breaks = np.flatnonzero(np.isnan(values))
    parts = np.split(np.arange(len(values)), breaks)
    return [
        [(at[i], values[i]) for i in part if not np.isnan(values[i])]
        for part in parts
        if len(part)
    ]


def names(ax):
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def test_a_path_leads_from_each_origin_and_the_truth_is_below():
    picture = draw_backtest(frame_of())
    for i, model in enumerate("ab"):
        paths = runs(picture.paths[0][model])
        assert len(paths) == 3
        for origin, path in zip((20, 24, 28), paths, strict=True):
            expected = [
                (TIMES[origin + step], origin + step + (i + 1) * step) for step in (1, 2, 3, 4)
            ]
            assert path == [(at.to_datetime64(), value) for at, value in expected]
    (truth,) = runs(picture.truths[0])
    assert [value for _, value in truth] == list(range(21, 33))
    assert picture.truths[0].get_zorder() < picture.paths[0]["a"].get_zorder()


def test_the_truth_is_broken_where_nothing_was_forecast():
    picture = draw_backtest(frame_of(origins=(10, 20, 24)))
    assert [[value for _, value in run] for run in runs(picture.truths[0])] == [
        [11, 12, 13, 14],
        [*range(21, 29)],
    ]


def test_the_truth_of_overlapping_paths_is_drawn_once():
    picture = draw_backtest(frame_of(origins=(20, 21, 22)))
    (run,) = runs(picture.truths[0])
    assert [value for _, value in run] == [*range(21, 27)]
    assert len(runs(picture.paths[0]["a"])) == 3


def test_errors_are_means_over_the_origins_by_step():
    picture = draw_backtest(frame_of())
    errors = picture.errors[0]
    assert list(errors) == ["a", "b", *NAIVE]
    for name, expected in {"a": [1, 2, 3, 4], "b": [2, 4, 6, 8], "naive": [10] * 4}.items():
        assert_array_equal(errors[name].get_xdata(), [1, 2, 3, 4])
        assert_allclose(errors[name].get_ydata(), expected)
    right = picture.axes[0, 1]
    assert right.get_xlabel() == "step"
    assert right.get_ylabel() == "mean absolute error"
    assert right.get_ylim()[0] == 0.0
    assert right.get_title(loc="left") == "over 3 origins"


def test_errors_are_those_of_the_values_that_all_models_have():
    frame = frame_of()
    frame.loc[(frame["model"] == "b") & (frame["fold"] == 0), "forecast"] = np.nan
    frame.loc[(frame["model"] == "a") & (frame["fold"] == 0), "forecast"] += 100
    assert_allclose(draw_backtest(frame).errors[0]["a"].get_ydata(), [1, 2, 3, 4])


def test_a_single_step_has_a_bar_of_each_model_by_its_name():
    picture = draw_backtest(frame_of(steps=1))
    right = picture.axes[0, 1]
    assert [label.get_text() for label in right.get_yticklabels()] == [
        "a",
        "b",
        "naive",
        "seasonal naive",
    ]
    for place, (name, error) in enumerate({"a": 1, "b": 2, "naive": 10}.items()):
        bar = picture.errors[0][name]
        assert_array_equal(bar.get_xdata(), [0, error])
        assert_array_equal(bar.get_ydata(), [place, place])
    assert right.get_xlabel() == "mean absolute error"
    assert right.get_legend() is None
    # Points, since a line cannot show a single value.
    assert picture.paths[0]["a"].get_marker() == "o"
    assert picture.paths[0]["a"].get_linestyle() == "None"


def test_each_model_has_its_color_and_marker_and_the_naive_ones_are_gray_and_dashed():
    picture = draw_backtest(frame_of(list("abcdef")))
    lines = picture.errors[0]
    for one, other in combinations("abcdef", 2):
        assert lines[one].get_color() != lines[other].get_color()
        assert lines[one].get_marker() != lines[other].get_marker()
    for name, path in picture.paths[0].items():
        assert path.get_color() == lines[name].get_color()
    for name in NAIVE:
        assert lines[name].get_color() == ("black", 0.6)
        assert lines[name].get_linestyle() == "--"


def test_of_many_models_the_paths_of_the_best_are_drawn_and_the_errors_of_all():
    picture = draw_backtest(frame_of(list("fedcba")))
    left, right = picture.axes[0]
    assert list(picture.paths[0]) == ["f", "e", "d"]
    assert list(picture.errors[0]) == [*"fedcba", *NAIVE]
    assert left.get_title(loc="right") == "best 3 of 6 models"
    assert names(left) == ["truth", "f", "e", "d", "origin"]
    assert names(right) == ["c", "b", "a", "naive", "seasonal naive"]
    chosen = draw_backtest(frame_of(list("fedcba")), models=["a", "naive"])
    assert list(chosen.paths[0]) == ["a", "naive"]
    assert chosen.axes[0, 0].get_title(loc="right") == ""


@pytest.mark.parametrize(("n_origins", "n"), [(12, 12), (3, 3), (None, 30), (40, 30)])
def test_of_many_origins_the_last_are_drawn_and_the_errors_are_of_all(n_origins, n):
    frame = frame_of(origins=range(20, 50))
    late = frame["fold"] == 29
    frame.loc[late & (frame["model"] == "a"), "forecast"] += 30.0
    picture = draw_backtest(frame, n_origins=n_origins)
    paths = runs(picture.paths[0]["a"])
    assert len(paths) == n
    assert paths[-1][0][0] == TIMES[50].to_datetime64()
    assert_allclose(picture.errors[0]["a"].get_ydata(), [2, 3, 4, 5])
    told = picture.axes[0, 0].get_title(loc="right")
    assert told == ("" if n == 30 else f"last {n} of 30 origins")


def test_intervals_are_bands_of_paths_that_do_not_overlap():
    picture = draw_backtest(
        frame_of(["a"], origins=range(20, 29), interval=True), coverage=0.9, n_origins=None
    )
    (band,) = picture.bands[0].values()
    spans = [path.vertices[:, 0] for path in band.get_paths()]
    ends = [(at.min(), at.max()) for at in spans]
    assert ends == [tuple(date2num(TIMES[[origin + 1, origin + 4]])) for origin in (20, 24, 28)]
    heights = band.get_paths()[-1].vertices[:, 1]
    assert (heights.min(), heights.max()) == (29 + 1 - 2, 32 + 4 + 2)
    assert names(picture.axes[0, 0]) == ["truth", "a", "90% interval", "origin"]
    assert band.get_zorder() < picture.truths[0].get_zorder()


def test_models_without_intervals_have_no_band():
    assert draw_backtest(frame_of()).bands == ({},)
    picture = draw_backtest(frame_of(interval=True))
    assert list(picture.bands[0]) == ["a", "b"]
    assert names(picture.axes[0, 0]).count("interval") == 1


def test_each_series_and_target_has_a_panel():
    frame = frame_of(series=["s2", "s1"], columns=["load", "price"])
    picture = draw_backtest(frame)
    assert picture.axes.shape == (4, 2)
    left = picture.axes[:, 0]
    assert [ax.get_title(loc="left") for ax in left] == ["s1", "s1", "s2", "s2"]
    assert [ax.get_ylabel() for ax in left] == ["load", "price"] * 2
    assert [ax.get_xlabel() for ax in left] == ["", "", "", "time"]
    assert [bool(names(ax)) for ax in left] == [True, False, False, False]
    one = draw_backtest(frame, series="s2", column=["price"])
    assert one.axes.shape == (1, 2)
    assert one.axes[0, 0].get_ylabel() == "price"


def test_of_many_series_the_first_are_drawn_and_the_picture_says_so():
    picture = draw_backtest(frame_of(["a"], series=[f"s{i}" for i in range(7)]))
    assert [ax.get_title(loc="left") for ax in picture.axes[:, 0]] == ["s0", "s1", "s2", "s3"]
    assert picture.axes[0, 0].get_title(loc="right") == "first 4 of 7 series"


def test_series_of_two_names_are_chosen_by_both():
    frame = frame_of(["a"], series=["north", "south"])
    frame.insert(3, "product", 1)
    picture = draw_backtest(frame, series=("south", 1))
    assert picture.axes[0, 0].get_title(loc="left") == "south, 1"


def test_a_naive_forecast_far_off_leaves_the_axes_rather_than_flatten_the_others():
    near = draw_backtest(frame_of()).axes[0, 1].get_ylim()[1]
    assert near >= 10
    frame = frame_of()
    frame.loc[frame["model"] == "naive", "forecast"] += 1000
    assert draw_backtest(frame).axes[0, 1].get_ylim()[1] < 40


def test_further_columns_are_no_series():
    assert draw_backtest(frame_of().assign(note="x")).axes.shape == (1, 2)


def test_a_backtest_whose_truth_is_not_known_yet_shows_its_paths():
    picture = draw_backtest(frame_of().assign(truth=np.nan))
    picture.figure.draw_without_rendering()
    assert len(runs(picture.paths[0]["a"])) == 3
    assert all(not len(line.get_ydata()) for line in picture.errors[0].values())


@pytest.mark.parametrize(
    "times",
    [
        pd.RangeIndex(60),
        pd.period_range("1990-01", periods=60, freq="M"),
        pd.date_range("2024-03-29", periods=60, freq="h", tz="Europe/Berlin"),
    ],
    ids=["numbers", "periods", "zone"],
)
def test_any_kind_of_time_is_drawn(times):
    picture = draw_backtest(frame_of(times=times))
    picture.figure.draw_without_rendering()
    (truth,) = runs(picture.truths[0])
    assert len(truth) == 12


def test_given_axes_are_drawn_on():
    figure, axes = plt.subplots(2, 2, figsize=(9, 6))
    picture = draw_backtest(frame_of(columns=["load", "price"]), axes=axes)
    assert picture.figure is figure
    assert_array_equal(picture.axes, axes)


def test_a_legend_hides_nothing():
    picture = draw_backtest(frame_of())
    picture.figure.draw_without_rendering()
    left = picture.axes[0, 0]
    legend = left.get_legend().get_window_extent()
    for line in (*picture.paths[0].values(), picture.truths[0]):
        at = left.transData.transform(line.get_xydata())
        assert not any(legend.contains(*point) for point in at)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": "c"}, r"models must be among \['a', 'b', 'naive', .*\], got 'c'"),
        ({"models": []}, "models must name at least one of .*, got \\[\\]"),
        ({"series": "s"}, "series must be None, since the backtest is of one, got 's'"),
        ({"column": "s"}, "column must be None, since there is one target, got 's'"),
        ({"n_origins": 0}, "n_origins must be a positive integer, got 0"),
        ({"axes": 3}, r"axes must be an array of 2 Axes of shape \(1, 2\), .*, got int"),
    ],
)
def test_what_is_not_there_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        draw_backtest(frame_of(), **changes)
    assert not plt.get_fignums()


def test_a_series_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"series must be among \['x', 'y'\], got 'z'"):
        draw_backtest(frame_of(series=["x", "y"]), series=["x", "z"])
