"""Backtests: forecasts of one or several models from past rows, beside naive ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skl_lstm.checks import check_choice, check_integer, did_you_mean, refuse_times
from skl_lstm.compositions.parts import fitted_group, fitted_roles
from skl_lstm.drawing.paths import COLUMNS, NAIVE
from skl_lstm.forecasting.backtest_result import Backtest
from skl_lstm.forecasting.calibration import Calibration
from skl_lstm.forecasting.course import check_regressor
from skl_lstm.forecasting.measures import check_scoring
from skl_lstm.forecasting.origins import Fit, Fold, Plan
from skl_lstm.forecasting.panel_backtest import PanelPast
from skl_lstm.forecasting.panel_origins import PanelData
from skl_lstm.forecasting.parallel import run_parallel
from skl_lstm.forecasting.series_origins import SeriesData
from skl_lstm.model_selection.panel_split import folds_by_time
from skl_lstm.warn import SeriesWarning, warn
from skl_lstm.windowing.columns import Names, told_by, told_names
from skl_lstm.windowing.frames import as_frame
from skl_lstm.windowing.groups import text_of
from skl_lstm.windowing.span import Freq
from skl_lstm.windowing.supervised import make_supervised

if TYPE_CHECKING:
    import pandas as pd

# Parameters of forecast_interval that interval_params may hold.
OF_INTERVALS = ("calibration", "refits", "symmetric", "pooled", "adaptive")

HELP_FOR_GAPS = (
    "\nLookbackWindower(padding='edge') fills up the first windows, and KnownRowsRegressor around "
    "the last step leaves out rows with gaps; an imputer may look ahead"
)

ALONE = "model"  # the name of a model that is given without one


def backtest(
    models: Any,
    X: pd.Series | pd.DataFrame | ArrayLike,
    y: pd.Series | pd.DataFrame | ArrayLike | None = None,
    cv: Any = None,
    steps: int | None = None,
    *,
    target: Names | None = None,
    known: Names | None = None,
    static: Names | None = None,
    horizon: int | None = None,
    group: Names | None = None,
    refit: bool | int = True,
    stride: int | None = None,
    window: Literal["expanding", "sliding"] = "expanding",
    coverage: float | None = None,
    interval_params: Mapping[str, Any] | None = None,
    scoring: str | Iterable[str] | None = None,
    season: int | None = None,
    freq: Freq | None = None,
    n_jobs: int | None = None,
    verbose: Literal[0, 1] = 0,
) -> Backtest:
    """Forecast from past rows with models fitted on the rows before, and compare with the truth.

    The rows that are forecast from are called origins. With ``refit=False``, thirty days of
    forecasts take one fit.

    Parameters
    ----------
    models : regressor or dict of str to regressor
        Model as in :func:`forecast`, or several by name, which forecast from the same origins. A
        model need not be fitted, since clones of it are. A single one is called ``"model"`` in
        the results.
    X : Series, DataFrame or array-like of shape (n_samples, n_columns)
        The series, each value at its own time; or, with `y`, the rows that
        :func:`make_supervised` returns.
    y : array-like of shape (n_samples,) or (n_samples, horizon * n_targets), default=None
        What follows each row. None if X is the series itself, to which :func:`make_supervised`
        is then applied with `target`, `known` and `horizon`.
    cv : splitter, int or iterable, default=None
        Determines the training and test rows of each fold, the test rows after the training
        rows: a splitter, an iterable of (train, test) index pairs, or the number of splits of a
        ``TimeSeriesSplit``; ``TimeSeriesSplit()`` if None. The first origin of a fold is its
        first test row. With `stride`, a number is that of the origins, the last of which has
        `steps` rows after it; 5 if None.
    steps : int, default=None
        Number of rows to forecast from each origin, limited to the number of rows after it. If
        None, `stride`, or else the number of test rows of the fold.
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
        end before are left out. Rows are counted in distinct times.
    refit : bool or int, default=True
        When a model is fitted anew: at every origin, only at the first one if False, or at the
        first of every so many. In between, it forecasts from rows that it has not learned from,
        as a model in use does.
    stride : int, default=None
        Number of rows from one origin to the next. If None, each fold has one origin; otherwise
        those of a fold are so far apart, as far as its test rows reach, and those after the first
        have all `steps` after them.
    window : {"expanding", "sliding"}, default="expanding"
        Whether the training rows become more from fit to fit, or are always the last ones, as
        many as in the first fit.
    coverage : float, default=None
        Nominal coverage, in (0, 1), of intervals around the forecasts, which are then compared
        with what they covered; none if None. They are those of :func:`forecast_interval` at the
        first origin of each fit, for which it fits more clones.
    interval_params : dict, default=None
        Parameters of :func:`forecast_interval` by name: `calibration`, `refits`, `symmetric`,
        `adaptive`, and, of several series, `pooled`.
    scoring : str or sequence of str, default=None
        Names of the measures of the result, as in :class:`Backtest`; all of them if None.
    season : int, default=None
        Number of rows in a season, for the seasonal naive forecast and the scales of MASE and
        RMSSE. If None, it is inferred from the frequency of the index (12 months, 4 quarters, 52
        weeks, 7 days, 5 business days, 24 hours), and is 1 for any other index.
    freq : str, offset or int, default=None
        Step between two rows, as in :func:`forecast`.
    n_jobs : int, default=None
        Number of fits to run in parallel, as in joblib.
    verbose : {0, 1}, default=0
        Whether to show a progress bar of the fits.

    Returns
    -------
    result : Backtest
        ``result.frame`` has all forecasts beside what came, ``result.summary`` the errors by
        step ahead, ``result.compare()`` a table of the models and of two naive forecasts, and
        ``result.plot()`` a picture.

    Raises
    ------
    ValueError
        If a parameter is invalid; if `y` does not hold what follows each row of `X`; if steps
        exceed what the model predicts at once although a column is known only up to now; if a
        fold has test rows before training rows, or too few training rows for a model or for a
        season; or if a model is not a regressor.

    See Also
    --------
    forecast : Forecasts what follows the last row.
    forecast_scorer : Has a search choose a model by such forecasts.

    Notes
    -----
    The origin of a fold is its first test row. It is the target of the last training row, and so
    it is known at the same time. Training rows whose target reaches beyond the origin are left
    out, so that nothing after the origin affects a forecast. Values that are not known are left
    out of the measures; the naive forecasts use the last known value before them.

    A model that looks back over a known number of rows takes each step from all origins of a fit
    at once.

    Examples
    --------
    The errors of each step ahead, from five origins with a fit each:

    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.model_selection import TimeSeriesSplit
    >>> from sklearn.pipeline import make_pipeline
    >>> from skl_lstm import LookbackWindower, backtest, load_airline_passengers
    >>> series = load_airline_passengers()
    >>> model = make_pipeline(LookbackWindower(12, padding="edge"), LinearRegression())
    >>> result = backtest(model, series, cv=TimeSeriesSplit(5), steps=2)
    >>> result.summary.loc["model", "MAE"].round(2)
    step
    all    12.85
    1      13.76
    2      11.94
    Name: MAE, dtype: float64

    Each month of the last two years, by a model that is fitted once:

    >>> result = backtest(model, series, cv=24, stride=1, steps=1, refit=False)
    >>> first = result.frame.set_index("time")[["truth", "forecast"]].head(2)
    >>> first.round(1)  # doctest: +NORMALIZE_WHITESPACE
                truth  forecast
    time
    1959-01-01  360.0     374.1
    1959-02-01  342.0     345.0
    """
    plan = Plan(steps, stride, refit, window)
    for name, value in (("season", season), ("horizon", horizon)):
        if value is not None:
            check_integer(name, value)
    named = _named(models)
    _check_data(X, y)
    scoring = check_scoring(scoring, coverage)
    how = _calibration(coverage, interval_params)
    check_choice("verbose", verbose, (0, 1, False, True))
    names = {"target": target, "known": known, "static": static}
    past = _past(named, X, y, names, horizon, group, season, freq)
    folds = _folds(cv, plan, past)
    fits = plan.fits(folds, past.places, past.n_after, past.label)
    for fit in fits:
        past.check(fit)
    tasks = [(name, model, fit) for name, model in named.items() for fit in fits]
    calls = ((_forecasts, model, past, fit, how) for _, model, fit in tasks)
    tables = run_parallel(calls, len(tasks), n_jobs, int(verbose), "Fit")
    of_models: dict[str, list[pd.DataFrame]] = {name: [] for name in named}
    for (name, _, _), table in zip(tasks, tables, strict=True):
        of_models[name].append(table)
    _check_numbers(of_models)
    _tell_what_is_left_out(past, fits, plan, of_models)
    target_name = past.roles.targets[0]
    return Backtest(
        _long(of_models),
        coverage=coverage,
        scoring=scoring,
        target=target_name if isinstance(target_name, str) else None,
    )


def _named(models: Any) -> dict[str, Any]:
    """Return the models by their names, each of which must be a regressor."""
    if not isinstance(models, Mapping):
        if isinstance(models, list | tuple):
            raise ValueError(
                "models must be a regressor, or a dict of several by their names, got a "
                f"{type(models).__name__}"
            )
        check_regressor(models, "models")
        return {ALONE: models}
    if not models:
        raise ValueError("models must be a regressor or a dict with at least one, got none")
    for name, model in models.items():
        if not isinstance(name, str) or name in NAIVE:
            raise ValueError(
                f"models must have texts other than {list(NAIVE)} as names, got {name!r}"
            )
        check_regressor(model, f"models[{name!r}]")
    return dict(models)


def _check_data(X: Any, y: Any) -> None:
    """Raise ValueError unless X may be a series or table, and y what follows its rows."""
    if isinstance(X, str) or np.ndim(X) not in (1, 2):
        raise ValueError(
            f"X must be a series or a table, of one or two dimensions, got {type(X).__name__} of "
            f"{np.ndim(X)}"
        )
    if isinstance(y, str):
        raise ValueError(
            f"y must hold what follows each row of X, got {y!r}; name columns in target="
        )
    is_cv = isinstance(y, Integral) or hasattr(y, "get_n_splits")
    if is_cv or (isinstance(y, list) and y and isinstance(y[0], tuple)):
        raise ValueError(f"y must hold what follows each row of X, got {y!r}; pass cv by its name")


def _past(
    models: dict[str, Any],
    X: Any,
    y: Any,
    names: dict[str, Any],
    horizon: int | None,
    group: Any,
    season: int | None,
    freq: Any,
) -> SeriesData | PanelPast:
    """Return the series, or several, prepared for forecasts from past rows."""
    refuse_times(X)
    group = _same("group", group, {name: fitted_group(each) for name, each in models.items()})
    if y is None:
        told = {name: fitted_roles(each).get("horizon") for name, each in models.items()}
        horizon = _same("horizon", horizon, told)
    names = _names(models, X, y, names)
    if group is not None:
        if y is not None:
            raise ValueError(
                "y must be None for several series, whose table backtest lays out itself, with "
                "target, known, static and horizon"
            )
        data = PanelData.of(as_frame(X), names, horizon or 1, group, freq)
        return PanelPast.of(data, season)
    if y is None:
        step = None if freq is None else "rows"
        X, y = make_supervised(as_frame(X), **names, horizon=horizon or 1, freq=step)
    return SeriesData.of(X, y, names, horizon, season, freq)


def _names(models: dict[str, Any], X: Any, y: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Return the names of columns that are given, or else told by X or by all models."""
    told = told_by(X) if y is not None else None
    roles = {name: fitted_roles(model) for name, model in models.items()}
    sources = {
        name: told_names(each, getattr(X, "columns", ()))
        for name, each in (roles if told is None else {"X": told}).items()
    }
    return {
        role: _same(role, value, {name: each.get(role) or None for name, each in sources.items()})
        for role, value in given.items()
    }


