"""Prediction intervals: conformal, from the residuals of earlier forecasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skl_lstm.compositions.parts import fitted_group
from skl_lstm.forecasting.calibration import Calibration, Errors
from skl_lstm.forecasting.course import begin, path_ahead
from skl_lstm.forecasting.panel import begin_all, long_frame, paths_ahead, with_labels
from skl_lstm.forecasting.panel_calibration import ErrorsOfAll
from skl_lstm.forecasting.panel_origins import PanelData
from skl_lstm.windowing.columns import Names
from skl_lstm.windowing.span import Freq

if TYPE_CHECKING:
    import pandas as pd


def forecast_interval(
    model: Any,
    history: pd.Series | pd.DataFrame | ArrayLike,
    steps: int,
    coverage: float = 0.9,
    calibration: int | None = None,
    *,
    refits: int | None = None,
    symmetric: bool | None = None,
    pooled: bool = False,
    adaptive: bool = False,
    n_jobs: int | None = None,
    verbose: int = 0,
    target: Names | None = None,
    known: Names | None = None,
    static: Names | None = None,
    future: pd.DataFrame | None = None,
    group: Names | None = None,
    freq: Freq | None = None,
) -> pd.DataFrame:
    """Forecast several steps ahead, with prediction intervals of the given coverage.

    Clones of the model are fitted on the beginning of the history and forecast the rest of it,
    `steps` ahead from one row after the other. Their errors at a step determine the width of the
    interval at that step.

    Parameters
    ----------
    model : fitted regressor
        Model as in :func:`forecast`.
    history : Series, DataFrame or array-like of shape (n,) or (n, n_columns)
        The series up to now, as in :func:`forecast`.
    steps : int
        Number of rows to forecast.
    coverage : float, default=0.9
        Probability, in (0, 1), with which the interval should contain the true value, at each
        step separately.
    calibration : int, default=None
        Number of rows from which the clones forecast: the last ones that have `steps` rows after
        them. If None, half the number of such rows, at most 300, but at least as many as
        `coverage` requires.
    refits : int, default=None
        Number of clones. The calibration rows are divided among them, and each is fitted on all
        rows before its own. The more there are, the more the clones resemble the model itself. If
        None, 30 of a model that is cheap to fit and fewer, down to 5, the more rows, epochs (or
        trees, or candidates of a search) and weights it has.
    symmetric : bool, default=None
        Whether the interval is as wide on both sides, from the sizes of the errors alone. This
        covers more where the errors change sides, as on a trend that the model does not follow;
        False suits errors that are larger on one side. If None, it is as `adaptive`.
    pooled : bool, default=False
        Of several series: whether the errors of all of them, each relative to the mean change from
        row to row of its series, make the interval of each. This serves series with few errors of
        their own; the default covers each series by itself. Either is too narrow for a series
        with fewer rows than `look_back`, whose windows are filled up.
    adaptive : bool, default=False
        Whether the width follows the latest errors: it grows after misses and shrinks after hits,
        so that the coverage is right in the long run on a series that changes. The default weighs
        all errors alike, which is steadier on a series that does not.
    n_jobs : int, default=None
        Number of clones that are fitted in parallel, as in scikit-learn. The result is the same.
    verbose : {0, 1}, default=0
        0 prints nothing, 1 a progress bar over the fits of the clones, on the standard error.
    target, known, static : name or sequence of names, default=None
        The columns that the model predicts, those known ahead, and those that do not change, as in
        :func:`forecast`.
    future : DataFrame of shape (n_rows, n_columns), default=None
        Values of the columns known ahead, as in :func:`forecast`.
    group : name or list of names, default=None
        What tells several series apart, as in :func:`forecast`. The clones then forecast from the
        same times in all series.
    freq : str, offset or int, default=None
        Step between two rows, as in :func:`forecast`.

    Returns
    -------
    ahead : DataFrame of shape (steps, 3)
        The columns ``lower``, ``forecast`` and ``upper``, in the units of the history. If the
        model predicts several columns, there are these three for each of them, side by side,
        under its name. Of several series, it has ``n_series * steps`` rows.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    ValueError
        As in :func:`forecast`; and if `coverage` is not in (0, 1), if `calibration` is too small
        for it, gaps left out, or leaves too few rows to fit a clone on.

    See Also
    --------
    forecast : Forecasts without an interval.

    Notes
    -----
    With ``k = floor((n + 1) * (1 - coverage) / 2)`` of the n residuals at a step, true value minus
    forecast, the interval reaches from the k-th smallest to the k-th largest of them, so that it
    may be wider on one side of the forecast. If `symmetric`, it reaches the
    ``ceil((n + 1) * coverage)``-th smallest of their sizes to both sides. This is split conformal
    prediction (Vovk, V., Gammerman, A. and Shafer, G., 2005, *Algorithmic learning in a random
    world*, Springer), for each step ahead as in Stankeviciute, K., Alaa, A. M. and van der Schaar,
    M. (2021), *Conformal time-series forecasting*, NeurIPS 34. No residual belongs to a row that
    its clone was fitted on. The rows of a series are not exchangeable, so the coverage is
    approximate (Xu, C. and Xie, Y., 2021, *Conformal prediction interval for dynamic time-series*,
    ICML 38): if the variability of the series changes, the intervals adapt with a delay.

    If `adaptive`, the width at a step starts with the first errors that suffice and moves with
    each error that follows, by ``0.8 * size / step * (missed - (1 - coverage))``, where the size
    is the half width that the last 50 errors would give. An error counts from the origin on
    at which its true value was known. This is adaptive conformal inference (Gibbs, I. and Candès,
    E., 2021, *Adaptive conformal inference under distribution shift*, NeurIPS 34) in the form that
    moves the width and not the level, which could leave (0, 1) (Angelopoulos, A., Candès, E. and
    Tibshirani, R. J., 2023, *Conformal PID control for time series prediction*, NeurIPS 36).

    The work of a fit is estimated as rows times epochs, trees or iterations (``n_iter_`` or
    ``n_estimators``), times ``1 + weights * look_back / 40,000`` of a network; without `refits`,
    the clones together do that of three million, about ten seconds of a small network.

    If a ``TransformedTargetRegressor`` transforms the target, residuals are taken in the
    transformed scale: with a logarithm, an interval of positive values stays positive. The
    forecast itself is always inside the interval. Rows whose true value is not known are left
    out.

    A search is run again for each clone; passing its ``best_estimator_`` avoids that.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skl_lstm import (
    ...     LookbackWindower,
    ...     forecast_interval,
    ...     load_airline_passengers,
    ...     make_supervised,
    ... )
    >>> series = load_airline_passengers()
    >>> X, y = make_supervised(series)
    >>> model = make_pipeline(LookbackWindower(12, padding="edge"), LinearRegression()).fit(X, y)
    >>> ahead = forecast_interval(model, series, steps=3, coverage=0.8)
    >>> ahead.round(1)  # doctest: +NORMALIZE_WHITESPACE
                lower  forecast  upper
    Month
    1961-01-01  444.5     466.5  491.5
    1961-02-01  397.0     430.3  462.3
    1961-03-01  422.9     455.4  487.4
    """
    how = Calibration(coverage, calibration, refits, symmetric, pooled, adaptive, n_jobs, verbose)
    group = fitted_group(model) if group is None else group
    if group is not None:
        names = {"target": target, "known": known, "static": static}
        return _intervals_of_all(model, history, steps, names, future, group, freq, how)
    course = begin(model, history, steps, target, known, static, future, freq)
    past, times, targets = course.past, course.times, course.roles.targets
    forecasts = path_ahead(model, course)
    errors = Errors.of(model, past, targets, course.horizon, steps, how)
    lower, upper = errors.ends(forecasts)
    return _framed(lower, forecasts, upper, times, targets)


def _framed(
    lower: NDArray, forecasts: NDArray, upper: NDArray, index: pd.Index, targets: list[Any]
) -> pd.DataFrame:
    """Return ends and forecasts of shape (n, n_targets) side by side."""
    import pandas as pd

    ends = {"lower": lower, "forecast": forecasts, "upper": upper}
    frames = {
        target: pd.DataFrame({name: values[:, k] for name, values in ends.items()}, index=index)
        for k, target in enumerate(targets)
    }
    return frames[targets[0]] if len(targets) == 1 else pd.concat(frames, axis=1)


def _intervals_of_all(
    model: Any,
    history: Any,
    steps: int,
    names: dict[str, Any],
    future: Any,
    group: Any,
    freq: Any,
    how: Calibration,
) -> pd.DataFrame:
    """Return the intervals of several series, as :func:`forecast_interval` does."""
    course = begin_all(model, history, steps, names, future, group, freq)
    forecasts, targets, panel = paths_ahead(model, course), course.roles.targets, course.panel
    table = with_labels(panel, getattr(model, "feature_names_in_", panel.columns))
    used = {"target": targets, "known": course.roles.known, "static": course.roles.static}
    data = PanelData.of(table, used, course.horizon, group, freq)
    errors = ErrorsOfAll.of(model, data, steps, how)
    lower, upper = errors.ends(forecasts, np.arange(len(panel.labels)))
    index = long_frame(course, forecasts.reshape(-1, len(targets)), targets).index
    lower, forecasts, upper = (
        each.reshape(-1, len(targets)) for each in (lower, forecasts, upper)
    )
    return _framed(lower, forecasts, upper, index, targets)
