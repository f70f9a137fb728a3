"""The picture of a backtest: the paths over the truth, and the errors by step."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.checks import check_installed, check_integer
from skl_lstm.drawing.inks import Inks, model_styles
from skl_lstm.drawing.labels import (
    add_legend,
    keep_labels_whole,
    label_below,
    label_time,
    label_values,
)
from skl_lstm.drawing.lines import (
    FORECAST,
    KNOWN,
    PAST_BAND,
    draw_band,
    draw_line,
    few_points,
    interval_name,
    places,
)
from skl_lstm.drawing.panels import dress, figure_of, panels
from skl_lstm.drawing.paths import (
    NAIVE,
    apart,
    as_index,
    mean_errors,
    name_of_series,
    paths,
    series_of_rows,
    truth,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

# More cannot be told apart at a glance.
MOST_PANELS = 4
MOST_MODELS = 3
MOST_ORIGINS = 12

# Names in a message.
MOST_NAMES = 12

# How many times the largest error of a model the errors of naive forecasts are shown up to.
FAR = 3.0

NAIVE_DASHES: dict[Any, Any] = {"naive": (0, (4, 2)), "seasonal_naive": (0, (1, 1.2))}


@dataclass(frozen=True)
class BacktestPicture:
    """What :func:`draw_backtest` has drawn.

    Parameters
    ----------
    figure : matplotlib Figure
        The figure.
    axes : ndarray of Axes of shape (n_panels, 2)
        For each series and target, the axes of the paths and those of the errors.
    truths : tuple of matplotlib Line2D
        The true values in each panel.
    paths : tuple of dict
        In each panel, the line of each model: its paths, with NaN between them.
    bands : tuple of dict
        In each panel, the intervals of each model that has them.
    errors : tuple of dict
        In each panel, the mean absolute errors of each model by step; if there is one step, a
        line from 0 to the error.
    """

    figure: Figure
    axes: NDArray[np.object_]
    truths: tuple[Line2D, ...]
    paths: tuple[dict[Any, Line2D], ...]
    bands: tuple[dict[Any, PolyCollection], ...]
    errors: tuple[dict[Any, Line2D], ...]


def draw_backtest(
    frame: pd.DataFrame,
    *,
    models: Any = None,
    series: Any = None,
    column: Any = None,
    n_origins: int | None = MOST_ORIGINS,
    coverage: float | None = None,
    ylabel: str = "value",
    axes: Any = None,
) -> BacktestPicture:
    """Draw each model's paths over the truth and, beside them, its error by step.

    Parameters
    ----------
    frame : DataFrame
        Rows of a backtest: ``model``, ``fold``, the names of the series, if there are several,
        ``origin``, ``step``, ``time``, ``column``, if there are several targets, ``truth``,
        ``forecast`` and, of intervals, ``lower`` and ``upper``.
    models : name or list of names, default=None
        The models whose paths are drawn. If None, all but the naive ones; of more than three,
        those three of the smallest mean absolute error. The errors of all models are drawn.
    series : label or list of labels, default=None
        The series to draw, each in a panel; the first four if None.
    column : name or list of names, default=None
        The targets to draw, each in a panel; the first four if None.
    n_origins : int, default=12
        Number of origins, the last ones, whose paths are drawn; all of them if None. The errors
        are those of all origins.
    coverage : float, default=None
        Nominal coverage of the intervals, for the legend.
    ylabel : str, default="value"
        What the values are, if there is one target.
    axes : array-like of matplotlib Axes of shape (n_panels, 2), default=None
        Axes to draw on; those of a new figure if None.

    Returns
    -------
    picture : BacktestPicture
        The axes and what is drawn on them.

    Raises
    ------
    ValueError
        If there is no such model, series or column, if `n_origins` is not a positive integer, or
        if `axes` are not as many.
    ImportError
        If matplotlib is missing: ``pip install "skl-lstm[plot]"``.

    Notes
    -----
    What is left out is told above the first panel. Intervals are those of paths that do not
    overlap: of the last one, and so on back. Errors of a naive forecast that are more than twice
    those of all models lie outside the axes.
    """
    check_installed("plot", "plot", "matplotlib")
    if n_origins is not None:
        check_integer("n_origins", n_origins)
    shown, left_out = _panels(frame, series, column)
    names = list(dict.fromkeys(frame["model"]))
    drawn = _drawn_models(frame, names, models)
    if models is None and len(drawn) == MOST_MODELS:
        left_out += _told("best", MOST_MODELS, sum(name not in NAIVE for name in names), "models")
    axes = panels(axes, len(shown), 2, name="axes")
    styles = _styles(names, Inks.of(axes[0, 0]))
    artists = []
    for panel, (left, right) in zip(shown, axes, strict=True):
        recent, errors = _last_origins(panel.rows, n_origins), mean_errors(panel.rows)
        by_model = {name: recent[recent["model"] == name] for name in drawn}
        artists.append(
            (
                _draw_truth(left, recent),
                {
                    name: _draw_paths(left, name, each, styles[name])
                    for name, each in by_model.items()
                },
                _draw_bands(left, by_model, styles, coverage),
                _draw_errors(right, errors, styles),
            )
        )
        _mark_origins(left, recent)
        _label_errors(right, errors)
        dress(left)
        label_values(left.yaxis)
        label_time(left, as_index(panel.rows["time"]))
        left.set_ylabel(ylabel if panel.column is None else str(panel.column))
        left.set_title(panel.title, loc="left", fontsize="medium")
    n_all = shown[0].rows["origin"].nunique()
    left_out += _told("last", n_all if n_origins is None else n_origins, n_all, "origins")
    axes[0, 0].set_title(", ".join(left_out), loc="right", fontsize="small")
    axes[0, 1].set_title(f"over {n_all} origins", loc="left", fontsize="small")
    keep_labels_whole(figure_of(axes[0, 0]))
    _add_legends(axes[0], {_text(name) for name in drawn}, has_steps=len(errors) > 1)
    return BacktestPicture(axes[0, 0].figure, axes, *zip(*artists, strict=True))


@dataclass(frozen=True)
class _Panel:
    """The rows of one target of one series."""

    rows: pd.DataFrame
    title: str = ""
    column: Any = None


def _panels(frame: pd.DataFrame, series: Any, column: Any) -> tuple[list[_Panel], list[str]]:
    """Return what to draw in each panel, and words about what is left out."""
    shown, left_out = [_Panel(frame)], []
    labels = series_of_rows(frame)
    if labels is not None:
        there = list(labels.unique().sort_values())
        chosen = _chosen("series", series, there)
        shown = [_Panel(frame[labels == each], name_of_series(each)) for each in chosen]
        left_out += [] if series is not None else _told("first", len(chosen), len(there), "series")
    elif series is not None:
        raise ValueError(f"series must be None, since the backtest is of one, got {series!r}")
    if "column" in frame:
        there = list(dict.fromkeys(frame["column"]))
        chosen = _chosen("column", column, there)
        shown = [
            replace(panel, rows=panel.rows[panel.rows["column"] == each], column=each)
            for panel in shown
            for each in chosen
        ]
        left_out += (
            [] if column is not None else _told("first", len(chosen), len(there), "targets")
        )
    elif column is not None:
        raise ValueError(f"column must be None, since there is one target, got {column!r}")
    return shown, left_out


def _chosen(name: str, given: Any, there: list[Any], most: int | None = MOST_PANELS) -> list[Any]:
    """Return which of those that are there the user names; the first ones, if None."""
    if given is None:
        return there[:most]
    named = given if isinstance(given, list) else [given]
    for each in named:
        if each not in there:
            raise ValueError(f"{name} must be among {_listed(there)}, got {each!r}")
    if not named:
        raise ValueError(f"{name} must name at least one of {_listed(there)}, got []")
    return named


def _listed(names: list[Any]) -> str:
    """Return names for a message: all, or the first ones and their number."""
    more = len(names) - MOST_NAMES
    return f"{names[:MOST_NAMES]}" + (f" and {more} more" if more > 0 else "")


def _drawn_models(frame: pd.DataFrame, names: list[Any], models: Any) -> list[Any]:
    """Return the models whose paths are drawn."""
    if models is not None:
        return _chosen("models", models, names)
    own = [name for name in names if name not in NAIVE] or names
    if len(own) <= MOST_MODELS:
        return own
    error = (frame["forecast"] - frame["truth"]).abs().groupby(frame["model"]).mean()
    return list(error[own].sort_values(kind="stable").index[:MOST_MODELS])


def _text(model: Any) -> str:
    """Return the name of a model as words."""
    return str(model).replace("_", " ") if model in NAIVE else str(model)


def _told(which: str, n: int, n_all: int, what: str) -> list[str]:
    """Return words about what is drawn, if it is not all."""
    return [f"{which} {n} of {n_all} {what}"] if n < n_all else []


def _last_origins(rows: pd.DataFrame, n_origins: int | None) -> pd.DataFrame:
    if n_origins is None:
        return rows
    return rows[rows["origin"].isin(rows["origin"].drop_duplicates().nlargest(n_origins))]


def _styles(names: list[Any], inks: Inks) -> dict[Any, dict[str, Any]]:
    """Return the style of each model; the naive ones are gray."""
    own = model_styles([name for name in names if name not in NAIVE], inks)
    gray = {"color": (inks.text, 0.6), "marker": "", "linewidth": 1.2}
    return own | {
        name: {**gray, "linestyle": dashes}
        for name, dashes in NAIVE_DASHES.items()
        if name in names
    }


def _mark_origins(ax: Axes, rows: pd.DataFrame) -> None:
    """Mark where the paths begin, at the lower edge."""
    origins = places(as_index(rows["origin"].drop_duplicates()))
    ax.plot(
        origins,
        np.zeros(len(origins)),
        linestyle="",
        marker="^",
        markersize=4,
        color=(Inks.of(ax).text, 0.5),
        clip_on=False,
        transform=ax.get_xaxis_transform(),
        label="origin",
    )


def _draw_truth(ax: Axes, rows: pd.DataFrame) -> Line2D:
    values = truth(rows)
    color = Inks.of(ax).text
    style = {"color": color, "label": "truth", "linewidth": 1.4, "zorder": KNOWN}
    return draw_line(ax, places(values.index), values, **style)


def _draw_paths(ax: Axes, name: Any, rows: pd.DataFrame, style: dict[str, Any]) -> Line2D:
    """Draw the paths of a model; those of a single step are points."""
    path = paths(rows)
    values = path["forecast"].to_numpy()
    has_lines = np.isfinite(values[1:] + values[:-1]).any()
    shape = {"marker": ""} if has_lines else {"linestyle": "", "markersize": 4}
    style = {**style, **shape, "label": _text(name), "zorder": FORECAST}
    return draw_line(ax, places(path.index), values, **style)


def _draw_bands(
    ax: Axes,
    by_model: dict[Any, pd.DataFrame],
    styles: dict[Any, dict[str, Any]],
    coverage: float | None,
) -> dict[Any, PolyCollection]:
    """Draw the intervals of the models that have them, fainter if there are several."""
    known = {
        name: rows
        for name, rows in by_model.items()
        if "lower" in rows and rows["lower"].notna().any()
    }
    opaque = Inks.of(ax).band / max(1, len(known)) ** 0.5
    drawn: dict[Any, PolyCollection] = {}
    for name, rows in known.items():
        path = paths(apart(rows))
        style = {"color": styles[name]["color"], "opaque": opaque, "zorder": PAST_BAND}
        style["label"] = "_" if drawn else interval_name(coverage)  # once in the legend
        drawn[name] = draw_band(ax, places(path.index), path["lower"], path["upper"], **style)
    return drawn


def _draw_errors(
    ax: Axes, errors: pd.DataFrame, styles: dict[Any, dict[str, Any]]
) -> dict[Any, Line2D]:
    """Draw the errors by step or, of a single step, a bar of each model."""
    drawn = {}
    for i, (name, by_step) in enumerate(errors.items()):
        style = {**styles[name], "label": _text(name)}
        if len(errors) == 1:
            bar = {"solid_capstyle": "butt", "linewidth": 7, "linestyle": "-", "marker": ""}
            drawn[name] = draw_line(ax, np.array([0.0, by_step.iloc[0]]), [i, i], **style | bar)
        else:
            few = few_points(len(by_step))
            shape = few | {"marker": style["marker"]} if few else {"marker": ""}
            drawn[name] = draw_line(ax, by_step.index.to_numpy(), by_step, **style | shape)
    return drawn


def _label_errors(ax: Axes, errors: pd.DataFrame) -> None:
    """Name the axes of the errors and limit them to what is compared."""
    from matplotlib.ticker import MaxNLocator

    dress(ax)
    if len(errors) == 1:
        ax.set_yticks(range(errors.shape[1]), [_text(name) for name in errors])
        ax.set_ylim(errors.shape[1] - 0.5, -0.5)
        ax.set_xlim(left=0.0)
        label_values(ax.xaxis)
        label_below(ax, "mean absolute error")
        return
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    ax.margins(x=0.04)
    ax.set_ylim(0.0, _top(errors.max()))
    ax.set_ylabel("mean absolute error")
    label_values(ax.yaxis)
    label_below(ax, "step")


def _top(largest: pd.Series) -> float | None:
    """Return up to where errors are shown: a naive forecast may leave, if it is far above."""
    limit = FAR * largest.drop([name for name in NAIVE if name in largest]).max()
    return float(limit) if limit > 0 and largest.max() > limit else None


def _add_legends(axes: NDArray[np.object_], drawn: Collection[Any], *, has_steps: bool) -> None:
    """Name the lines of the first panel: on the right, those that are not on the left."""
    left, right = axes
    add_legend(left)
    if has_steps:
        lines = right.get_legend_handles_labels()[0]
        add_legend(right, [line for line in lines if line.get_label() not in drawn])
