"""``python -m skl_lstm``: forecast the airline series or your own, and evaluate the forecast.

Searches a small grid on all values except the last 24, compares the model on these with naive
forecasts, and saves the model, a forecast with its interval and a plot in a folder.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skl_lstm import LSTMForecaster, load_airline_passengers
from skl_lstm.demonstration.demonstration import check_length, demonstrate
from skl_lstm.demonstration.series_file import load_series


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the demonstration, or fill the cache of compiled code."""
    description = (__doc__ or "").partition("\n\n")[-1]
    parser = argparse.ArgumentParser(prog="python -m skl_lstm", description=description)
    parser.add_argument("--csv", metavar="FILE", help="forecast a series from this file instead")
    parser.add_argument("--column", metavar="NAME", help="name of the column with the values")
    parser.add_argument(
        "--date-column", metavar="NAME", help="name of the column with the dates, if any"
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        type=Path,
        default=Path("skl_lstm_demonstration"),
        help="folder for the results (default: %(default)s)",
    )
    parser.add_argument(
        "--warm-up",
        action="store_true",
        help="compile the training kernel into its cache for later processes, and exit",
    )
    options = parser.parse_args(arguments)
    if (options.csv is None) != (options.column is None):
        parser.error("--csv and --column go together")
    if options.csv is None and options.date_column is not None:
        parser.error("--date-column requires --csv")
    if options.warm_up:
        warm_up()
        return
    try:
        if options.csv is None:
            series = load_airline_passengers()
        else:
            series = load_series(options.csv, options.column, options.date_column)
        check_length(series)
        options.output.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    demonstrate(series, options.output)


def warm_up() -> None:
    """Compile the training kernel into its cache on disk."""
    started = time.perf_counter()
    windows = np.zeros((4, 2), dtype=np.float32)
    LSTMForecaster(units=1, epochs=1, engine="native").fit(windows, windows[:, 0])
    print(f"The training kernel is compiled and cached ({time.perf_counter() - started:.1f} s).")


if __name__ == "__main__":
    main()
