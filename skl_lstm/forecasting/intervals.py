"""Prediction intervals: conformal, from the residuals of earlier forecasts."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from skl_lstm.checks import check_choice, check_integer
from skl_lstm.compositions.parts import fitted_group, look_back, target_transformer
from skl_lstm.forecasting.course import begin, path_ahead
from skl_lstm.forecasting.panel import begin_all, long_frame, paths_ahead, with_labels
from skl_lstm.forecasting.panel_origins import PanelData, means_of_series
from skl_lstm.forecasting.walk import model_input, walk_forward
from skl_lstm.windowing.groups import Panel, series_at
from skl_lstm.windowing.supervised import make_supervised

if TYPE_CHECKING:
    import pandas as pd

# Number of residuals beyond which their quantiles hardly improve, but the time grows.
ENOUGH = 300

# How exactly to find where the scale of a transformer ends, as a share of a residual.
HALVING_ENDS = 1e-9


def forecast_interval(
    model: Any,
    history: pd.Series | pd.DataFrame | ArrayLike,
    steps: int,
    coverage: float = 0.9,
    calibration: int | None = None,
    *,
    refits: int = 10,
    symmetric: bool = False,
    pooled: bool = False,
    target: Any = None,
    known: Any = None,
    static: Any = None,
    future: pd.DataFrame | None = None,
    group: Any = None,
    freq: Any = None,
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
    refits : int, default=10
        Number of clones. The calibration rows are divided among them, and each is fitted on all
        rows before its own. The more there are, the more the clones resemble the model itself.
    symmetric : bool, default=False
        Whether the interval is as wide on both sides, from the sizes of the errors alone. This
        covers more where the errors change sides, as on a trend that the model does not follow;
        the default suits errors that are larger on one side.
    pooled : bool, default=False
        Of several series: whether the errors of all of them, each relative to the mean change from
        row to row of its series, make the interval of each. This serves series with few errors of
        their own; the default covers each series by itself. Either is too narrow for a series
        with fewer rows than `look_back`, whose windows are filled up.
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
    1961-01-01  444.4     466.5  491.5
    1961-02-01  393.1     430.3  462.1
    1961-03-01  419.7     455.4  487.3
    """
    check_integer("refits", refits)
    check_choice("symmetric", symmetric, (True, False))
    check_choice("pooled", pooled, (True, False))
    group = fitted_group(model) if group is None else group
    if group is not None:
        names = {"target": target, "known": known, "static": static}
        calibrate = _Calibration(coverage, calibration, refits, symmetric, pooled)
        return _intervals_of_all(model, history, steps, names, future, group, freq, calibrate)
    course = begin(model, history, steps, target, known, static, future, freq)
    past, times, targets = course.past, course.times, course.roles.targets
    n_origins = _n_origins(calibration, coverage, len(past) - steps)
    forecasts = path_ahead(model, course)
    truth, paths = _past_forecasts(model, past, targets, course.horizon, steps, n_origins, refits)
    scale = _scale_of(model, course.horizon)
    residuals = scale.there(truth) - scale.there(paths)
    lower, upper = _ends(scale, forecasts, residuals, coverage, symmetric)
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


class _Calibration(NamedTuple):
    """The parameters of :func:`forecast_interval` of the same names."""

    coverage: float
    calibration: int | None
    refits: int
    symmetric: bool
    pooled: bool


def _intervals_of_all(
    model: Any,
    history: Any,
    steps: int,
    names: dict[str, Any],
    future: Any,
    group: Any,
    freq: Any,
    how: _Calibration,
) -> pd.DataFrame:
    """Return the intervals of several series, as :func:`forecast_interval` does."""
    course = begin_all(model, history, steps, names, future, group, freq)
    forecasts, targets, panel = paths_ahead(model, course), course.roles.targets, course.panel
    table = with_labels(panel, getattr(model, "feature_names_in_", panel.columns))
    used = {"target": targets, "known": course.roles.known, "static": course.roles.static}
    data = PanelData.of(table, used, course.horizon, group, freq)
    distinct = data.panel.times.unique().sort_values()
    n_origins = _n_origins(how.calibration, how.coverage, len(distinct) - steps)
    truth, paths = _past_forecasts_of_all(model, data, distinct, steps, n_origins, how.refits)
    scale = _scale_of(model, course.horizon)
    sizes = _sizes(panel.rows[targets].to_numpy(np.float64), panel)
    scales = [_relative(scale, size if how.pooled else np.ones_like(size)) for size in sizes]
    residuals = [
        each.there(truth[:, code]) - each.there(paths[:, code]) for code, each in enumerate(scales)
    ]
    if how.pooled:
        residuals = [np.concatenate(residuals)] * len(scales)
    lower, upper = np.empty_like(forecasts), np.empty_like(forecasts)
    for code, each in enumerate(scales):
        of = "" if how.pooled else f" in {series_at(panel.labels[code])}, if not pooled=True"
        lower[code], upper[code] = _ends(
            each, forecasts[code], residuals[code], how.coverage, how.symmetric, of
        )
    index = long_frame(course, forecasts.reshape(-1, len(targets)), targets).index
    lower, forecasts, upper = (
        each.reshape(-1, len(targets)) for each in (lower, forecasts, upper)
    )
    return _framed(lower, forecasts, upper, index, targets)


