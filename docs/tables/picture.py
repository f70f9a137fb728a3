"""The picture of the accuracy page, drawn from the figures of the benchmark."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from pathlib import Path

BASELINE = "seasonal naive"

# Mean MASE of each method, by series.
Errors = Mapping[str, Mapping[str, float]]


def draw_accuracy(
    by_horizon: Mapping[str, Errors], is_unseen: Callable[[str], bool], file: Path
) -> None:
    """Draw, for each method, its MASE relative to the seasonal naive forecast's.

    A point is a series, a bar the geometric mean. The picture is narrow, so that its text can be
    read on a narrow screen too.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.0, 7.6), layout="constrained")
    axes = figure.subplots(len(by_horizon), sharex=True)
    for ax, (horizon, by_series) in zip(axes, by_horizon.items(), strict=True):
        methods = [name for name in next(iter(by_series.values())) if name != BASELINE]
        ratios = {
            method: [errors[method] / errors[BASELINE] for errors in by_series.values()]
            for method in methods
        }
        means = {method: statistics.geometric_mean(found) for method, found in ratios.items()}
        methods.sort(key=means.__getitem__, reverse=True)  # the best one at the top
        for place, method in enumerate(methods):
            for unseen, color, height in ((False, "#0072b2", 0.13), (True, "#d55e00", -0.13)):
                points = [
                    ratio
                    for series, ratio in zip(by_series, ratios[method], strict=True)
                    if is_unseen(series) == unseen
                ]
                heights = [place + height] * len(points)
                ax.plot(points, heights, "o", color=color, markersize=3.5, alpha=0.5, mew=0)
            ax.plot([means[method]] * 2, [place - 0.36, place + 0.36], color="black", linewidth=2)
        ax.axvline(1.0, color="0.4", linewidth=1, linestyle="--")
        ax.set(xscale="log", title=horizon)
        ax.set_yticks(range(len(methods)), methods)
        for label in ax.get_yticklabels():
            label.set_fontweight("bold" if label.get_text().startswith("skl_lstm") else "normal")
        ax.set_xticks([0.01, 0.1, 1, 10, 100], ["0.01", "0.1", "1", "10", "100"])
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="y", alpha=0.3)
    axes[-1].set_xlabel("MASE relative to the seasonal naive forecast")
    figure.savefig(file, dpi=160)
