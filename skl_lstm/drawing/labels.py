"""Labels of axes, and legends that hide nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.drawing.lines import places
from skl_lstm.drawing.panels import figure_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend


# Inches between a legend and what is below it.
GAP = 0.06

# The share of the height of axes that a legend may take.
MOST_OF_HEIGHT = 0.5

# Marks the legends that name all that is drawn on their axes.
WHOLE = "skl_lstm: legend of all"

# Inches below which axes are too narrow for a legend of the usual size.
NARROW = 4.0


def label_values(axis: Axis) -> None:
    """Write each value in full; a shared power of ten would be a number to multiply by."""
    axis.set_major_formatter("{x:,.12g}")


def label_time(ax: Axes, index: pd.Index) -> None:
    """Label the time axis and, if it holds dates, show as many as there is room for."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    is_dated = places(index).dtype.kind == "M"
    if is_dated:
        zone = getattr(index, "tz", None)
        inches = ax.get_window_extent().width / ax.figure.dpi
        # The possible intervals between dates roughly double (half a year, a year), so that one
        # of them always gives a number of dates in this range.
        room = max(5, int(inches / 0.6))
        locator = AutoDateLocator(tz=zone, minticks=(room - 1) // 2, maxticks=room)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))
    default = "time" if is_dated else "time step"
    label_below(ax, index.name if isinstance(index.name, str) else default)


def label_below(ax: Axes, label: str) -> None:
    """Name the axis below, unless that of the panel below is the same."""
    if ax.xaxis.get_tick_params().get("labelbottom", True):
        ax.set_xlabel(label)


def add_legend(ax: Axes, handles: Sequence[Any] | None = None) -> None:
    """Put the legend inside the axes, in as few rows as there is room for.

    The axes grow upward until it hides nothing. Inside, it stands in the way of no title and of
    no other axes, whatever lays out the figure. Legends of other axes, to which the labels of
    these may have left less room, are put anew. Axes that are too small for it have none.
    """
    figure = figure_of(ax)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    _put_legend(ax, handles)
    for other in figure.axes:
        legend = other.get_legend()
        if other is not ax and legend is not None and legend.get_gid() == WHOLE:
            _put_legend(other, None)


def _put_legend(ax: Axes, given: Sequence[Any] | None) -> None:
    handles = ax.get_legend_handles_labels()[0] if given is None else given
    if not handles:
        return
    room = ax.get_window_extent()
    small = room.width < NARROW * figure_of(ax).dpi
    for n_rows in range(1, len(handles) + 1):
        legend = ax.legend(
            handles=handles,
            loc="upper left",
            ncols=math.ceil(len(handles) / n_rows),
            fontsize="x-small" if small else "small",
            framealpha=1.0,
            edgecolor="none",
            handlelength=1.5 if small else 1.8,
            columnspacing=1.0 if small else 1.4,
            labelspacing=0.3,
            borderaxespad=0.3,
        )
        frame = legend.get_window_extent()
        if frame.width <= room.width:
            break
    if frame.width > room.width or frame.height > MOST_OF_HEIGHT * room.height:
        legend.remove()
        return
    legend.set_gid(WHOLE if given is None else None)
    _make_room(ax, legend)


def _make_room(ax: Axes, legend: Legend) -> None:
    """Raise the upper limit of the values until none is behind the legend."""
    frame, axes = legend.get_window_extent(), ax.get_window_extent()
    heights = [height for each in _outlines(ax) for height in _between(each, frame.x0, frame.x1)]
    top = min(axes.y1, max(heights, default=-math.inf))
    free = frame.y0 - axes.y0 - GAP * figure_of(ax).dpi
    if top <= axes.y0 + free or free <= 0:
        return
    # In pixels, so that this holds for logarithmic axes too.
    share = (top - axes.y0) / free
    inverse = ax.transData.inverted()
    raised = inverse.transform((axes.x0, axes.y0 + share * axes.height))[1]
    ax.set_ylim(top=raised, auto=None)


def _outlines(ax: Axes) -> Iterator[NDArray]:
    """Yield the corners of all that is drawn over the data, in pixels, of shape (n, 2)."""
    for line in ax.lines:
        if all(line.get_transform().contains_branch_seperately(ax.transData)):
            yield ax.transData.transform(line.get_xydata())
    for band in ax.collections:
        for path in band.get_paths():
            yield ax.transData.transform(path.vertices)


def _between(corners: NDArray, left: float, right: float) -> NDArray:
    """Return the heights of corners between two places, or whose line leads there."""
    known = corners[np.isfinite(corners).all(axis=1)]
    inside = (known[:, 0] >= left) & (known[:, 0] <= right)
    near = inside.copy()
    near[1:] |= inside[:-1]
    near[:-1] |= inside[1:]
    return known[near, 1]


def keep_labels_whole(figure: Figure) -> None:
    """Lay out the subplots anew if labels are cut or overlap, and nothing lays out the figure."""
    from matplotlib.layout_engine import PlaceHolderLayoutEngine

    engine = figure.get_layout_engine()
    if engine is not None and not isinstance(engine, PlaceHolderLayoutEngine):
        return
    all_axes = figure.get_axes()
    if any(ax.get_subplotspec() is None for ax in all_axes):
        return
    extents = [ax.get_tightbbox() for ax in all_axes if ax.get_visible()]
    boxes = [each for each in extents if each is not None]
    whole = all(
        box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
        for box in boxes
    )
    apart = all(not one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    if not (whole and apart):
        figure.tight_layout()
