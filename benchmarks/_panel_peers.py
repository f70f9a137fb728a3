"""The same network for a panel of series in neuralforecast and darts.

One LSTM layer, and one linear layer from each of its last states to a step; windows are
standardized by their own mean and deviation; the loss is the squared error, and the optimizer is
Adam. Neither library is imported before it is asked for.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEARNING_RATE = 1e-3
QUIET: dict[str, Any] = {
    "accelerator": "cpu",
    "devices": 1,
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}


class NeuralForecastSide:
    """The LSTM of neuralforecast, which counts steps, each of windows drawn at random."""

    def __init__(self, look_back: int, horizon: int, units: int, batch_size: int) -> None:
        import neuralforecast  # noqa: F401

        quiet()
        self.shape = look_back, horizon, units, batch_size

    def fit(self, values: NDArray, n_windows: int) -> None:
        """Train on as many windows of the series."""
        import pandas as pd
        from neuralforecast import NeuralForecast
        from neuralforecast.losses.pytorch import MSE
        from neuralforecast.models import LSTM

        look_back, horizon, units, batch_size = self.shape
        n_series, n_rows = values.shape
        frame = pd.DataFrame(
            {
                "unique_id": np.repeat(np.arange(n_series), n_rows),
                "ds": np.tile(np.arange(n_rows), n_series),
                "y": values.ravel(),
            }
        )
        n_steps = -(-n_windows // batch_size)
        network = LSTM(
            h=horizon,
            input_size=look_back,
            encoder_hidden_size=units,
            encoder_n_layers=1,
            decoder_layers=1,
            loss=MSE(),
            scaler_type="standard",
            learning_rate=LEARNING_RATE,
            max_steps=n_steps,
            val_check_steps=n_steps,
            windows_batch_size=batch_size,
            inference_windows_batch_size=batch_size,
            random_seed=0,
            **QUIET,
        )
        self.model = NeuralForecast(models=[network], freq=1)
        self.model.fit(frame)

    def predict(self) -> NDArray:
        """Return the forecasts of all series."""
        _, horizon, *_ = self.shape
        return self.model.predict()["LSTM"].to_numpy().reshape(-1, horizon)


class DartsSide:
    """The BlockRNNModel of darts, with its reversible normalization of each window."""

    def __init__(self, look_back: int, horizon: int, units: int, batch_size: int) -> None:
        import darts  # noqa: F401

        quiet()
        self.shape = look_back, horizon, units, batch_size

    def fit(self, values: NDArray, n_windows: int) -> None:
        """Train on as many windows of the series."""
        import torch
        from darts import TimeSeries
        from darts.models import BlockRNNModel

        look_back, horizon, units, batch_size = self.shape
        self.series = [TimeSeries.from_values(row) for row in values]
        self.model = BlockRNNModel(
            input_chunk_length=look_back,
            output_chunk_length=horizon,
            model="LSTM",
            hidden_dim=units,
            n_rnn_layers=1,
            use_reversible_instance_norm={"affine": False},
            loss_fn=torch.nn.MSELoss(),
            optimizer_kwargs={"lr": LEARNING_RATE},
            n_epochs=1,
            batch_size=batch_size,
            random_state=0,
            pl_trainer_kwargs=QUIET,
        )
        self.model.fit(self.series, verbose=False)

    def predict(self) -> NDArray:
        """Return the forecasts of all series."""
        _, horizon, _, batch_size = self.shape
        said = self.model.predict(
            horizon, series=self.series, batch_size=batch_size, verbose=False
        )
        return np.stack([one.values(copy=False)[:, 0] for one in said])


def quiet() -> None:
    """Silence the libraries."""
    # Called after the imports: Lightning sets the level of its loggers when it is imported.
    warnings.filterwarnings("ignore")
    for name in ("pytorch_lightning", "lightning_fabric", "darts"):
        logging.getLogger(name).setLevel(logging.ERROR)