def _same(parameter: str, given: Any, told: dict[str, Any]) -> Any:
    """Return a parameter: given, or else what all models tell that tell it."""
    if given is not None:
        return given
    values = {name: value for name, value in told.items() if value is not None}
    first = next(iter(values.values()), None)
    for name, value in values.items():
        if value != first:
            raise ValueError(
                f"{parameter} must be the same for all models, got {first!r} and {value!r} in "
                f"{name!r}"
            )
    return first


def _folds(cv: Any, plan: Plan, past: SeriesData | PanelPast) -> Iterable[Fold]:
    """Return the training rows and the places of the test rows of each fold."""
    from sklearn.model_selection import TimeSeriesSplit, check_cv  # late: slow to import

    if cv is None or (isinstance(cv, Integral) and not isinstance(cv, bool)):
        n_splits = 5 if cv is None else int(cv)
        if plan.stride is not None:
            check_integer("cv", n_splits)
            return plan.folds_of(n_splits, past.places, past.n_after)
        check_integer("cv", n_splits, minimum=2)
        cv = TimeSeriesSplit(n_splits)
        if isinstance(past, PanelPast):
            cv = folds_by_time(past.times.take(past.places), cv)
    elif isinstance(cv, str) or not (hasattr(cv, "split") or isinstance(cv, Iterable)):
        raise ValueError(
            f"cv must be a splitter, a number of splits or an iterable of splits, got {cv!r}"
        )
    folds = [
        (_rows_of(train, len(past.X), number), past.places[_rows_of(test, len(past.X), number)])
        for number, (train, test) in enumerate(check_cv(cv).split(past.X, past.y))
    ]
    if not folds:
        raise ValueError("cv must give at least one fold, got none")
    return folds


