"""The memory of windows: in fitting and predicting with a pipeline, and in windowing.

How much memory do they need? Pipelines of windower and forecaster (units 4, the window as
"features", one epoch, batches of 8,192) are first fitted on a small series, which loads and
compiles everything. Then a long series, which is already in memory, is fitted and predicted. The
figure is the peak memory above the memory before that. In addition, a series of 10,000,000 values
is windowed. Every figure is from a separate process. The name of a row states how much memory a
float64 matrix of the windows would need.
"""

from __future__ import annotations

import time
from typing import Any

from _harness import (
    OURS,
    Report,
    arguments,
    forget_peak,
    in_fresh_process,
    peak_mb,
    resident_mb,
)

MEGABYTE = 2**20
FIRST_ROWS = 1000


def fit_and_predict(n_rows: int, look_back: int) -> dict[str, float]:
    import numpy as np
    from sklearn.pipeline import make_pipeline

    from skl_lstm import LookbackWindower, LSTMForecaster

    series = _series(n_rows + 1)
    X, y = series[:-1, np.newaxis], series[1:]
    forecaster = LSTMForecaster(
        units=4, reshape_mode="features", epochs=1, batch_size=8192, random_state=0
    )
    model = make_pipeline(LookbackWindower(look_back), forecaster)
    model.fit(X[:FIRST_ROWS], y[:FIRST_ROWS]).predict(X[:FIRST_ROWS])
    before = _forget()
    start = time.perf_counter()
    predictions = model.fit(X, y).predict(X)
    elapsed = time.perf_counter() - start
    if not np.isfinite(predictions).all() or predictions.shape != y.shape:
        raise ValueError("a prediction is missing")
    return {"growth": peak_mb() - before, "seconds": elapsed, "series": series.nbytes / MEGABYTE}


def window_only(n_rows: int, look_back: int) -> dict[str, float]:
    import numpy as np

    from skl_lstm import LookbackWindower

    series = _series(n_rows)[:, np.newaxis]
    windower = LookbackWindower(look_back)
    windower.fit_transform(series[:FIRST_ROWS])
    before = _forget()
    start = time.perf_counter()
    windows = windower.fit_transform(series)
    elapsed = time.perf_counter() - start
    growth = peak_mb() - before
    for row in (look_back - 1, n_rows // 2, n_rows - 1):
        if not np.array_equal(windows[row], series[row + 1 - look_back : row + 1, 0]):
            raise ValueError(f"row {row} of the output is not the window of row {row}")
    return {"growth": growth, "seconds": elapsed, "series": series.nbytes / MEGABYTE}


def _series(n_values: int) -> Any:
    import numpy as np

    values = np.arange(n_values, dtype=np.float64)
    values *= 0.01
    return np.sin(values, out=values)


def _forget() -> float:
    import gc

    gc.collect()
    forget_peak()
    return resident_mb()


def measure(
    report: Report, runs: int, what: str, function: Any, n_rows: int, look_back: int
) -> None:
    answers = [in_fresh_process(function, n_rows, look_back)[1] for _ in range(runs)]
    matrix = n_rows * look_back * 8 / MEGABYTE
    name = f"{what} {n_rows:,} rows at look_back {look_back}"
    report.add(
        f"{name}: memory (a matrix: {matrix:,.0f} MB)", {OURS: _column(answers, "growth")}, "MB"
    )
    times = [answer["growth"] / answer["series"] for answer in answers]
    report.add(f"{name}: memory relative to the series", {OURS: times}, "x")
    report.add(f"{name}: time", {OURS: _column(answers, "seconds")})


def _column(answers: list[dict[str, float]], name: str) -> list[float]:
    return [answer[name] for answer in answers]


def main() -> None:
    options = arguments(__doc__, runs=3)
    report = Report(__doc__, options)
    in_fresh_process(fit_and_predict, FIRST_ROWS, 3)  # compiles the kernel, if not cached
    less = 20 if options.quick else 1
    for n_rows, look_back in [
        (500_000, 336),
        (1_000_000, 24),
        (2_000_000, 24),
        (4_000_000, 24),
    ]:
        rows = n_rows // less
        measure(report, options.runs, "fit and predict", fit_and_predict, rows, look_back)
    measure(report, options.runs, "windowing", window_only, 10_000_000 // less, 168)
    report.close()


if __name__ == "__main__":
    main()
