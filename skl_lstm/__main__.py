"""``python -m skl_lstm``: forecast the airline series or your own, and evaluate the forecast.

Searches a small grid on all values except the last 24, compares the model on these with naive
forecasts, and saves the model, a forecast with its interval and a plot in a folder. Short series
get a smaller search.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from skl_lstm import __version__, load_airline_passengers, load_kernel
from skl_lstm.demonstration.data import Data
from skl_lstm.demonstration.demonstration import demonstrate, plan_for
from skl_lstm.demonstration.series_file import load_series


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the demonstration, or fill the cache of compiled code."""
    parser = argparse.ArgumentParser(
        prog="python -m skl_lstm", description=(__doc__ or "").partition("\n\n")[-1]
    )
    of_file = _add_options(parser)
    options = parser.parse_args(arguments)
    given = {name: getattr(options, name) for name in of_file}
    for name, value in given.items():
        if value and options.csv is None:
            parser.error(f"--{name.replace('_', '-')} requires --csv")
    if options.no_dates and (options.date_column or options.freq):
        parser.error("--no-dates does not go with --date-column or --freq")
    if options.warm_up:
        warm_up()
        return
    try:
        if options.csv is None:
            data = Data(load_airline_passengers().to_frame())
        else:
            data = load_series(options.csv, **given)
        plan = plan_for(data, options.holdout, options.steps)
        options.output.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    for note in data.notes:
        print(note)
    demonstrate(data, plan, options.output)


def _add_options(parser: argparse.ArgumentParser) -> list[str]:
    """Add all options; return the names of those that tell how to read a file."""
    parser.add_argument("--version", action="version", version=f"skl_lstm {__version__}")
    parser.add_argument(
        "--csv", metavar="FILE", help="forecast a series from this file of text instead"
    )
    file = parser.add_argument_group(
        "how to read FILE", "Each is found out if possible, and then said."
    )
    of_file = [
        file.add_argument("--column", metavar="NAME", help="the column with the values"),
        file.add_argument(
            "--date-column",
            metavar="NAME",
            action="append",
            default=[],
            help="the column with the dates; repeat it if the time, or month and day, are in "
            "columns of their own",
        ),
        file.add_argument("--no-dates", action="store_true", help="number the rows instead"),
        file.add_argument(
            "--known",
            metavar="COLUMN",
            action="append",
            default=[],
            help="a column that is known ahead; repeat it for several. The rows at the end "
            "without a value are forecast",
        ),
        file.add_argument(
            "--sep", metavar="CHARACTER", type=_separator, help=r"what is between fields, as \t"
        ),
        file.add_argument(
            "--decimal", metavar="MARK", choices=[".", ","], help="the decimal mark"
        ),
        file.add_argument(
            "--date-format", metavar="FORMAT", help="how dates are written, as %%d/%%m/%%Y"
        ),
        file.add_argument(
            "--time-zone", metavar="ZONE", help="where times are local, as Europe/Berlin"
        ),
        file.add_argument(
            "--freq",
            metavar="FREQ",
            help="the step between two rows, as D, B, h or MS in pandas; the rows are then taken "
            "for consecutive, even if dates are missing",
        ),
    ]
    parser.add_argument(
        "--holdout",
        metavar="N",
        type=_positive,
        help="number of last values to compare on (default: 24, or a sixth of a short series)",
    )
    parser.add_argument(
        "--steps",
        metavar="N",
        type=_positive,
        help="number of rows to forecast (default: 12, or those with known columns alone)",
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
    return [option.dest for option in of_file]


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, got {text!r}")
    return int(text)


def _separator(text: str) -> str:
    character = text.replace(r"\t", "\t")
    if len(character) != 1:
        raise argparse.ArgumentTypeError(f"must be one character, got {text!r}")
    return character


def warm_up() -> None:
    """Compile the kernel into its cache on disk."""
    started = time.perf_counter()
    load_kernel()
    print(f"The training kernel is compiled and cached ({time.perf_counter() - started:.1f} s).")


if __name__ == "__main__":
    main()
