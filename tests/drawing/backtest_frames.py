"""Frames of backtests, made by hand."""

import numpy as np
import pandas as pd

TIMES = pd.date_range("2024-01-01", periods=60, name="day")
NAIVE = ("naive", "seasonal_naive")


def frame_of(
    models=("a", "b"),
    *,
    origins=(20, 24, 28),
    steps=4,
    interval=False,
    series=None,
    columns=None,
    times=TIMES,
):
    """Return a frame in which model i errs by ``(i + 1) * step`` upward, the naive ones by 10."""
    rows = []
    for label in series or [None]:
        for column in columns or [None]:
            for i, model in enumerate([*models, *NAIVE]):
                for fold, origin in enumerate(origins):
                    for step in range(1, steps + 1):
                        at = origin + step
                        error = 10.0 if model in NAIVE else (i + 1.0) * step
                        row = {"model": model, "fold": fold, "shop": label}
                        row |= {"origin": times[origin], "step": step, "time": times[at]}
                        row |= {"column": column, "truth": float(at), "forecast": at + error}
                        if interval:
                            width = np.nan if model in NAIVE else 2.0
                            row |= {"lower": row["forecast"] - width}
                            row |= {"upper": row["forecast"] + width}
                        rows.append({**row, "scale": 1.0})
    return pd.DataFrame(rows).drop(
        columns=[*([] if series else ["shop"]), *([] if columns else ["column"])]
    )
