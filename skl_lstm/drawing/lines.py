"""Lines and bands over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.lines import Line2D

# What lies over what: shading and bands behind all lines, the forecast in front of all.
SHADING, PAST_BAND, FITTED, KNOWN, PREDICTED, BAND, FORECAST = 0.6, 1.6, 2.0, 2.1, 2.2, 2.3, 2.4

# So few values are shown as points too, since a short line is easily missed.
FEW = 24


def places(index: pd.Index) -> NDArray:
    """Return the positions on the time axis: a period is at its beginning, dates are in UTC."""
    import pandas as pd

    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if isinstance(index, pd.DatetimeIndex) and index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    return index.to_numpy()


def draw_line(ax: Axes, at: NDArray, values: ArrayLike, **style: Any) -> Line2D:
    """Draw a line, and a point for each value without neighbors, which a line cannot show."""
    values = np.asarray(values, dtype=np.float64)
    known = np.isfinite(values)
    lone = known & ~np.append(False, known[:-1]) & ~np.append(known[1:], False)
    if lone.any() and "marker" not in style:
        style |= {"marker": ".", "markevery": np.flatnonzero(lone).tolist()}
    return ax.plot(at, values, **{"linewidth": 1.2, **style})[0]


def draw_band(
    ax: Axes,
    at: NDArray,
    lower: ArrayLike,
    upper: ArrayLike,
    color: Any,
    opaque: float,
    **style: Any,
) -> PolyCollection:
    """Draw a band between two lines, with an edge: the only visible part of that of one step."""
    lower, upper = (np.asarray(end, dtype=np.float64) for end in (lower, upper))
    return ax.fill_between(
        at,
        lower,
        upper,
        facecolor=(color, opaque),
        edgecolor=(color, min(1.0, 2 * opaque)),
        **{"linewidth": 0.6, **style},
    )


def few_points(n_values: int) -> dict[str, Any]:
    """Return the style of a line of so many values: with points, if they are few."""
    return {"marker": "o", "markersize": 3.5} if n_values <= FEW else {}


def interval_name(coverage: float | None) -> str:
    """Return the name of an interval in the legend."""
    return "interval" if coverage is None else f"{100 * coverage:g}% interval"
