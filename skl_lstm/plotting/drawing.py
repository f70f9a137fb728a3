"""Shared parts of the plots: lines, axes, labels, the legend."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D


def places(index: pd.Index) -> NDArray:
    """Return the positions on the time axis: a period is at its beginning, dates are in UTC."""
    import pandas as pd

    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if isinstance(index, pd.DatetimeIndex) and index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    return index.to_numpy()


def draw_line(ax: Axes, at: NDArray, values: NDArray, **style: Any) -> Line2D:
    """Draw a line, and a point for each value without neighbors, which a line cannot show."""
    known = np.isfinite(values)
    lone = known & ~np.append(False, known[:-1]) & ~np.append(known[1:], False)
    if lone.any():
        style |= {"marker": ".", "markevery": np.flatnonzero(lone).tolist()}
    return ax.plot(at, values, linewidth=1.2, **style)[0]


def label_values(ax: Axes) -> None:
    """Write each value in full; a shared power of ten would overlap the legend."""
    ax.yaxis.set_major_formatter("{x:,.12g}")


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
    ax.set_xlabel(index.name if isinstance(index.name, str) else default)


def legend_above(ax: Axes) -> None:
    """Put the legend above the axes, in as few rows as there is room for."""
    n_names = len(ax.get_legend_handles_labels()[0])
    for n_rows in range(1, n_names + 1):
        legend = ax.legend(
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=math.ceil(n_names / n_rows),
            frameon=False,
            fontsize="small",
            handlelength=1.5,
            columnspacing=1.2,
            borderaxespad=0.2,
        )
        if legend.get_window_extent().width <= ax.get_window_extent().width:
            break


def new_axes() -> Axes:
    """Return the axes of a new figure whose layout has room for labels and legend."""
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def check_matplotlib(display: type) -> None:
    """Raise ImportError, with the command to install it, if matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{display.__name__} needs matplotlib: pip install matplotlib"
        ) from error
