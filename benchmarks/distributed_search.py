"""A search on worker processes: in one process, joblib's own workers, and Dask.

What does a scheduler cost a fit? The time of a fit of one epoch, of which there are so many that
the way to the worker takes most of it: in this process, on two processes of joblib, and on one and
two workers of Dask, a task for each fit. How does a search grow with workers? The airline search
of `grid_search.py`, 24 candidates x 5 folds, with 300 epochs per fit, in the same places; the
scores must be identical. On paper, a search of n fits of s seconds takes about s * n / w on w
workers, as long as the scheduler, which handles a task in c seconds, keeps up: s / c workers.
"""

from __future__ import annotations

import contextlib
import math
import statistics
from collections.abc import Iterator, Mapping
from typing import Any

import joblib
import numpy as np
from _harness import OURS, Report, alternate, arguments, installed, seconds
from grid_search import Search, grid_of_pipeline, pipeline
from numpy.typing import NDArray

from skl_lstm import LSTMForecaster, load_airline_passengers, make_supervised

N_FOLDS = 5
LOKY, DASK_ONE, DASK_TWO = "joblib, 2 processes", "Dask, 1 worker", "Dask, 2 workers"
MORE_WORKERS = (4, 16, 64)


@contextlib.contextmanager
def places() -> Iterator[dict[str, dict[str, Any] | None]]:
    """Start workers; yield the arguments of ``joblib.parallel_config`` for each place."""
    here = {"backend": "threading", "n_jobs": 1}
    everywhere: dict[str, dict[str, Any] | None] = {
        OURS: here,
        LOKY: {"backend": "loky", "n_jobs": 2},
        DASK_ONE: None,
        DASK_TWO: None,
    }
    if not installed("distributed"):
        yield everywhere
        return
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        first, *_ = client.scheduler_info(n_workers=-1)["workers"]
        # In a cluster of one worker alone joblib would not leave this process.
        everywhere[DASK_ONE] = {"backend": "dask", "workers": [first]}
        everywhere[DASK_TWO] = {"backend": "dask"}
        yield everywhere


def one_fit(seed: int) -> NDArray:
    """Fit a network for one epoch."""
    X = np.arange(60, dtype=np.float32).reshape(20, 3) / 60
    return LSTMForecaster(units=2, epochs=1, random_state=seed).fit(X, X[:, 0]).weights_[0]


class Fits:
    """Many short fits, each a task of its own, with the weights of the last run."""

    def __init__(self, n_fits: int, backend: Mapping[str, Any]) -> None:
        self.n_fits, self.backend = n_fits, backend
        self.weights = np.zeros(0)

    def __call__(self) -> float:
        """Return the time for each fit."""
        return seconds(self._fit) / self.n_fits

    def _fit(self) -> None:
        with joblib.parallel_config(**self.backend):
            parallel = joblib.Parallel(batch_size=1)
            weights = parallel(joblib.delayed(one_fit)(seed) for seed in range(self.n_fits))
        self.weights = np.stack(weights)


def cost_of_a_task(
    report: Report, everywhere: Mapping[str, Any], runs: int, n_fits: int
) -> dict[str, list[float] | None]:
    sides = {place: how and Fits(n_fits, how) for place, how in everywhere.items()}
    alternate(sides, 1)  # loads the kernel in each process
    for place, side in sides.items():
        if side is not None and place != OURS:
            apart = np.abs(side.weights - sides[OURS].weights).max()
            report.agree(f"the weights, {place}", float(apart), 0.0)
    figures = alternate(sides, runs)
    report.add(f"time for each of {n_fits} fits of one epoch", figures)
    return figures


def growth_of_a_search(
    report: Report, everywhere: Mapping[str, Any], runs: int, epochs: int, quick: bool
) -> float:
    """Search in each place; return the seconds that a fit takes in this process."""
    X, y = make_supervised(load_airline_passengers())
    model, grid = pipeline(epochs), grid_of_pipeline(quick)
    if quick:
        grid["regressor__lstm__batch_size"] = [32]
    sides = {
        place: how and Search(model, grid, N_FOLDS, X, y, **how)
        for place, how in everywhere.items()
    }
    alternate(sides, 1)
    ours = sides[OURS].scores
    for place, side in sides.items():
        if side is not None and place != OURS:
            report.agree(f"the scores, {place}", float(np.abs(side.scores - ours).max()), 0.0)
    figures = alternate(sides, runs)
    report.add(f"search of {len(ours)} candidates x {N_FOLDS} folds, {epochs} epochs", figures)
    return statistics.median(figures[OURS] or []) / (len(ours) * N_FOLDS)


def on_paper(report: Report, cost: float, fit_seconds: float, n_fits: int) -> None:
    busy = fit_seconds / cost
    report.add(
        f"on paper: a fit of {fit_seconds:.3g} s, a task of {cost * 1e3:.3g} ms",
        {"workers kept busy by one scheduler": [busy]},
        "workers",
        relate=False,
    )
    times = {
        f"{n_workers} workers": [max(fit_seconds * math.ceil(n_fits / n_workers), cost * n_fits)]
        for n_workers in MORE_WORKERS
    }
    report.add(f"on paper: {n_fits:,} such fits", times, relate=False)


def main() -> None:
    options = arguments(__doc__, runs=5)
    report = Report(__doc__, options)
    n_fits, epochs = (20, 3) if options.quick else (200, 300)
    with places() as everywhere:
        tasks = cost_of_a_task(report, everywhere, options.runs, n_fits)
        fit_seconds = growth_of_a_search(report, everywhere, options.runs, epochs, options.quick)
    if tasks[DASK_TWO]:
        on_paper(report, statistics.median(tasks[DASK_TWO]), fit_seconds, 10_000)
    report.close()


if __name__ == "__main__":
    main()
