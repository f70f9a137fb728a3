"""``python -m skl_lstm``: forecast the airline series, beside two naive forecasts."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

from skl_lstm import LookbackWindower, LSTMForecaster, load_airline_passengers, make_supervised

SEASON = 12
SEEDS = range(5)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the demonstration, or fill the cache of compiled code."""
    parser = argparse.ArgumentParser(prog="python -m skl_lstm", description=__doc__)
    parser.add_argument(
        "--warm-up",
        action="store_true",
        help="compile the training kernel, so that no later process has to, and exit",
    )
    if parser.parse_args(arguments).warm_up:
        warm_up()
    else:
        demonstrate()


def warm_up() -> None:
    """Compile the training kernel into its cache on disk."""
    started = time.perf_counter()
    windows = np.zeros((4, 2), dtype=np.float32)
    LSTMForecaster(units=1, epochs=1, engine="native").fit(windows, windows[:, 0])
    print(f"The training kernel is compiled and cached ({time.perf_counter() - started:.1f} s).")


def demonstrate() -> None:
    """Train on the first two thirds of the airline series; forecast the rest, month by month."""
    series = load_airline_passengers()
    X, y = make_supervised(series)
    n_train = int(len(X) * 0.67)
    train, test = slice(n_train), slice(n_train, None)
    started = time.perf_counter()
    networks = [network(seed).fit(X[train], y[train]).predict(X[test]) for seed in SEEDS]
    seconds = time.perf_counter() - started
    forecasts = {
        f"LSTM(16), mean of {len(SEEDS)} seeds": networks,
        "naive: as this month": [X[test].to_numpy()[:, 0]],
        "seasonal naive: as a year before": [series.to_numpy()[n_train + 1 - SEASON : -SEASON]],
    }
    first, last = (series.index[i].strftime("%B %Y") for i in (n_train + 1, -1))
    print(f"Airline passengers: {len(SEEDS)} networks trained on {n_train} months in ", end="")
    print(f"{seconds:.1f} s;\neach month from {first} to {last} forecast from those before.\n")
    print(f"{'forecast':<34}{'RMSE, thousands':>16}{'± over seeds':>14}")
    for name, predictions in forecasts.items():
        errors = [root_mean_squared_error(y[test], prediction) for prediction in predictions]
        spread = f"{np.std(errors):.1f}" if len(errors) > 1 else ""
        print(f"{name:<34}{np.mean(errors):>16.1f}{spread:>14}")


def network(seed: int) -> TransformedTargetRegressor:
    """Compose the model: growth is in percent, so it learns from logarithms."""
    return TransformedTargetRegressor(
        regressor=Pipeline(
            [
                ("log", FunctionTransformer(np.log)),
                ("scale", MinMaxScaler()),
                ("window", LookbackWindower(look_back=SEASON)),
                ("lstm", LSTMForecaster(units=16, epochs=400, batch_size=8, random_state=seed)),
            ]
        ),
        transformer=make_pipeline(
            FunctionTransformer(np.log, np.exp, check_inverse=False), MinMaxScaler()
        ),
    )


if __name__ == "__main__":
    main()
