"""One network for many series: time and memory beside neuralforecast and darts.

How long does it take to learn 1,000 series of 500 rows and to forecast each of them 24 steps
ahead, and how much memory does that need? The network has one layer of 32 units and reads 48
rows; each side trains on as many windows as the panel has, once, in batches of 256, and its
forecasts are compared with what follows. Every run has a process of its own. Imports, and a fit
of a few series that loads or compiles the rest, come before the measurement. neuralforecast
draws its windows, so an epoch of it is one in number only.

The memory is the peak of the process, and its growth over what is resident after the imports and
the first fit. neuralforecast and darts need an environment of their own, as darts wants an older
pandas; where one of them is not installed, its side is left out.

Then the time and the memory of 10,000 series x 500 rows are measured, for an epoch of 100,000
windows and a forecast of all series; and the forecast of a partition of 1,000 series, of which a
million series are a thousand.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from _harness import (
    OURS,
    Report,
    arguments,
    forget_peak,
    in_fresh_process,
    installed,
    peak_mb,
    resident_mb,
)
from numpy.typing import NDArray

N_SERIES, N_ROWS, SEASON = 1000, 500, 24
LOOK_BACK, HORIZON, UNITS, BATCH_SIZE = 48, 24, 32, 256
WARM_SERIES = 4
MANY_SERIES, SAMPLE = 10_000, 100_000


def panel(n_series: int, n_rows: int) -> NDArray[np.float32]:
    """Return a level, a season and noise, one series per row."""
    rng = np.random.default_rng(0)
    levels = rng.normal(0.0, 5.0, (n_series, 1))
    heights = rng.uniform(0.5, 2.0, (n_series, 1))
    phases = rng.uniform(0.0, 2.0 * np.pi, (n_series, 1))
    season = np.sin(2.0 * np.pi * np.arange(n_rows) / SEASON + phases)
    noise = rng.normal(0.0, 0.3, (n_series, n_rows))
    return (levels + heights * season + noise).astype(np.float32)


def table(values: NDArray) -> Any:
    """Return the values as a table indexed by series and step."""
    import pandas as pd

    n_series, n_rows = values.shape
    index = pd.MultiIndex.from_product([range(n_series), range(n_rows)], names=["series", "step"])
    return pd.DataFrame({"value": values.ravel()}, index=index)


class OurSide:
    """LookbackWindower and LSTMForecaster on the table of all series."""

    def __init__(self, look_back: int, horizon: int, units: int, batch_size: int) -> None:
        from sklearn.pipeline import make_pipeline

        from skl_lstm import LookbackWindower, LSTMForecaster

        self.horizon = horizon
        self.model = make_pipeline(
            LookbackWindower(look_back, group="series"),
            LSTMForecaster(
                units=units,
                window_scaling="standard",
                epochs=1,
                batch_size=batch_size,
                learning_rate=1e-3,
                random_state=0,
            ),
        )

    def fit(self, values: NDArray, n_windows: int) -> None:
        """Train on the series; one epoch has the number of windows by itself."""
        from skl_lstm import make_supervised

        self.table = table(values)
        self.model.fit(*make_supervised(self.table, horizon=self.horizon, group="series"))

    def predict(self) -> NDArray:
        """Return the forecasts of all series."""
        from skl_lstm import forecast

        ahead = forecast(self.model, self.table, steps=self.horizon)
        return ahead.to_numpy().reshape(-1, self.horizon)


def side_of(name: str) -> Any:
    """Return a side, its library imported."""
    shape = LOOK_BACK, HORIZON, UNITS, BATCH_SIZE
    if name == OURS:
        return OurSide(*shape)
    import _panel_peers as peers

    return {"neuralforecast": peers.NeuralForecastSide, "darts": peers.DartsSide}[name](*shape)


def measure(name: str, n_series: int) -> dict[str, float]:
    """Measure one side in this process."""
    rows = panel(n_series, N_ROWS + HORIZON)
    values, following = rows[:, :N_ROWS], rows[:, N_ROWS:]
    side = side_of(name)
    n_windows = N_ROWS - LOOK_BACK - HORIZON + 1
    side.fit(values[:WARM_SERIES], WARM_SERIES * n_windows)
    side.predict()
    before = resident_mb()
    forget_peak()
    start = time.perf_counter()
    side.fit(values, n_series * n_windows)
    fitted = time.perf_counter()
    said = side.predict()
    predicted = time.perf_counter()
    return {
        "fit": fitted - start,
        "predict": predicted - fitted,
        "peak": peak_mb(),
        "growth": peak_mb() - before,
        "error": float(np.sqrt(np.mean((said - following) ** 2))),
    }


def measure_many(n_series: int, sample: int) -> dict[str, float]:
    """Measure a panel of many series, and a forecast of a partition of it."""
    from skl_lstm import forecast

    side = side_of(OURS)
    side.model.set_params(lstmforecaster__windows_per_epoch=sample)
    side.horizon = 1
    values = panel(n_series, N_ROWS)
    side.fit(values[:WARM_SERIES], 0)
    side.predict()
    whole = table(values)
    size = float(whole.memory_usage(deep=True).sum()) / 2**20
    part = whole.loc[: min(n_series, N_SERIES) - 1]
    del whole
    forget_peak()
    before = resident_mb()
    start = time.perf_counter()
    side.fit(values, 0)
    fitted = time.perf_counter()
    side.predict()
    predicted = time.perf_counter()
    growth = peak_mb() - before
    forecast(side.model, part, steps=1)
    return {
        "table": size,
        "fit": fitted - start,
        "predict": predicted - fitted,
        "growth": growth,
        "partition": time.perf_counter() - predicted,
    }


def main() -> None:
    """Run both questions."""
    options = arguments(__doc__, runs=3)
    report = Report(__doc__, options)
    n_series = 20 if options.quick else N_SERIES
    runs: dict[str, list[dict[str, float]]] = {OURS: [], "neuralforecast": [], "darts": []}
    here = [name for name in runs if name == OURS or installed(name)]
    for _ in range(options.runs):
        for name in here:
            runs[name].append(in_fresh_process(measure, name, n_series)[1])
    for what, unit in (
        ("fit", "s"),
        ("predict", "s"),
        ("peak", "MB"),
        ("growth", "MB"),
        ("error", "RMSE"),
    ):
        figures = {name: [run[what] for run in found] or None for name, found in runs.items()}
        report.add(f"{n_series:,} series x {N_ROWS} rows: {what}", figures, unit)
    n_many, sample = (50, 1000) if options.quick else (MANY_SERIES, SAMPLE)
    found = [in_fresh_process(measure_many, n_many, sample)[1] for _ in range(options.runs)]
    for what, unit in (
        ("table", "MB"),
        ("growth", "MB"),
        ("fit", "s"),
        ("predict", "s"),
        ("partition", "s"),
    ):
        report.add(
            f"{n_many:,} series x {N_ROWS} rows, {sample:,} windows an epoch: {what}",
            {OURS: [run[what] for run in found]},
            unit,
        )
    report.close()


if __name__ == "__main__":
    main()