def _rows_of(part: Any, n_rows: int, fold: int) -> NDArray[np.intp]:
    """Return the numbers of the rows in a part of a fold, in order, from numbers or a mask."""
    part = np.asarray(part)
    try:
        rows = np.sort(np.arange(n_rows)[part] if part.size else part)
    except IndexError:
        raise ValueError(
            f"cv must split the {n_rows} rows of X that have a target, got {np.max(part)} as the "
            f"number of a row in fold {fold}"
        ) from None
    if not len(rows):
        raise ValueError(f"cv must give each fold training and test rows, got none in fold {fold}")
    return rows


def _calibration(coverage: Any, interval_params: Any) -> Calibration | None:
    """Return how intervals are calibrated; None if there are none."""
    if coverage is None:
        if interval_params:
            raise ValueError(
                f"coverage must be given for interval_params={interval_params!r}, got None"
            )
        return None
    params = {} if interval_params is None else dict(interval_params)
    unknown = [name for name in params if name not in OF_INTERVALS]
    if unknown:
        raise ValueError(
            f"interval_params must be among {list(OF_INTERVALS)}, got {unknown[0]!r}"
            f"{did_you_mean(str(unknown[0]), OF_INTERVALS)}"
        )
    return Calibration(coverage, **params)


def _forecasts(
    model: Any, past: SeriesData | PanelPast, fit: Fit, how: Calibration | None
) -> pd.DataFrame:
    """Fit a clone, and forecast from all its origins."""
    try:
        table = past.forecast_from(past.fitted(model, fit), fit, how)
    except ValueError as error:
        hint = HELP_FOR_GAPS if "contains NaN" in str(error) else ""
        raise ValueError(
            f"{error}{hint} (in fold {fit.fold}, of {len(fit.rows)} training rows)"
        ) from error
    return table