def _past_forecasts_of_all(
    model: Any, data: PanelData, times: pd.Index, steps: int, n_origins: int, refits: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return forecasts from the last times, by clones not fitted on what followed.

    Returns
    -------
    truth, paths : ndarray of shape (n_origins, n_series, steps, n_targets)
        True values and forecasts, NaN where there are none.
    """
    n_least = look_back(model) + data.horizon + n_origins + steps - 1
    if len(times) < n_least:
        raise ValueError(
            f"history must have at least {n_least} times for calibration={n_origins}, "
            f"steps={steps} and windows of {look_back(model)}, got {len(times)}"
        )
    origins = times[len(times) - steps - n_origins : len(times) - steps]
    values = data.panel.rows[data.roles.targets].to_numpy(np.float64, na_value=np.nan)
    shape = (n_origins, len(data.panel.labels), steps, values.shape[1])
    truth, paths = np.full(shape, np.nan), np.full(shape, np.nan)
    at = 0
    for stretch in np.array_split(np.arange(n_origins), min(refits, n_origins)):
        refitted = data.fitted(model, np.arange(len(data.X)), origins[stretch[0]])
        for origin in origins[stretch]:
            found = data.forecast_from(refitted, origin, steps)
            known = (found.rows >= 0)[..., np.newaxis]
            truth[at, found.codes] = np.where(known, values[found.rows], np.nan)
            paths[at, found.codes] = np.where(known, found.paths, np.nan)
            at += 1
    return truth, paths


def _sizes(values: NDArray, panel: Panel) -> NDArray[np.float64]:
    """Return the mean change from row to row of each series, of shape (n_series, n_targets).

    Of a series without any, it is the median of the others.
    """
    changes = np.abs(np.diff(values[panel.order], axis=0))
    changes[panel.starts[1:-1] - 1] = np.nan
    sizes = means_of_series(changes, panel.codes[panel.order][1:], len(panel.labels))
    for size in sizes.T:
        changing = size > 0.0
        size[~changing] = np.median(size[changing]) if changing.any() else 1.0
    return sizes


def _relative(scale: _Scale, size: NDArray) -> _Scale:
    """Return a scale in units of the size of a series."""
    return _Scale(lambda paths: scale.there(paths) / size, lambda paths: scale.back(paths * size))


class _Scale(NamedTuple):
    """The scale of the residuals: maps paths of shape (n, steps, n_targets) there and back."""

    there: Callable[[NDArray], NDArray]
    back: Callable[[NDArray], NDArray]


def _scale_of(model: Any, horizon: int) -> _Scale:
    """Return the scale in which a model learns its target, or else that of the data."""
    transformer = target_transformer(model)
    if transformer is None:
        return _Scale(np.asarray, np.asarray)
    maps = (transformer.transform, transformer.inverse_transform)
    return _Scale(*(partial(_in_blocks, each, horizon) for each in maps))


def _in_blocks(
    function: Callable[[NDArray], NDArray], horizon: int, paths: NDArray
) -> NDArray[np.float64]:
    """Apply a transformer of y to paths, in blocks of the steps that a row of y holds."""
    n, steps, n_targets = paths.shape
    padded = np.pad(paths, ((0, 0), (0, -steps % horizon), (0, 0)), mode="edge")
    rows = padded.reshape(-1, horizon * n_targets)
    known = ~np.isnan(rows).any(axis=1)
    mapped = np.full(rows.shape, np.nan)
    if known.any():
        mapped[known] = function(rows[known])
    return mapped.reshape(n, -1, n_targets)[:, :steps]


def _ends(
    scale: _Scale,
    forecasts: NDArray,
    residuals: NDArray,
    coverage: float,
    symmetric: bool,
    of: str = "",
) -> tuple[NDArray, NDArray]:
    """Return the ends of the interval around forecasts of shape (steps, n_targets).

    `residuals` are in the scale, and `of` says of what they are, for messages.
    """
    n_known = np.count_nonzero(~np.isnan(residuals), axis=0)
    least = _least(coverage)
    if n_known.min() < least:
        step = int(n_known.min(axis=1).argmin()) + 1
        raise ValueError(
            f"calibration must leave at least {least} known errors at step {step} for "
            f"coverage={coverage}{of}, got {n_known.min()} because of gaps, or a short history"
        )
    rank = _rank(n_known, (1 - coverage) / (1 if symmetric else 2))
    if symmetric:
        residuals, n_known = np.concatenate([residuals, -residuals]), 2 * n_known
    in_order = np.sort(residuals, axis=0)  # NaN last
    ends = [forecasts]  # inside the interval even where the clones all erred to one side
    for place in (rank - 1, n_known - rank):
        quantile = np.take_along_axis(in_order, place[np.newaxis], axis=0)
        ends.append(_end(scale, forecasts[np.newaxis], quantile)[0])
    return np.min(ends, axis=0), np.max(ends, axis=0)


def _end(scale: _Scale, forecasts: NDArray, distance: NDArray) -> NDArray:
    """Go a distance in the scale of the residuals, as far as the scale reaches.

    The square of a negative root would lead back up.
    """
    begin = scale.there(forecasts)

    def reaches(share: NDArray) -> NDArray:
        there = begin + share * distance
        return np.isclose(scale.there(scale.back(there)), there, rtol=1e-6, atol=1e-9)

    near, far = np.zeros_like(distance), np.ones_like(distance)
    near = np.where(reaches(far), far, near)
    while (far - near).max() > HALVING_ENDS:
        middle = (near + far) / 2
        inside = reaches(middle)
        near, far = np.where(inside, middle, near), np.where(inside, far, middle)
    return scale.back(begin + near * distance)


def _past_forecasts(
    model: Any,
    rows: pd.DataFrame,
    targets: list[Any],
    horizon: int,
    steps: int,
    n_origins: int,
    refits: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return forecasts from the last rows, by clones not fitted on them.

    Returns
    -------
    truth, paths : ndarray of shape (n_origins, steps, n_targets)
        True values, NaN where they are not known, and forecasts.
    """
    n_least = look_back(model) + horizon + n_origins + steps - 1
    if len(rows) < n_least:
        raise ValueError(
            f"history must have at least {n_least} rows for calibration={n_origins}, "
            f"steps={steps} and windows of {look_back(model)}, got {len(rows)}"
        )
    origins = np.arange(len(rows) - steps - n_origins, len(rows) - steps)
    truth = rows[targets].to_numpy()[origins[:, np.newaxis] + np.arange(1, steps + 1)]
    paths = []
    for stretch in np.array_split(origins, min(refits, n_origins)):
        before = rows.iloc[: stretch[0] + 1]
        y = make_supervised(before[targets], horizon=horizon, freq="rows")[1]
        refitted = clone(model).fit(model_input(model, before.iloc[:-horizon]), y)
        paths.append(walk_forward(refitted, rows, stretch, steps, targets))
    return truth, np.concatenate(paths)


def _n_origins(calibration: int | None, coverage: float, n_rows: int) -> int:
    """Return the number of rows to forecast from: enough for the required coverage."""
    if not isinstance(coverage, Real) or not 0 < coverage < 1:
        raise ValueError(f"coverage must be a number in (0, 1), got {coverage!r}")
    least = _least(coverage)
    if calibration is None:
        return max(min(n_rows // 2, ENOUGH), least)
    check_integer("calibration", calibration)
    if calibration < least:
        raise ValueError(
            f"calibration must be at least {least} for coverage={coverage}, got {calibration}"
        )
    return calibration


def _least(coverage: float) -> int:
    """Return the smallest number of residuals whose extremes have the coverage."""
    # Rounded, so that floating-point errors, as in 0.1 + 0.2, do not add a residual.
    return math.ceil(round(2 / (1 - coverage) - 1, 9))


def _rank(n_residuals: NDArray[np.intp], share: float) -> NDArray[np.intp]:
    return np.floor(np.round((n_residuals + 1) * share, 9)).astype(np.intp)
