"""Backtests of the same LSTM in darts and skforecast, and of our estimator in skforecast.

Each has one LSTM layer and one linear layer, learns the squared error with Adam, and is fitted
once, on the values before the first origin. Neither library is imported before it is asked for.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from _panel_peers import QUIET, quiet
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Plan:
    """What all sides do.

    Parameters
    ----------
    n_train : int
        Number of values before the first forecast.
    n_origins : int
        Number of forecasts.
    steps : int
        Number of values in a forecast, and between two origins.
    look_back, units, epochs, batch_size, learning_rate : int or float
        The window, the network and its training.
    seed : int
        Seed of the first weights and of the order of rows.
    """

    n_train: int
    n_origins: int
    steps: int
    look_back: int
    units: int
    epochs: int
    batch_size: int
    learning_rate: float
    seed: int = 0


def darts_block(series: pd.Series, plan: Plan, *, normalize: bool = False) -> NDArray:
    """Forecast with the BlockRNNModel, all steps at once.

    `normalize` takes its reversible normalization of each window in place of the Scaler.
    """
    from darts.models import BlockRNNModel

    model = BlockRNNModel(
        output_chunk_length=plan.steps,
        use_reversible_instance_norm={"affine": False} if normalize else False,
        **_darts_settings(plan),
    )
    return _darts_forecasts(model, series, plan, scale=not normalize)


def darts_recurrent(series: pd.Series, plan: Plan) -> NDArray:
    """Forecast with the RNNModel, which feeds each prediction back."""
    from darts.models import RNNModel

    model = RNNModel(training_length=plan.look_back + plan.steps, **_darts_settings(plan))
    return _darts_forecasts(model, series, plan, scale=True)


def _darts_settings(plan: Plan) -> dict[str, Any]:
    return {
        "input_chunk_length": plan.look_back,
        "model": "LSTM",
        "hidden_dim": plan.units,
        "n_rnn_layers": 1,
        "n_epochs": plan.epochs,
        "batch_size": plan.batch_size,
        "optimizer_kwargs": {"lr": plan.learning_rate},
        "random_state": plan.seed,
        "pl_trainer_kwargs": QUIET,
    }


def _darts_forecasts(model: Any, series: pd.Series, plan: Plan, *, scale: bool) -> NDArray:
    from darts import TimeSeries
    from darts.dataprocessing.transformers import Scaler

    quiet()
    whole = TimeSeries.from_series(series.astype(np.float32))
    train = whole[: plan.n_train]
    scaler = Scaler().fit(train) if scale else None
    model.fit(scaler.transform(train) if scale else train, verbose=False)
    found = model.historical_forecasts(
        whole,
        start=plan.n_train,
        start_format="position",
        forecast_horizon=plan.steps,
        stride=plan.steps,
        retrain=False,
        last_points_only=False,
        data_transformers={"series": scaler} if scale else None,
        verbose=False,
    )
    return np.stack([each.values(copy=False)[:, 0] for each in found])


def skforecast_network(series: pd.Series, plan: Plan) -> NDArray:
    """Forecast with the ForecasterRnn, a Keras network of all steps at once, and its scaler."""
    import keras
    from skforecast.deep_learning import ForecasterRnn, create_and_compile_model
    from skforecast.model_selection import backtesting_forecaster_multiseries

    keras.utils.set_random_seed(plan.seed)
    table = series.to_frame("value")
    with contextlib.redirect_stdout(io.StringIO()):  # it prints versions
        network = create_and_compile_model(
            table,
            lags=plan.look_back,
            steps=plan.steps,
            recurrent_units=plan.units,
            dense_units=None,
            compile_kwargs={
                "optimizer": keras.optimizers.Adam(plan.learning_rate),
                "loss": keras.losses.MeanSquaredError(),
            },
        )
    forecaster = ForecasterRnn(
        network,
        levels="value",
        lags=plan.look_back,
        fit_kwargs={"epochs": plan.epochs, "batch_size": plan.batch_size, "verbose": 0},
    )
    _, found = backtesting_forecaster_multiseries(
        forecaster, table, cv=_folds(plan), metric="mean_absolute_error", **_SILENT
    )
    return found["pred"].to_numpy().reshape(-1, plan.steps)


def skforecast_around(estimator: Any, series: pd.Series, plan: Plan) -> NDArray:
    """Forecast with the ForecasterRecursive around an estimator of windows, oldest value first."""
    from skforecast.model_selection import backtesting_forecaster
    from skforecast.recursive import ForecasterRecursive

    # Its first column is the last value.
    oldest_first = FunctionTransformer(np.fliplr)
    forecaster = ForecasterRecursive(make_pipeline(oldest_first, estimator), lags=plan.look_back)
    _, found = backtesting_forecaster(
        forecaster, series, cv=_folds(plan), metric="mean_absolute_error", **_SILENT
    )
    return found["pred"].to_numpy().reshape(-1, plan.steps)


_SILENT = {"show_progress": False, "verbose": False, "suppress_warnings": True}


def _folds(plan: Plan) -> Any:
    from skforecast.model_selection import TimeSeriesFold

    return TimeSeriesFold(
        steps=plan.steps, initial_train_size=plan.n_train, refit=False, verbose=False
    )
