"""The M4 series in mlforecast with LightGBM, and in the LSTM of neuralforecast.

One model of all series, of logarithms. The settings of mlforecast were chosen on the validation
parts among five (weekly) and four (hourly), those of neuralforecast among three: fewer than were
tried for skl_lstm. Neither library is imported before it is asked for.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
from _harness import installed
from _m4 import LEVELS, VALUE, Ahead, Frequency

QUICK_STEPS = 2

# Lags, differences and loss of the trees.
TREES = {
    "weekly": ([*range(1, 14), 26, 39, 50, 51, 52, 53], 1, "regression"),
    "hourly": ([*range(1, 25), 48, 72, 96, 120, 144, 168], 24, "regression_l1"),
}
NETWORKS: dict[str, dict[str, Any]] = {
    "weekly": {"input_size": 65, "scaler_type": "standard"},
    "hourly": {"input_size": 168, "scaler_type": "robust"},
}


def fit_mlforecast(frequency: Frequency, table: pd.DataFrame, seed: int, *, quick: bool) -> Ahead:
    """Fit trees that predict the next value, step after step."""
    from lightgbm import LGBMRegressor
    from mlforecast import MLForecast
    from mlforecast.target_transforms import Differences, GlobalSklearnTransformer
    from sklearn.preprocessing import FunctionTransformer

    lags, difference, objective = TREES[frequency.name]
    trees = LGBMRegressor(
        n_estimators=QUICK_STEPS if quick else 300,
        learning_rate=0.05,
        objective=objective,
        random_state=seed,
        verbosity=-1,
    )
    logarithms = GlobalSklearnTransformer(FunctionTransformer(np.log, np.exp))
    model = MLForecast(
        models={"said": trees},
        freq=1,
        lags=lags,
        target_transforms=[logarithms, Differences([difference])],
    )
    model.fit(_frame(table), static_features=[])
    return lambda history: _long(model.predict(frequency.horizon, new_df=_frame(history)))


def fit_neuralforecast(
    frequency: Frequency, table: pd.DataFrame, seed: int, *, quick: bool
) -> Ahead:
    """Fit a network that predicts all steps at once."""
    from neuralforecast import NeuralForecast
    from neuralforecast.models import LSTM

    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    network = LSTM(
        h=frequency.horizon,
        encoder_hidden_size=64,
        encoder_n_layers=1,
        max_steps=QUICK_STEPS if quick else 1500,
        start_padding_enabled=True,
        random_seed=seed,
        alias="said",
        accelerator="cpu",
        enable_progress_bar=False,
        logger=False,
        enable_checkpointing=False,
        **NETWORKS[frequency.name],
    )
    model = NeuralForecast(models=[network], freq=1)
    model.fit(_frame(np.log(table)))
    return lambda history: np.exp(_long(model.predict(_frame(np.log(history)))))


# Name, packages, how to fit, and whether a seed changes the result.
PEERS = {
    "mlforecast, LightGBM": (installed("mlforecast", "lightgbm"), fit_mlforecast, False),
    "neuralforecast LSTM": (installed("neuralforecast"), fit_neuralforecast, True),
}


def _frame(table: pd.DataFrame) -> pd.DataFrame:
    return table.reset_index().set_axis(["unique_id", "ds", "y"], axis=1)


def _long(said: pd.DataFrame) -> pd.Series:
    return said.set_index(["unique_id", "ds"])["said"].rename_axis(LEVELS).rename(VALUE)
