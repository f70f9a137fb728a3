"""Recipes for the M4 series, and models of the windows of one series or of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from _m4 import HOURLY, WEEKLY, Ahead, Frequency
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skl_lstm import LookbackWindower, LSTMForecaster, forecast, make_supervised


@dataclass(frozen=True)
class Recipe:
    """What was chosen for the series of one frequency.

    Parameters
    ----------
    frequency : Frequency
        The series.
    look_back : int
        Number of values in a window.
    settings : dict
        Arguments of LSTMForecaster.
    of_one : dict
        Those that differ in a network of one series.
    n_trees, n_windows : int
        Number of trees of gradient boosting, for each step, and of windows that it learns from,
        drawn at random.
    """

    frequency: Frequency
    look_back: int
    settings: dict[str, Any]
    of_one: dict[str, Any]
    n_trees: int = 100
    n_windows: int = 40_000

    def quick(self) -> Recipe:
        """Return the same with hardly any training."""
        little = {"units": 4, "epochs": 1}
        return replace(
            self,
            settings=self.settings | little,
            of_one=self.of_one | little,
            n_trees=2,
            n_windows=100,
        )


OF_ONE = {"units": 32, "epochs": 30, "batch_size": 32}
RECIPES = (
    # A window is one step of 52 features. Nothing but its last value is taken off.
    Recipe(
        WEEKLY,
        look_back=52,
        settings={
            "units": 128,
            "reshape_mode": "features",
            "window_scaling": "last",
            "loss": "mae",
            "epochs": 3,
            "batch_size": 512,
        },
        of_one=OF_ONE,
    ),
    # A step is a day of 24 features, and each hour of the day is normalized by itself.
    Recipe(
        HOURLY,
        look_back=168,
        settings={
            "units": 64,
            "features_per_step": 24,
            "target": list(range(24)),
            "window_scaling": "standard",
            "loss": "mae",
            "epochs": 12,
            "batch_size": 128,
        },
        of_one=OF_ONE,
    ),
)

Fit = Callable[[Recipe, pd.DataFrame, int], Ahead]


def fit_windows(recipe: Recipe, table: pd.DataFrame, model: Any) -> Ahead:
    """Fit a regressor to the logarithms of the windows of all series in a table."""
    # Steps of 24 rows are only for arrays: windows that tell their columns have steps of one row.
    in_days = [FunctionTransformer(np.asarray)] if "features_per_step" in recipe.settings else []
    pipeline = make_pipeline(
        FunctionTransformer(np.log),
        LookbackWindower(recipe.look_back, group="series"),
        *in_days,
        model,
    )
    of_logarithms = TransformedTargetRegressor(
        pipeline, func=np.log, inverse_func=np.exp, check_inverse=False
    )
    horizon = recipe.frequency.horizon
    of_logarithms.fit(*make_supervised(table, horizon=horizon, group="series"))

    def ahead(history: pd.DataFrame) -> pd.Series:
        # forecast cannot know that Normalized looks at no other rows, and would predict them all.
        last = history.groupby("series").tail(recipe.look_back)
        return forecast(of_logarithms, last, steps=horizon)

    return ahead


def fit_network(recipe: Recipe, table: pd.DataFrame, seed: int) -> Ahead:
    """Fit one network to all series."""
    return fit_windows(recipe, table, LSTMForecaster(random_state=seed, **recipe.settings))


def fit_network_of_one(recipe: Recipe, table: pd.DataFrame, seed: int) -> Ahead:
    """Fit a network to one series."""
    settings = recipe.settings | recipe.of_one
    return fit_windows(recipe, table, LSTMForecaster(random_state=seed, **settings))


def fit_ridge(recipe: Recipe, table: pd.DataFrame, seed: int) -> Ahead:
    """Fit a linear model of all steps."""
    return fit_windows(recipe, table, Normalized(Ridge(), recipe.frequency.season))


def fit_boosting(recipe: Recipe, table: pd.DataFrame, seed: int) -> Ahead:
    """Fit gradient boosting for each step."""
    trees = HistGradientBoostingRegressor(
        loss="absolute_error", max_iter=recipe.n_trees, random_state=seed
    )
    model = Normalized(MultiOutputRegressor(trees), recipe.frequency.season, recipe.n_windows)
    return fit_windows(recipe, table, model)


def fit_each(fit: Fit, recipe: Recipe, table: pd.DataFrame, seed: int) -> Ahead:
    """Fit one model to each series."""
    models = {name: fit(recipe, one, seed) for name, one in table.groupby("series")}
    return lambda history: pd.concat(models[name](one) for name, one in history.groupby("series"))


class Normalized(RegressorMixin, BaseEstimator):
    """A regressor on windows that are normalized as the network's are.

    Parameters
    ----------
    regressor : regressor
        What to fit to the normalized windows.
    season : int
        Each of the `season` phases is less its mean and divided by its standard deviation; the
        windows are less their last value if it is 1.
    n_rows : int or None
        Number of complete windows, drawn at random, to train on; all if None.
    """

    def __init__(self, regressor: Any, season: int, n_rows: int | None = None) -> None:
        self.regressor = regressor
        self.season = season
        self.n_rows = n_rows

    def fit(self, X: Any, y: NDArray) -> Normalized:
        windows = np.asarray(X)
        rows = np.flatnonzero(~np.isnan(windows).any(axis=1))
        if self.n_rows is not None and len(rows) > self.n_rows:
            rows = np.random.default_rng(0).choice(rows, self.n_rows, replace=False)
        windows, y = windows[rows], y[rows]
        self.least_scale_ = 0.1 * np.median(self._phases(windows).std(axis=1), axis=0) + 1e-9
        location, scale = self._measure(windows)
        self.regressor_ = clone(self.regressor).fit(
            (windows - _repeat(location, windows)) / _repeat(scale, windows),
            (y - _repeat(location, y)) / _repeat(scale, y),
        )
        return self

    def predict(self, X: Any) -> NDArray:
        """Return what follows each window, of which the first values may be missing."""
        windows = _filled(np.asarray(X))
        location, scale = self._measure(windows)
        said = self.regressor_.predict(
            (windows - _repeat(location, windows)) / _repeat(scale, windows)
        )
        return said * _repeat(scale, said) + _repeat(location, said)

    def _phases(self, windows: NDArray) -> NDArray:
        return windows.reshape(len(windows), -1, self.season)

    def _measure(self, windows: NDArray) -> tuple[NDArray, NDArray]:
        if self.season == 1:
            return windows[:, -1:], np.ones((len(windows), 1))
        phases = self._phases(windows)
        return phases.mean(axis=1), np.maximum(phases.std(axis=1), self.least_scale_)


def _repeat(values: NDArray, like: NDArray) -> NDArray:
    return np.tile(values, like.shape[1] // values.shape[1])


def _filled(windows: NDArray) -> NDArray:
    """Repeat the first known value before it."""
    missing = np.isnan(windows)
    first = windows[np.arange(len(windows)), np.argmin(missing, axis=1)]
    return np.where(missing, first[:, np.newaxis], windows)
