"""Pictures are seen at a glance: what matters is in view and in front, and nothing is cut."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pictures import points

from skl_lstm import ForecastDisplay, LossCurveDisplay
from skl_lstm.drawing.backtest import draw_backtest

plt = pytest.importorskip("matplotlib.pyplot")
to_rgba = pytest.importorskip("matplotlib.colors").to_rgba
date2num = pytest.importorskip("matplotlib.dates").date2num

FREQUENCIES = {"hourly": "h", "monthly": "MS", "yearly": "YS"}


def parts(n=400, steps=12, held_out=24, *, freq="h", level=100.0, name="load"):
    """Return what :meth:`from_predictions` takes: waves, in which all parts are known."""
    times = pd.date_range("1700-01-01", periods=n + steps, freq=freq, name="date")
    values = pd.Series(level * (2 + np.sin(np.arange(n + steps) / 4)), times, name=name)
    ahead = values[n:]
    return {
        "history": values[:n],
        "fitted": values[1 : n - held_out] * 1.02,
        "predicted": values[n - held_out : n] * 0.98,
        "forecast": pd.DataFrame({"lower": ahead * 0.9, "forecast": ahead, "upper": ahead * 1.1}),
        "coverage": 0.9,
    }


@pytest.mark.parametrize(
    ("n", "steps", "held_out", "n_history", "n_shown"),
    [
        (400, 12, 24, "auto", 120),  # ten times the steps
        (400, 12, 200, "auto", 250),  # the part held out, and a quarter of it before
        (30, 12, 6, "auto", 30),
        (400, 12, 24, None, 400),
        (400, 12, 24, 50, 50),
        (400, 12, 24, 1000, 400),
    ],
)
def test_the_last_values_are_shown(n, steps, held_out, n_history, n_shown):
    given = parts(n, steps, held_out)
    display = ForecastDisplay.from_predictions(**given, n_history=n_history)
    shown = given["history"][-n_shown:]
    times, values = points(display.history_line_)
    assert_allclose(values, shown)
    for line in (display.fitted_line_, display.predicted_line_):
        assert points(line)[0].min() >= times[0]
    assert len(points(display.forecast_line_)[0]) == steps
    left, right = display.ax_.get_xlim()
    step = 1 / 24
    assert left <= date2num(times[0]) < left + max(3, 0.02 * n_shown) * step
    assert right - max(3, 0.02 * n_shown) * step < date2num(given["forecast"].index[-1]) <= right


def test_without_a_forecast_the_part_held_out_or_all_is_shown():
    given = parts(400, held_out=150)
    del given["forecast"]
    display = ForecastDisplay.from_predictions(**given)
    assert len(points(display.history_line_)[0]) == round(150 / 0.8)
    given = parts(400)
    del given["forecast"], given["predicted"]
    assert len(points(ForecastDisplay.from_predictions(**given).history_line_)[0]) == 400


def test_the_axis_of_values_fits_what_is_shown():
    given = parts()
    given["history"] = given["history"].copy()
    given["history"].iloc[:100] = 1e6
    low, high = ForecastDisplay.from_predictions(**given).ax_.get_ylim()
    assert 80 < low < 101
    assert 330 < high < 450


def test_the_part_held_out_is_shaded():
    given = parts()
    display = ForecastDisplay.from_predictions(**given)
    shading = display.panels_[0].held_out
    hours = date2num(given["history"].index) * 24
    assert_allclose(shading.get_x() * 24, hours[-24] - 0.5)
    assert_allclose((shading.get_x() + shading.get_width()) * 24, hours[-1] + 0.5)
    del given["predicted"]
    assert ForecastDisplay.from_predictions(**given).panels_[0].held_out is None


def test_a_forecast_of_known_values_is_of_a_part_held_out():
    history = pd.Series(np.arange(40.0))
    ahead = pd.Series(1.0, index=range(30, 40))
    shading = ForecastDisplay.from_predictions(history, forecast=ahead).panels_[0].held_out
    assert (shading.get_x(), shading.get_x() + shading.get_width()) == (29.5, 39.5)


def test_the_forecast_stands_in_front_and_the_fitted_values_are_thin():
    display = ForecastDisplay.from_predictions(**parts())
    panel = display.panels_[0]
    behind = [panel.held_out, panel.fitted_line, panel.history_line, panel.predicted_line]
    order = [artist.get_zorder() for artist in (*behind, *panel.intervals, panel.forecast_line)]
    assert order == sorted(order)
    widths = [
        line.get_linewidth()
        for line in (panel.fitted_line, panel.history_line, panel.forecast_line)
    ]
    assert widths == sorted(set(widths))


def test_lines_are_told_apart_in_gray():
    panel = ForecastDisplay.from_predictions(**parts()).panels_[0]
    lines = (panel.history_line, panel.fitted_line, panel.predicted_line, panel.forecast_line)
    looks = {(line.get_linestyle(), line.get_linewidth(), line.get_marker()) for line in lines}
    assert len(looks) == 4


def luminance(color):
    channels = np.array(to_rgba(color)[:3])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("style", ["default", "dark_background", "grayscale", "ggplot"])
def test_lines_are_seen_on_light_and_dark_paper(style):
    with plt.style.context(style):
        display = ForecastDisplay.from_predictions(**parts())
    panel, paper = display.panels_[0], luminance(display.ax_.get_facecolor())
    for line in (panel.history_line, panel.predicted_line, panel.forecast_line):
        pair = sorted([luminance(line.get_color()), paper])
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 3, line.get_label()
    assert panel.history_line.get_color() == display.ax_.xaxis.label.get_color()


@pytest.mark.parametrize(("n_panels", "height"), [(1, 4.0), (2, 6.4), (4, 11.2)])
def test_a_new_figure_is_wide_and_has_a_light_grid(n_panels, height):
    frame = pd.DataFrame({f"column {i}": np.arange(30.0) for i in range(n_panels)})
    display = ForecastDisplay.from_predictions(frame)
    assert_allclose(display.figure_.get_size_inches(), (10.0, height))
    for ax in display.axes_:
        lines = [line for line in ax.get_xgridlines() if line.get_visible()]
        assert lines
        assert {line.get_alpha() for line in lines} == {0.15}
    assert [ax.get_xlabel() for ax in display.axes_] == [""] * (n_panels - 1) + ["time step"]
    assert [ax.get_legend() is None for ax in display.axes_] == [False] + [True] * (n_panels - 1)


def tick_labels(axis):
    """Return the boxes of the labels of an axis, in pixels, those within its limits."""
    low, high = sorted(axis.get_view_interval())
    along = 0 if axis.axis_name == "x" else 1
    return [
        label.get_window_extent()
        for label in axis.get_ticklabels()
        if label.get_text() and low <= label.get_position()[along] <= high
    ]


def texts_of(ax):
    """Return the boxes of all that is written at the edges of axes, in pixels."""
    labels = [ax.xaxis.label, ax.yaxis.label, ax.xaxis.get_offset_text()]
    labels += [ax.title, ax._left_title, ax._right_title]
    shown = [text for text in labels if text.get_text() and text.get_visible()]
    boxes = [text.get_window_extent() for text in shown]
    return [*boxes, *tick_labels(ax.xaxis), *tick_labels(ax.yaxis)]


def check_nothing_is_cut(figure):
    """Assert that all labels are in the figure, over no other axes and over no other label."""
    figure.draw_without_rendering()
    for ax in figure.axes:
        others = [other.get_window_extent() for other in figure.axes if other is not ax]
        for box in texts_of(ax):
            assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1 + 1
            assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1 + 1
            assert not any(box.overlaps(other) for other in others)
    boxes = [box for ax in figure.axes for box in texts_of(ax)]
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)


def check_the_legend_hides_nothing(ax):
    legend, axes = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert axes.x0 <= legend.x0
    assert legend.x1 <= axes.x1 + 1
    assert legend.y1 <= axes.y1
    for line in ax.lines:
        at = ax.transData.transform(line.get_xydata())
        assert not any(legend.contains(*point) for point in at)
    for band in ax.collections:
        at = ax.transData.transform(band.get_paths()[0].vertices)
        assert not any(legend.contains(*point) for point in at)


@pytest.mark.parametrize(
    ("freq", "n", "steps", "held_out", "layout"),
    [
        *((freq, *size, None) for freq in FREQUENCIES for size in ((500, 24, 48), (15, 3, 4))),
        *(("hourly", 500, 24, 48, layout) for layout in ("constrained", "tight")),
    ],
)
def test_nothing_is_cut_in_subplots(freq, n, steps, held_out, layout):
    figure, axes = plt.subplots(2, 2, layout=layout)
    for ax, level in zip(axes.flat, (1e-3, 1.0, 1e3, 1e6), strict=True):
        given = parts(n, steps, held_out, freq=FREQUENCIES[freq], level=level)
        ForecastDisplay.from_predictions(**given, ax=ax)
    check_nothing_is_cut(figure)
    for ax in axes.flat:
        check_the_legend_hides_nothing(ax)


@pytest.mark.parametrize("size", [(3.3, 2.5), (6.4, 4.8), (12.0, 3.0)])
@pytest.mark.parametrize("layout", [None, "constrained"])
def test_nothing_is_cut_in_figures_of_any_size(size, layout):
    figure, ax = plt.subplots(figsize=size, layout=layout)
    display = ForecastDisplay.from_predictions(**parts(level=1e6), ax=ax)
    assert display.ax_ is ax
    check_nothing_is_cut(figure)
    check_the_legend_hides_nothing(ax)
    assert len(ax.get_xticks()) >= 3


@pytest.mark.parametrize("freq", FREQUENCIES)
@pytest.mark.parametrize("n_panels", [1, 2, 4])
def test_nothing_is_cut_in_panels(freq, n_panels):
    tables = [parts(level=10.0**k, freq=FREQUENCIES[freq]) for k in range(n_panels)]
    keys = [f"column {k}" for k in range(n_panels)]
    given = {
        name: pd.concat([table[name] for table in tables], axis=1, keys=keys)
        for name in ("history", "fitted", "predicted", "forecast")
    }
    display = ForecastDisplay.from_predictions(**given)
    check_nothing_is_cut(display.figure_)
    check_the_legend_hides_nothing(display.ax_)


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_nothing_is_cut_in_the_picture_of_a_backtest(layout):
    hours = pd.date_range("2024-01-01", periods=60, freq="h")
    rows = [
        (model, fold, hours[at], step, hours[at + step], 1e6 + step, 1e6 + step**2)
        for model in ("a model of long name", "naive", "seasonal_naive")
        for fold, at in enumerate(range(0, 50, 4))
        for step in range(1, 9)
    ]
    columns = ["model", "fold", "origin", "step", "time", "truth", "forecast"]
    frame = pd.DataFrame(rows, columns=columns)
    figure, axes = plt.subplots(1, 2, layout=layout)
    draw_backtest(frame, axes=axes)
    check_nothing_is_cut(figure)


def test_axes_too_small_for_a_legend_have_none():
    axes = plt.subplots(3, 3, layout="constrained")[1]
    for ax in axes.flat:
        ForecastDisplay.from_predictions(**parts(), ax=ax)
        assert ax.get_legend() is None
        assert ax.get_ylim()[1] < 350


def test_subplots_that_need_no_other_place_keep_theirs():
    figure, ax = plt.subplots()
    before = ax.get_position().bounds
    ForecastDisplay.from_predictions(**parts(), ax=ax)
    assert ax.get_position().bounds == before
    assert figure.get_layout_engine() is None


def test_axes_of_a_part_of_a_figure_are_drawn_on():
    left, _ = plt.figure(layout="constrained").subfigures(1, 2)
    ax = left.subplots()
    display = ForecastDisplay.from_predictions(**parts(), ax=ax)
    display.figure_.figure.draw_without_rendering()
    check_the_legend_hides_nothing(ax)


def test_a_title_has_its_place_above_the_legend():
    display = ForecastDisplay.from_predictions(**parts())
    display.ax_.set_title("A title")
    display.figure_.draw_without_rendering()
    title = display.ax_.title.get_window_extent()
    assert not title.overlaps(display.ax_.get_legend().get_window_extent())


@pytest.mark.parametrize("losses", [[1.0, 0.9, 0.95], [1.0, 0.01, 0.9]])
def test_the_legend_of_losses_hides_nothing(losses):
    histories = {name: {"loss": losses, "val_loss": losses} for name in ("a", "b", "c")}
    display = LossCurveDisplay.from_histories(histories, kept={"a": 2})
    display.figure_.draw_without_rendering()
    check_the_legend_hides_nothing(display.ax_)
