"""Forecasting methods with one interface: fit once, then forecast from any later origin.

``fit(values, season, seed)`` learns from the training part. ``ahead(history, steps)`` forecasts
what follows a history that begins with the training part; nothing is fitted again, except by the
Theta method, which has no parameters worth keeping.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import LookbackWindower, LSTMForecaster, forecast, make_supervised


class Method(Protocol):
    """A method that was fitted."""

    def ahead(self, history: NDArray, steps: int) -> NDArray:
        """Forecast what follows the history."""


Fit = Callable[[NDArray, int, int], Method]


def look_back(n_rows: int, season: int) -> int:
    """Return the window of all methods that have one: a season, but no less than 12 rows."""
    return min(max(12, season), n_rows // 4)


class Naive:
    """Repeat the last season, or the last value if there is no season."""

    def __init__(self, season: int = 1) -> None:
        self.season = season

    def ahead(self, history: NDArray, steps: int) -> NDArray:
        return np.resize(history[-self.season :], steps)


class Regressor:
    """A scikit-learn regressor that predicts the next value, step after step."""

    def __init__(self, model: Any, values: NDArray) -> None:
        self.model = model.fit(*make_supervised(values))

    def ahead(self, history: NDArray, steps: int) -> NDArray:
        return np.asarray(forecast(self.model, history, steps))


class LessLastValue(RegressorMixin, BaseEstimator):
    """A regressor on windows less their last value, which is added to its predictions."""

    def __init__(self, regressor: Any) -> None:
        self.regressor = regressor

    def fit(self, X: NDArray, y: NDArray) -> LessLastValue:
        complete = ~np.isnan(X).any(axis=1)
        windows, last = self._split(X[complete])
        self.regressor_ = clone(self.regressor).fit(windows, y[complete] - last)
        return self

    def predict(self, X: NDArray) -> NDArray:
        complete = ~np.isnan(X).any(axis=1)
        windows, last = self._split(X[complete])
        predictions = np.full(len(X), np.nan)
        predictions[complete] = self.regressor_.predict(windows) + last
        return predictions

    @staticmethod
    def _split(X: NDArray) -> tuple[NDArray, NDArray]:
        return X - X[:, -1:], X[:, -1]


class ETS:
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
        return ETSModel(values, trend="add", damped_trend=True, **seasonal)


class Theta:
    """The Theta method (Assimakopoulos and Nikolopoulos, 2000)."""

    def __init__(self, season: int) -> None:
        self.season = season

    def ahead(self, history: NDArray, steps: int) -> NDArray:
        from statsmodels.tsa.forecasting.theta import ThetaModel

        model = ThetaModel(history, period=max(self.season, 2), deseasonalize=self.season > 1)
        return np.asarray(model.fit(disp=False).forecast(steps))


def fit_network(values: NDArray, season: int, seed: int) -> Method:
    """Fit skl_lstm's defaults, with scalers for X and y."""
    windower = LookbackWindower(look_back(len(values), season))
    network = make_pipeline(MinMaxScaler(), windower, LSTMForecaster(random_state=seed))
    model = TransformedTargetRegressor(network, transformer=MinMaxScaler())
    return Regressor(model, values)


def fit_ridge(values: NDArray, season: int, seed: int) -> Method:
    """Fit a linear model to windows less their last value."""
    windower = LookbackWindower(look_back(len(values), season))
    return Regressor(make_pipeline(windower, LessLastValue(Ridge())), values)


def fit_boosting(values: NDArray, season: int, seed: int) -> Method:
    """Fit gradient boosting to the same windows."""
    windower = LookbackWindower(look_back(len(values), season))
    boosting = HistGradientBoostingRegressor(random_state=seed)
    return Regressor(make_pipeline(windower, boosting), values)
