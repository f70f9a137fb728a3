"""What the demonstration does with a series of a given length and season."""

from __future__ import annotations

from typing import Any, NamedTuple

from sklearn.model_selection import TimeSeriesSplit

# What a series of enough values gets.
N_HELD_OUT = 24
FOLDS = TimeSeriesSplit(4, test_size=12)
STEPS = 12

# The fewest values before those held out.
FEWEST_VALUES = 16

# Coverage of the interval around the forecast, and the errors that tell where its ends are.
COVERAGE, N_ERRORS = 0.9, 19
COVERAGE_IF_SHORT, N_ERRORS_IF_SHORT = 0.8, 9

# Longer seasons (1440 rows in a day of minutes) would make the windows too long.
LONGEST_SEASON = 60
# Length of the longest window to try if there is no season.
SHORT_WINDOW = 12


class Plan(NamedTuple):
    """What is held out, searched and forecast.

    Attributes
    ----------
    season : int
        Number of rows in a season, 1 if there is none.
    n_held_out : int
        Number of last values to compare on.
    folds : TimeSeriesSplit
        Folds of the search.
    grid : dict
        Parameters to search among.
    steps : int
        Number of rows to forecast.
    coverage : float
        Coverage of the interval around the forecast.
    """

    season: int
    n_held_out: int
    folds: TimeSeriesSplit
    grid: dict[str, list[Any]]
    steps: int
    coverage: float


def make_plan(
    n_values: int,
    season: int,
    n_held_out: int | None = None,
    steps: int | None = None,
    n_ahead: int = 0,
) -> Plan:
    """Plan the demonstration.

    Parameters
    ----------
    n_values : int
        Number of known values.
    season : int
        Number of rows in a season.
    n_held_out, steps : int, default=None
        What the user asks for.
    n_ahead : int, default=0
        Number of rows to forecast that the file has; 0 if it need not have them.

    Raises
    ------
    ValueError
        If the series is too short for it.
    """
    season = season if season <= LONGEST_SEASON else 1
    window = max(season, SHORT_WINDOW)
    # The first fold has two seasons, or windows, to train on.
    enough = FOLDS.n_splits * FOLDS.test_size + 2 * window + 2
    if n_held_out is None:
        n_held_out = N_HELD_OUT if n_values >= enough + N_HELD_OUT else max(n_values // 6, 1)
    n_before = n_values - n_held_out
    if n_before < FEWEST_VALUES:
        raise ValueError(
            f"the demonstration needs {FEWEST_VALUES} values before the {n_held_out} held out, "
            f"got {n_values} in all"
        )
    if n_before >= enough:
        folds, reshape_modes, shortest = FOLDS, ["timesteps", "features"], SHORT_WINDOW
        coverage, n_errors = COVERAGE, N_ERRORS
    else:
        folds, reshape_modes = TimeSeriesSplit(2, test_size=n_before // 10), ["timesteps"]
        n_train = n_before - 1 - 2 * folds.test_size
        season = season if n_train >= 1.5 * season and n_values > 2 * (season + 1) else 1
        shortest = min(SHORT_WINDOW, n_train // 3)
        coverage, n_errors = COVERAGE_IF_SHORT, N_ERRORS_IF_SHORT
    look_backs = [season, season + 1] if season > 1 else [shortest // 2, shortest]
    most = min(n_values - 2 * look_backs[-1], n_values - look_backs[-1] - n_errors)
    most = min(most, n_ahead) if n_ahead else most
    if steps is not None and steps > most:
        raise ValueError(
            f"--steps must be at most {most} with {n_values} values"
            + (f" and {n_ahead} rows to forecast" if n_ahead else "")
            + f", got {steps}"
        )
    grid: dict[str, list[Any]] = {
        "lstm__window_scaling": ["last", "mean", "standard"],
        "lstm__reshape_mode": reshape_modes,
        "window__look_back": look_backs,
    }
    steps = steps or min(n_ahead or STEPS, most)
    return Plan(season, n_held_out, folds, grid, steps, coverage)
