"""A grid search: SciKeras, skl_lstm, and skl_lstm on two threads.

How long does it take? Two searches on the airline series, with 100 epochs per fit. The first has 6
candidates (units 4 and 16; batches of 1, 8 and 32) x 3 folds, on windows of 3 time steps, with
SciKeras and with skl_lstm. Both start from the same weights and process the rows in the same
order, so their scores must agree. The second has 24 candidates (the same for look_back 1, 3, 6 and
12) x 5 folds with the whole pipeline of skl_lstm, on one thread and on two; the scores must be
identical.
"""

from __future__ import annotations

from typing import Any

import joblib
import numpy as np
from _airline import LOOK_BACK, published_rows
from _harness import OURS, Report, alternate, arguments, installed, seconds
from _peers import scikeras_regressor
from numpy.typing import ArrayLike
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import LookbackWindower, LSTMForecaster, load_airline_passengers, make_supervised

UNITS = [4, 16]
BATCH_SIZES = [1, 8, 32]
LOOK_BACKS = [1, 3, 6, 12]


class Search:
    """A grid search that can be run repeatedly, with the scores of the last run.

    `backend` holds the arguments of ``joblib.parallel_config``, one thread by default.
    """

    def __init__(
        self, model: Any, grid: dict, n_folds: int, X: ArrayLike, y: ArrayLike, **backend: Any
    ) -> None:
        self.search = GridSearchCV(
            model,
            grid,
            cv=TimeSeriesSplit(n_folds),
            scoring="neg_root_mean_squared_error",
            refit=False,
            error_score="raise",
        )
        self.X, self.y = X, y
        self.backend = {"backend": "threading", "n_jobs": 1, **backend}

    def __call__(self) -> float:
        """Search without refitting the best candidate."""
        with joblib.parallel_config(**self.backend):
            return seconds(lambda: self.search.fit(self.X, self.y))

    @property
    def scores(self) -> np.ndarray:
        """Mean test score of each candidate."""
        return self.search.cv_results_["mean_test_score"]


def against_scikeras(report: Report, runs: int, epochs: int, quick: bool) -> None:
    (X, y), (X_test, y_test), _ = published_rows()
    X, y = np.concatenate([X, X_test]), np.concatenate([y, y_test])
    units, batch_sizes = (UNITS[:1], BATCH_SIZES[-1:]) if quick else (UNITS, BATCH_SIZES)
    forecaster = LSTMForecaster(epochs=epochs, shuffle=False, random_state=0)
    ours = Search(forecaster, {"units": units, "batch_size": batch_sizes}, 3, X, y)
    sides = {"SciKeras": None, OURS: ours}
    if installed("scikeras", "keras", "tensorflow"):
        regressor = scikeras_regressor(4, LOOK_BACK, 1, epochs=epochs, shuffle=False)
        grid = {"model__units": units, "batch_size": batch_sizes}
        sides["SciKeras"] = Search(regressor, grid, 3, X, y)
    alternate({OURS: ours}, 1)
    figures = alternate(sides, runs)
    if sides["SciKeras"] is not None:
        by_params = _by_candidate(sides["SciKeras"]), _by_candidate(ours)
        apart = max(abs(by_params[0][key] / score - 1.0) for key, score in by_params[1].items())
        report.agree("the candidates' scores, SciKeras", float(apart), 2e-2)
    candidates = len(units) * len(batch_sizes)
    report.add(f"GridSearchCV of {candidates} candidates x 3 folds, {epochs} epochs", figures)


def _by_candidate(search: Search) -> dict[tuple[int, int], float]:
    candidates = search.search.cv_results_["params"]
    keys = [(c.get("units", c.get("model__units")), c["batch_size"]) for c in candidates]
    return dict(zip(keys, search.scores, strict=True))


def pipeline(epochs: int) -> TransformedTargetRegressor:
    """Return the whole pipeline for the airline series."""
    return TransformedTargetRegressor(
        regressor=Pipeline(
            [
                ("scale", MinMaxScaler()),
                ("window", LookbackWindower()),
                ("lstm", LSTMForecaster(epochs=epochs, random_state=0)),
            ]
        ),
        transformer=MinMaxScaler(),
    )


def grid_of_pipeline(quick: bool) -> dict[str, list[int]]:
    """Return the 24 candidates of the pipeline, or half of them."""
    return {
        "regressor__window__look_back": LOOK_BACKS[:2] if quick else LOOK_BACKS,
        "regressor__lstm__units": UNITS,
        "regressor__lstm__batch_size": BATCH_SIZES,
    }


def one_and_two_threads(report: Report, runs: int, epochs: int, quick: bool) -> None:
    X, y = make_supervised(load_airline_passengers())
    model, grid = pipeline(epochs), grid_of_pipeline(quick)
    one, two = Search(model, grid, 5, X, y), Search(model, grid, 5, X, y, n_jobs=2)
    alternate({OURS: one, "2 threads": two}, 1)
    report.agree("the scores, 2 threads", float(np.abs(one.scores - two.scores).max()), 0.0)
    figures = alternate({OURS: one, f"{OURS}, 2 threads": two}, runs)
    report.add(f"GridSearchCV of {len(one.scores)} candidates x 5 folds, {epochs} epochs", figures)


def main() -> None:
    options = arguments(__doc__, runs=3)
    report = Report(__doc__, options)
    epochs = 3 if options.quick else 100
    against_scikeras(report, options.runs, epochs, options.quick)
    one_and_two_threads(report, options.runs, epochs, options.quick)
    report.close()


if __name__ == "__main__":
    main()
