"""Backtests: forecasts from past origins, compared with two naive forecasts."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils import check_consistent_length
from sklearn.utils.parallel import Parallel, delayed

from skl_lstm.checks import check_integer
from skl_lstm.compositions.parts import fitted_group, fitted_roles
from skl_lstm.forecasting.course import check_regressor
from skl_lstm.forecasting.fitted_model import warn_of_short_windows
from skl_lstm.forecasting.panel_backtest import backtest_all
from skl_lstm.forecasting.panel_origins import PanelData
from skl_lstm.forecasting.walk import walk_forward
from skl_lstm.model_selection.panel_split import folds_by_time
from skl_lstm.windowing.alignment import names_of_targets
from skl_lstm.windowing.calendar import following, frequency, season_of
from skl_lstm.windowing.columns import Roles
from skl_lstm.windowing.frames import as_frame
from skl_lstm.windowing.supervised import make_supervised

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("forecast", "naive", "seasonal_naive")


class Backtest(NamedTuple):
    """The result of :func:`backtest`: each forecast, and error measures by step ahead.

    Attributes
    ----------
    frame : DataFrame
        One row for each fold and step ahead.
    summary : DataFrame
        The error measures by method and step ahead.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skl_lstm import Backtest, backtest, load_airline_passengers, make_supervised
    >>> X, y = make_supervised(load_airline_passengers())
    >>> result = backtest(LinearRegression(), X, y, steps=2)
    >>> isinstance(result, Backtest), list(result.summary)
    (True, ['RMSE', 'MAE', 'sMAPE', 'MASE'])
    """

    frame: pd.DataFrame
    summary: pd.DataFrame

    @property
    def by_series(self) -> pd.DataFrame:
        """The error measures by method and series, over all steps, of several series."""
        columns = list(self.frame.columns)
        names = [name for name in columns[1 : columns.index("step")]]
        if not names:
            raise AttributeError("by_series is of several series, but the backtest is of one")
        return _summary(self.frame, [*names, *(name for name in columns if name == "column")])


def backtest(
    model: Any,
    X: pd.Series | pd.DataFrame | ArrayLike,
    y: pd.Series | pd.DataFrame | ArrayLike | None = None,
    cv: Any = None,
    steps: int | None = None,
    *,
    target: Any = None,
    known: Any = None,
    static: Any = None,
    horizon: int | None = None,
    group: Any = None,
    season: int | None = None,
    freq: Any = None,
    n_jobs: int | None = None,
) -> Backtest:
    """Forecast from the first test row of each fold, with a model fitted on the rows before.

    Parameters
    ----------
    model : regressor
        Model as in :func:`forecast`. It need not be fitted: a clone is fitted for each fold.
    X : Series, DataFrame or array-like of shape (n_samples, n_columns)
        The series, each value at its own time; or, with `y`, the rows that
        :func:`make_supervised` returns.
    y : array-like of shape (n_samples,) or (n_samples, horizon * n_targets), default=None
        What follows each row. None if X is the series itself, to which :func:`make_supervised`
        is then applied with `target`, `known` and `horizon`.
    cv : splitter, int or iterable, default=None
        Determines the training and test rows of each fold, the test rows after the training
        rows: a splitter, an iterable of (train, test) index pairs, or the number of splits of a
        ``TimeSeriesSplit``; ``TimeSeriesSplit()`` if None.
    steps : int, default=None
        Number of rows to forecast from each origin, limited to the number of rows after it; the
        number of test rows of the fold if None.
    target : name or sequence of names, default=None
        The columns to forecast. If None, those of the names of `y`, or else all that are not
        known ahead.
    known : name or sequence of names, default=None
        The columns whose values are known ahead.
    static : name or sequence of names, default=None
        Columns that have one value for all rows of a series.
    horizon : int, default=None
        Number of rows that the model predicts at once. If None, what `y` holds, or what a model
        that is fitted tells, or 1.
    group : name or list of names, default=None
        What tells several series apart, as in :class:`LookbackWindower`; that of the model if
        None. Then `y` must be None, and the default of `cv` is a :class:`PanelTimeSeriesSplit`.
        All series are forecast from the same time, each from its last row until then; those that
        end before are left out.
    season : int, default=None
        Number of rows in a season, for the seasonal naive forecast and the scale of MASE. If
        None, it is inferred from the frequency of the index (12 months, 4 quarters, 52 weeks, 7
        days, 5 business days, 24 hours), and is 1 for any other index.
    freq : str, offset or int, default=None
        Step between two rows, as in :func:`forecast`.
    n_jobs : int, default=None
        Number of folds to run in parallel, as in joblib.

    Returns
    -------
    result : Backtest
        Named tuple of two DataFrames. ``result.frame`` has one row per fold and step ahead (and
        per forecast column, if there are several), with the columns ``fold``, ``step``, ``time``
        (index of the forecast row), ``truth``, ``forecast``, ``naive`` (the last known value),
        ``seasonal_naive`` (the value one season before) and ``scale`` (the divisor of MASE).
        ``result.summary`` has the measures ``RMSE``, ``MAE``, ``sMAPE`` (in percent) and
        ``MASE`` by method and step. Of several series, the frame has columns with their names
        after ``fold``, the summary is over all of them, and ``result.by_series`` has one row for
        each.

    Raises
    ------
    ValueError
        If `steps`, `season`, `target`, `known`, `horizon` or `cv` is invalid; if `y` does not
        hold what follows each row of `X`; if steps exceed what the model predicts at once
        although a column is known only up to now; if a fold has test rows before training rows,
        or no more training rows than a season; or if the model is not a regressor.

    See Also
    --------
    forecast : Forecasts what follows the last row.

    Notes
    -----
    The origin of a fold is its first test row. It is the target of the last training row, and so
    it is known at the same time. Training rows whose target reaches beyond the origin are left
    out, so that nothing after the origin affects a forecast. Values that are not known are left
    out of the measures; the naive forecasts use the last known value before them.

    MASE divides by the mean absolute error of the seasonal-naive forecast on the training rows
    of the fold: Hyndman, R. J. and Koehler, A. B. (2006), *Another look at measures of
    forecast accuracy*, International Journal of Forecasting 22 (4). sMAPE is the mean of
    ``200 |truth - forecast| / (|truth| + |forecast|)``.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.model_selection import TimeSeriesSplit
    >>> from sklearn.pipeline import make_pipeline
    >>> from skl_lstm import LookbackWindower, backtest, load_airline_passengers, make_supervised
    >>> X, y = make_supervised(load_airline_passengers())
    >>> model = make_pipeline(LookbackWindower(12, padding="edge"), LinearRegression())
    >>> result = backtest(model, X, y, cv=TimeSeriesSplit(3), steps=2)
    >>> result.frame[["fold", "step", "truth", "naive", "seasonal_naive"]]
       fold  step  truth  naive  seasonal_naive
    0     0     1  181.0  193.0           163.0
    1     0     2  183.0  193.0           172.0
    2     1     1  267.0  233.0           235.0
    3     1     2  269.0  233.0           227.0
    4     2     1  318.0  340.0           301.0
    5     2     2  362.0  340.0           356.0
    >>> result.summary.loc["forecast"].round(2)  # doctest: +NORMALIZE_WHITESPACE
           RMSE    MAE  sMAPE  MASE
    step
    1     21.85  21.46   8.56  0.86
    2     25.16  25.15   9.77  1.01
    """
    import pandas as pd

    check_regressor(model)
    for name, value in (("steps", steps), ("season", season), ("horizon", horizon)):
        if value is not None:
            check_integer(name, value)
    group = fitted_group(model) if group is None else group
    if y is None and horizon is None:
        horizon = fitted_roles(model).get("horizon")
    if group is not None:
        if y is not None:
            raise ValueError(
                "y must be None for several series, whose table backtest lays out itself, with "
                "target, known, static and horizon"
            )
        names = {"target": target, "known": known, "static": static}
        panel = PanelData.of(as_frame(X), names, horizon or 1, group, freq)
        frame = backtest_all(model, panel, _splitter(cv, panel), steps, season, n_jobs)
        return Backtest(frame, _summary(frame))
    if y is None:
        names = {"target": target, "known": known, "static": static, "horizon": horizon or 1}
        X, y = make_supervised(as_frame(X), **names, freq=None if freq is None else "rows")
    data = _Data.of(X, y, target, known, static, horizon, season, freq)
    folds = enumerate(_splitter(cv).split(data.rows.iloc[:-1]))
    tables = Parallel(n_jobs=n_jobs)(
        delayed(_forecast_fold)(
            clone(model), data, fold, np.asarray(train), np.asarray(test), steps
        )
        for fold, (train, test) in folds
    )
    frame = pd.concat(tables, ignore_index=True)
    return Backtest(frame, _summary(frame))


def _splitter(cv: Any, panel: PanelData | None = None) -> Any:
    from sklearn.model_selection import TimeSeriesSplit, check_cv  # late: slow to import

    if cv is None or isinstance(cv, Integral):
        n_splits = 5 if cv is None else int(cv)
        check_integer("cv", n_splits, minimum=2)
        splitter = TimeSeriesSplit(n_splits)
        if panel is None:
            return splitter
        return check_cv(folds_by_time(panel.panel.times.take(panel.rows_of_X), splitter))
    if isinstance(cv, str) or not (hasattr(cv, "split") or isinstance(cv, Iterable)):
        raise ValueError(
            f"cv must be a splitter, a number of splits or an iterable of splits, got {cv!r}"
        )
    return check_cv(cv)


class _Data(NamedTuple):
    """A series, prepared for the folds.

    Attributes
    ----------
    X : DataFrame or ndarray of shape (n, n_columns)
        Input of the models.
    y : Series, DataFrame or ndarray of shape (n,) or (n, horizon * n_targets)
        What follows each row.
    rows : DataFrame of shape (n + 1, n_columns)
        The complete series: X, and one more row for what follows its last row.
    roles : Roles
        Roles of the columns.
    season : int
        Number of rows in a season.
    """

    X: Any
    y: Any
    rows: pd.DataFrame
    roles: Roles
    season: int

    @property
    def horizon(self) -> int:
        """Number of rows that a model predicts at once."""
        return self.y.size // len(self.y) // len(self.roles.targets)

    @classmethod
    def of(
        cls,
        X: Any,
        y: Any,
        target: Any,
        known: Any,
        static: Any,
        horizon: int | None,
        season: int | None,
        freq: Any,
    ) -> _Data:
        """Check the series and split it into its parts."""
        import pandas as pd

        frame, told = as_frame(X), names_of_targets(y)
        y = y if hasattr(y, "iloc") else np.asarray(y)
        check_consistent_length(frame, y)
        if target is None and told is not None and set(told) <= set(frame.columns):
            target = told
        roles = Roles.of(frame.columns, target, known, "X", static)
        targets = pd.Index(roles.targets)
        times = frame.index.append(following(frame.index, 1, freq))
        next_values = _next_values(frame, y, targets)
        frame = frame.astype(dict.fromkeys(targets, np.float64))
        rows = pd.concat([frame, frame.tail(1)]).set_axis(times)
        rows.iloc[-1, rows.columns.get_indexer(targets)] = next_values[-1]
        if season is None:
            season = season_of(frequency(frame.index, freq))
        data = cls(frame if hasattr(X, "columns") else frame.to_numpy(), y, rows, roles, season)
        if horizon not in (None, data.horizon):
            raise ValueError(f"horizon must be that of y, {data.horizon}, got {horizon}")
        return data


def _as_floats(name: str, values: Any) -> NDArray:
    """Return numbers of any type, or their texts, as floats of the same precision."""
    array = np.asarray(values)
    if array.dtype.kind == "f":
        return array
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers: {error}") from None


def _next_values(frame: pd.DataFrame, y: Any, targets: pd.Index) -> NDArray:
    """Return the part of y that is one step ahead, and check that it is the next row of X."""
    values, y = _as_floats("X", frame[targets]), _as_floats("y", y)
    width = y.size // len(y)
    if width % len(targets):
        raise ValueError(
            f"target must name the columns of X that y holds, got y of {width} columns for "
            f"{list(targets)}"
        )
    following_rows = y.reshape(len(y), width)[:, : len(targets)]
    floats = [each.dtype for each in (values, y) if each.dtype.kind == "f"]
    coarser = min(floats, key=lambda dtype: dtype.itemsize, default=np.dtype(np.float64))
    # Without a tolerance: a slowly changing series is close to itself one row later.
    pair = following_rows[:-1].astype(coarser), values[1:].astype(coarser)
    unknown = np.isnan(pair[0])  # as beyond a missing row
    agree = (np.isclose(*pair, rtol=0, atol=0) | unknown).all(axis=1)
    if not agree.all():
        raise ValueError(
            "y must hold what follows each row of X, as make_supervised makes it, but at "
            f"{frame.index[int(agree.argmin())]} it does not"
        )
    return following_rows


def _forecast_fold(
    model: Any, data: _Data, fold: int, train: NDArray, test: NDArray, steps: int | None
) -> pd.DataFrame:
    """Fit a model on the training rows and forecast from the first test row."""
    import pandas as pd

    targets, horizon = data.roles.targets, data.horizon
    origin, season, n_targets = test[0], data.season, len(targets)
    if train.max() >= origin:
        raise ValueError(
            "cv must put the test rows of a fold after its training rows, got training row "
            f"{train.max()} and test row {origin} in fold {fold}"
        )
    if len(train) <= season:
        raise ValueError(
            f"season={season} needs more training rows, got {len(train)} in fold {fold}; set "
            "fewer splits, or season=1"
        )
    series = data.rows[targets].to_numpy()
    n_steps = min(len(test) if steps is None else steps, len(series) - 1 - origin)
    if data.roles.past and n_steps > horizon:
        raise ValueError(
            f"steps must be at most horizon={horizon}, because {data.roles.past} are not known "
            f"ahead, got {n_steps}; name these columns in known, or set a longer horizon"
        )
    learned = train[train + horizon <= origin]
    model.fit(data.X.take(learned, axis=0), data.y.take(learned, axis=0))
    warn_of_short_windows(model, data.roles, horizon)
    forecasts = walk_forward(model, data.rows, [origin], n_steps, targets)[0]
    ahead = np.arange(n_steps)
    seen = series[train[0] : train[-1] + 1]
    last_known = data.rows[targets].ffill().to_numpy()
    table = {
        "fold": fold,
        "step": np.repeat(ahead + 1, n_targets),
        "time": data.rows.index[origin + 1 + ahead].repeat(n_targets),
        "column": np.tile(np.array(targets, dtype=object), n_steps),
        "truth": series[origin + 1 + ahead].ravel(),
        "forecast": forecasts.ravel(),
        "naive": np.tile(last_known[origin], n_steps),
        "seasonal_naive": last_known[origin + 1 - season + ahead % season].ravel(),
        "scale": np.tile(np.nanmean(np.abs(seen[season:] - seen[:-season]), axis=0), n_steps),
    }
    if n_targets == 1:
        del table["column"]
    return pd.DataFrame(table)


def _summary(frame: pd.DataFrame, by: list[Any] | None = None) -> pd.DataFrame:
    """Measure each method by step ahead (and by column, if there are several), or otherwise."""
    import pandas as pd

    by = by or [name for name in ("column", "step") if name in frame]
    frame = frame.dropna(subset=["truth", *METHODS])  # all methods on the same values
    return pd.concat(
        {method: _measures(frame, method, by) for method in METHODS}, names=["method"]
    )


def _measures(frame: pd.DataFrame, method: str, by: list[str]) -> pd.DataFrame:
    truth = frame["truth"]
    error = (frame[method] - truth).abs()
    size = truth.abs() + frame[method].abs()
    means = (
        frame[by]
        .assign(
            RMSE=error**2,
            MAE=error,
            sMAPE=200 * (error / size).where(size > 0, 0.0),
            MASE=error / frame["scale"],
        )
        .groupby(by)
        .mean()
    )
    return means.assign(RMSE=np.sqrt(means["RMSE"]))
