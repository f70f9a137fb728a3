"""The axes to draw on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    # What users pass for several panels.
    SeveralAxes: TypeAlias = Sequence[Axes] | Sequence[Sequence[Axes]] | NDArray[np.object_]

# Inches. A wide picture shows the course of a series.
WIDTH, HEIGHT, FURTHER_HEIGHT = 10.0, 4.0, 2.4


def panels(
    given: Any, n_rows: int, n_columns: int = 1, *, name: str = "ax"
) -> NDArray[np.object_]:
    """Return axes to draw on: those given, or those of a new figure, below each other.

    Parameters
    ----------
    given : Axes, array-like of Axes, or None
        What the user passed.
    n_rows : int
        Number of panels.
    n_columns : int, default=1
        Number of axes of a panel, side by side.
    name : str, default="ax"
        Name of the user's parameter, for messages.

    Returns
    -------
    axes : ndarray of shape (n_rows, n_columns)
        The axes.

    Raises
    ------
    ValueError
        If what is given is not as many axes.
    """
    if given is None:
        return _new_panels(n_rows, n_columns)
    axes = np.asarray(given, dtype=object)
    n = n_rows * n_columns
    if axes.size != n or not all(_is_axes(ax) for ax in axes.flat):
        wanted = "one Axes" if n == 1 else f"an array of {n} Axes"
        shape = f"({n_rows}, {n_columns})" if n_columns > 1 else str(n_rows)
        wanted += f" of shape {shape}, one row for each panel" if n_columns > 1 else ""
        got = f"{axes.size}" if all(map(_is_axes, axes.flat)) else type(given).__name__
        raise ValueError(f"{name} must be {wanted}, got {got}")
    return axes.reshape(n_rows, n_columns)


def figure_of(ax: Axes) -> Figure:
    """Return the whole figure, also of axes in a part of it."""
    figure: Any = ax.figure
    return figure.figure


def dress(ax: Axes) -> None:
    """Add a light grid, behind all else."""
    ax.set_axisbelow(True)
    ax.grid(color=ax.xaxis.label.get_color(), alpha=0.15, linewidth=0.6)
    ax.margins(x=0.01)


def _new_panels(n_rows: int, n_columns: int) -> NDArray[np.object_]:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        n_rows,
        n_columns,
        figsize=(WIDTH, HEIGHT + FURTHER_HEIGHT * (n_rows - 1)),
        sharex="col",
        squeeze=False,
        layout="constrained",
        width_ratios=(5, 2) if n_columns == 2 else None,
    )
    for column in axes.T:
        figure.align_ylabels(column)
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
    return axes


def _is_axes(ax: Any) -> bool:
    from matplotlib.axes import Axes

    return isinstance(ax, Axes)