def _check_numbers(of_models: dict[str, list[pd.DataFrame]]) -> None:
    """Warn of forecasts that are NaN, or raise ValueError if all are."""
    for name, tables in of_models.items():
        forecasts = np.concatenate([table["forecast"].to_numpy() for table in tables])
        n_missing = np.count_nonzero(np.isnan(forecasts))
        if n_missing == len(forecasts):
            raise ValueError(f"models must forecast numbers, got NaN alone from {name!r}")
        if n_missing:
            warn(
                f"{n_missing} of {len(forecasts)} forecasts of {name!r} are NaN; these rows are "
                "left out of the measures of all models",
                SeriesWarning,
            )


def _tell_what_is_left_out(
    past: SeriesData | PanelPast,
    fits: list[Fit],
    plan: Plan,
    of_models: dict[str, list[pd.DataFrame]],
) -> None:
    """Warn if steps that are asked for, or whole series, were not forecast."""
    import pandas as pd

    origins = [origin for fit in fits for origin in fit.origins]
    n_short = sum(origin.steps < (plan.steps or 0) for origin in origins)
    if n_short:
        warn(
            f"steps={plan.steps} reaches beyond the last row from {n_short} of {len(origins)} "
            "origins; the measures of the late steps are those of the others",
            SeriesWarning,
        )
    if isinstance(past, PanelPast):
        labels = past.data.panel.labels
        found = pd.concat(next(iter(of_models.values())))[past.data.panel.names].drop_duplicates()
        one = len(found.columns) == 1
        there = pd.Index(found.iloc[:, 0]) if one else pd.MultiIndex.from_frame(found)
        absent = labels[~labels.isin(there)]
        if len(absent):
            warn(
                f"{len(absent)} of {len(labels)} series, such as {text_of(absent[0])}, are not "
                "forecast: they begin too late, or end before the first origin",
                SeriesWarning,
            )


def _long(of_models: dict[str, list[pd.DataFrame]]) -> pd.DataFrame:
    """Return the forecasts of all models and of the naive methods below each other."""
    import pandas as pd

    tables = {name: pd.concat(tables) for name, tables in of_models.items()}
    first = next(iter(tables.values()))
    no_interval = {name: np.nan for name in ("lower", "upper") if name in first}
    for name in NAIVE:
        tables[name] = first.assign(forecast=first[name], **no_interval)
    long = pd.concat(tables, names=["model"]).reset_index("model")
    series = [name for name in first if name not in COLUMNS and name not in NAIVE]
    fold, *others = (name for name in COLUMNS[1:] if name in long)
    return long[["model", fold, *series, *others]].reset_index(drop=True)
