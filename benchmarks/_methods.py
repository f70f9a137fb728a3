"""Forecasting methods with one interface: fit once, then forecast from any later origin.

``fit(values, season, steps, seed)`` learns from the training part. ``from_origins(values,
origins, steps)`` forecasts, for each origin, what follows ``values[:origin]``; nothing is fitted
again, except by the Theta method, which has no parameters worth keeping.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from _harness import OURS, installed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import LookbackWindower, LSTMForecaster, forecast, make_supervised

NAIVE, SEASONAL, THETA, ETS_ = "naive", "seasonal naive", "Theta", "ETS"
BOOSTING = "gradient boosting"
RECIPE = f"{OURS}, recipe"

LONG_SEASON = 24

# Of skl_lstm's defaults it changes the form of a window, turns windows upside down too, and keeps
# weights small, since most of the series are short.
SETTINGS = {
    "window_scaling": "last",
    "reshape_mode": "features",
    "mirror": True,
    "optimizer": "adamw",
    "optimizer_kwargs": {"weight_decay": 2.0},
    "batch_size": 16,
}


class Method(Protocol):
    """A method that was fitted."""

    def from_origins(self, values: NDArray, origins: Sequence[int], steps: int) -> NDArray:
        """Forecast `steps` values after each origin, from the values before it alone."""


Fit = Callable[[NDArray, int, int, int], Method]


def methods() -> dict[str, tuple[Fit, bool]]:
    """Return how to fit each method that is installed, and whether a seed changes it."""
    found: dict[str, tuple[Fit, bool]] = {
        NAIVE: (lambda values, season, steps, seed: Naive(1), False),
        SEASONAL: (lambda values, season, steps, seed: Naive(season), False),
        "ridge": (fit_ridge, False),
        BOOSTING: (fit_boosting, False),
        f"{OURS}, MinMaxScaler": (fit_scaled_network, True),
        f"{OURS}, last": (partial(fit_network, window_scaling="last"), True),
        f"{OURS}, standard": (partial(fit_network, window_scaling="standard"), True),
        f"{OURS}, mean": (partial(fit_network, window_scaling="mean"), True),
        RECIPE: (partial(fit_network, **SETTINGS), True),
    }
    if installed("statsmodels"):
        found[THETA] = (lambda values, season, steps, seed: Theta(season), False)
        found[ETS_] = (lambda values, season, steps, seed: ETS(values, season), False)
    if installed("neuralforecast"):
        found["neuralforecast LSTM"] = (NeuralLSTM, True)
    return found


def look_back(n_rows: int, season: int) -> int:
    """Return the length of a window: a season and one, but at least 13 rows."""
    return min(max(12, season) + 1, n_rows // 4)


def windower(values: NDArray, season: int) -> LookbackWindower:
    """Return the windower of all methods that have one."""
    return LookbackWindower(look_back(len(values), season))


class ByOrigin:
    """A method that forecasts from one origin after the other."""

    def from_origins(self, values: NDArray, origins: Sequence[int], steps: int) -> NDArray:
        return np.array([self.ahead(values[:origin], steps) for origin in origins])

    def ahead(self, history: NDArray, steps: int) -> NDArray:
        raise NotImplementedError


class Naive(ByOrigin):
    """Repeat the last season, or the last value if there is no season."""

    def __init__(self, season: int) -> None:
        self.season = season

    def ahead(self, history: NDArray, steps: int) -> NDArray:
        return np.resize(history[-self.season :], steps)


class Regressor(ByOrigin):
    """A scikit-learn regressor that predicts the next value, step after step."""

    def __init__(self, model: Any, values: NDArray) -> None:
        self.model = model.fit(*make_supervised(values))

    def from_origins(self, values: NDArray, origins: Sequence[int], steps: int) -> NDArray:
        if steps > 1:
            return super().from_origins(values, origins, steps)
        # The prediction of a row depends on this row and those before it alone.
        said = self.model.predict(values[:-1, np.newaxis])
        return said[np.asarray(origins) - 1, np.newaxis]

    def ahead(self, history: NDArray, steps: int) -> NDArray:
        return np.asarray(forecast(self.model, history, steps))


class LessLastValue(RegressorMixin, BaseEstimator):
    """A regressor on windows less their last value, which is added to its predictions."""

    def __init__(self, regressor: Any) -> None:
        self.regressor = regressor

    def fit(self, X: NDArray, y: NDArray) -> LessLastValue:
        complete = ~np.isnan(X).any(axis=1)
        windows, last = self._split(X[complete])
        self.regressor_ = clone(self.regressor).fit(windows, (y[complete].T - last).T)
        return self

    def predict(self, X: NDArray) -> NDArray:
        complete = ~np.isnan(X).any(axis=1)
        windows, last = self._split(X[complete])
        said = (self.regressor_.predict(windows).T + last).T
        predictions = np.full((len(X), *said.shape[1:]), np.nan)
        predictions[complete] = said
        return predictions

    @staticmethod
    def _split(X: NDArray) -> tuple[NDArray, NDArray]:
        return X - X[:, -1:], X[:, -1]


class ETS(ByOrigin):
    """Exponential smoothing with an additive damped trend and, if there is one, a season."""

    def __init__(self, values: NDArray, season: int) -> None:
        self.season = season
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the optimizer did not converge
            self.parameters = self._model(values).fit(disp=False).params

    def ahead(self, history: NDArray, steps: int) -> NDArray:
        return np.asarray(self._model(history).smooth(self.parameters).forecast(steps))

    def _model(self, values: NDArray) -> Any:
        from statsmodels.tsa.exponential_smoothing.ets import ETSModel

        seasonal = {"seasonal": "add", "seasonal_periods": self.season} if self.season > 1 else {}
        if self.season > LONG_SEASON:  # to fit each initial value of a season takes too long
            seasonal["initialization_method"] = "heuristic"
        return ETSModel(values, trend="add", damped_trend=True, **seasonal)


class Theta(ByOrigin):
    """The Theta method (Assimakopoulos and Nikolopoulos, 2000)."""

    def __init__(self, season: int) -> None:
        self.season = season

    def ahead(self, history: NDArray, steps: int) -> NDArray:
        from statsmodels.tsa.forecasting.theta import ThetaModel

        model = ThetaModel(history, period=max(self.season, 2), deseasonalize=self.season > 1)
        return np.asarray(model.fit(disp=False).forecast(steps))


class NeuralLSTM:
    """The LSTM of neuralforecast, all steps at once, of as many units and with its own scaler."""

    def __init__(self, values: NDArray, season: int, steps: int, seed: int) -> None:
        from neuralforecast import NeuralForecast
        from neuralforecast.models import LSTM

        logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
        logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
        network = LSTM(
            h=steps,
            input_size=look_back(len(values), season),
            encoder_hidden_size=32,
            encoder_n_layers=1,
            scaler_type="robust",
            max_steps=500,
            random_seed=seed,
            accelerator="cpu",
            enable_progress_bar=False,
            logger=False,
            enable_checkpointing=False,
        )
        self.model = NeuralForecast(models=[network], freq=1)
        self.model.fit(self._frame({0: values}))

    def from_origins(self, values: NDArray, origins: Sequence[int], steps: int) -> NDArray:
        said = self.model.predict(
            self._frame({i: values[:origin] for i, origin in enumerate(origins)})
        )
        return (
            said.sort_values(["unique_id", "ds"])["LSTM"]
            .to_numpy()
            .reshape(len(origins), -1)[:, :steps]
        )

    @staticmethod
    def _frame(series: dict[int, NDArray]) -> Any:
        import pandas as pd

        return pd.concat(
            pd.DataFrame({"unique_id": name, "ds": np.arange(len(values)), "y": values})
            for name, values in series.items()
        )


def fit_network(values: NDArray, season: int, steps: int, seed: int, **settings: Any) -> Method:
    """Fit skl_lstm to the values themselves."""
    network = LSTMForecaster(random_state=seed, **settings)
    return Regressor(make_pipeline(windower(values, season), network), values)


def fit_scaled_network(values: NDArray, season: int, steps: int, seed: int) -> Method:
    """Fit skl_lstm's defaults, with scalers for X and y."""
    network = make_pipeline(
        MinMaxScaler(), windower(values, season), LSTMForecaster(random_state=seed)
    )
    return Regressor(TransformedTargetRegressor(network, transformer=MinMaxScaler()), values)


def fit_ridge(values: NDArray, season: int, steps: int, seed: int) -> Method:
    """Fit a linear model to windows less their last value."""
    return Regressor(make_pipeline(windower(values, season), LessLastValue(Ridge())), values)


def fit_boosting(values: NDArray, season: int, steps: int, seed: int) -> Method:
    """Fit gradient boosting to the same windows."""
    boosting = HistGradientBoostingRegressor(random_state=seed)
    return Regressor(make_pipeline(windower(values, season), boosting), values)
