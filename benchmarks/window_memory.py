"""The memory of windows: in fitting and predicting with a pipeline, and in windowing.

How much memory do they need? Pipelines of windower and forecaster (units 4, the window as
"features", one epoch, batches of 8,192) are first fitted on a small series, which loads and
compiles everything. Then a long series, which is already in memory, is fitted and predicted. The
figure is the peak memory above the memory before that. In addition, a series of 10,000,000 values
is windowed. Every figure is from a separate process. The name of a row states how much memory a
float64 matrix of the windows would need.

How much do they need if the series is larger than memory? A series in a file of 2 GB (a memmap of
float32) is fitted, one epoch of 1,000,000 of its windows, and training goes on with a part of it
(``partial_fit``). There the figure is the peak of anonymous memory, in which the pages of the file
do not count.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from _harness import (
    OURS,
    AnonymousPeak,
    Report,
    arguments,
    forget_peak,
    in_fresh_process,
    peak_mb,
    resident_mb,
)

MEGABYTE = 2**20
FIRST_ROWS = 1000
BLOCK_ROWS = 2**22


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


def fit_a_file(n_rows: int, look_back: int, n_drawn: int) -> dict[str, float]:
    import numpy as np
    from sklearn.pipeline import make_pipeline

    from skl_lstm import LookbackWindower, LSTMForecaster

    forecaster = LSTMForecaster(
        units=4,
        reshape_mode="features",
        epochs=1,
        batch_size=8192,
        windows_per_epoch=n_drawn,
        random_state=0,
    )
    windower = LookbackWindower(look_back)
    model = make_pipeline(windower, forecaster)
    with tempfile.TemporaryDirectory() as folder:
        series = _series_in_file(Path(folder) / "series", n_rows + 1)
        X, y = series[:-1, np.newaxis], series[1:]
        model.fit(X[:FIRST_ROWS], y[:FIRST_ROWS])
        start = time.perf_counter()
        with AnonymousPeak() as fitted:
            model.fit(X, y)
        seconds = time.perf_counter() - start
        windows, part = windower.fit_transform(X), n_rows // 64
        start = time.perf_counter()
        with AnonymousPeak() as continued:
            forecaster.partial_fit(windows[:part], y[:part])
        seconds_more = time.perf_counter() - start
        size = series.nbytes / MEGABYTE
        weights = [weight.tolist() for weight in forecaster.weights_]
    return {
        "growth": fitted.growth,
        "seconds": seconds,
        "growth of partial_fit": continued.growth,
        "seconds of partial_fit": seconds_more,
        "series": size,
        "is finite": all(np.isfinite(weight).all() for weight in weights),
    }


def _series_in_file(file: Path, n_values: int) -> Any:
    import numpy as np

    written = np.memmap(file, np.float32, "w+", shape=(n_values,))
    for start in range(0, n_values, BLOCK_ROWS):
        steps = np.arange(start, min(start + BLOCK_ROWS, n_values))
        written[start : start + BLOCK_ROWS] = np.sin(0.01 * steps)
    written.flush()
    return np.memmap(file, np.float32, "r", shape=(n_values,))


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


def measure_a_file(
    report: Report, runs: int, n_rows: int, look_back: int, n_drawn: int, most: float
) -> None:
    answers = [in_fresh_process(fit_a_file, n_rows, look_back, n_drawn)[1] for _ in range(runs)]
    if not all(answer["is finite"] for answer in answers):
        raise ValueError("a weight is not finite")
    size = answers[0]["series"]
    for what, suffix in (
        (f"fit {n_drawn:,} windows of a file of {size:,.0f} MB", ""),
        (f"partial_fit on {n_rows // 64:,} rows of it", " of partial_fit"),
    ):
        growths = _column(answers, f"growth{suffix}")
        report.add(f"{what}: anonymous memory", {OURS: growths}, "MB")
        relative = [growth / size for growth in growths]
        report.add(f"{what}: anonymous memory relative to the file", {OURS: relative}, "x")
        report.add(f"{what}: time", {OURS: _column(answers, f"seconds{suffix}")})
        if max(relative) > most:
            raise SystemExit(f"{what}: more than {most} of the file is in memory")


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
    n_rows, n_drawn = (2**24, 200_000) if options.quick else (2**29, 1_000_000)
    # Some 20 MB are taken whatever the size of the file.
    measure_a_file(report, options.runs, n_rows, 24, n_drawn, most=1.0 if options.quick else 0.25)
    report.close()


if __name__ == "__main__":
    main()
