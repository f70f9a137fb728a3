"""Forecasts over several steps with a model of the next step: predict, append, repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skl_lstm.checks import check_choice
from skl_lstm.compositions.parts import fitted_group
from skl_lstm.compositions.quantiles import ascending, by_quantile
from skl_lstm.forecasting.course import begin, path_ahead
from skl_lstm.forecasting.panel import begin_all, long_frame, paths_ahead
from skl_lstm.windowing.columns import Names
from skl_lstm.windowing.frames import as_given, is_foreign
from skl_lstm.windowing.span import Freq

if TYPE_CHECKING:
    import pandas as pd


@overload
def forecast(
    model: Any,
    history: pd.Series,
    steps: int,
    *,
    target: Names | None = None,
    known: Names | None = None,
    static: Names | None = None,
    future: pd.DataFrame | None = None,
    group: Names | None = None,
    freq: Freq | None = None,
    quantiles: Literal[False] = False,
) -> pd.Series: ...
@overload
def forecast(
    model: Any,
    history: pd.DataFrame,
    steps: int,
    *,
    target: str | int,
    known: Names | None = None,
    static: Names | None = None,
    future: pd.DataFrame | None = None,
    group: Names | None = None,
    freq: Freq | None = None,
    quantiles: Literal[False] = False,
) -> pd.Series: ...
@overload
def forecast(
    model: Any,
    history: pd.Series | pd.DataFrame | ArrayLike,
    steps: int,
    *,
    target: Names | None = None,
    known: Names | None = None,
    static: Names | None = None,
    future: pd.DataFrame | None = None,
    group: Names | None = None,
    freq: Freq | None = None,
    quantiles: Literal[True],
) -> pd.DataFrame: ...
@overload
def forecast(
    model: Any,
    history: pd.Series | pd.DataFrame | ArrayLike,
    steps: int,
    *,
    target: Names | None = None,
    known: Names | None = None,
    static: Names | None = None,
    future: pd.DataFrame | None = None,
    group: Names | None = None,
    freq: Freq | None = None,
    quantiles: bool = False,
) -> pd.Series | pd.DataFrame: ...
def forecast(
    model: Any,
    history: pd.Series | pd.DataFrame | ArrayLike,
    steps: int,
    *,
    target: Names | None = None,
    known: Names | None = None,
    static: Names | None = None,
    future: pd.DataFrame | None = None,
    group: Names | None = None,
    freq: Freq | None = None,
    quantiles: bool = False,
) -> pd.Series | pd.DataFrame:
    """Forecast several steps ahead with a model that predicts the next value or values.

    The model predicts what follows the last row of the history; the prediction is appended to
    the history, and so on. A model of several steps proceeds in blocks of as many rows.

    Parameters
    ----------
    model : fitted regressor
        Model fitted on the output of :func:`make_supervised` with the same `target` and `known`.
        It can be any scikit-learn composition: a Pipeline, a TransformedTargetRegressor around
        it, or a search.
    history : Series, DataFrame or array-like of shape (n,) or (n, n_columns)
        The series up to now, oldest row first, each value at its own time, in the units that the
        model was fitted on. Columns that the model was not fitted on are left out.
    steps : int
        Number of rows to forecast.
    target : name or sequence of names, default=None
        The columns that the model predicts. None if that is the only column not known ahead, or
        if the model tells: a windower in it remembers the names of `y`.
    known : name or sequence of names, default=None
        The columns whose values are known ahead; those of `future` if None.
    static : name or sequence of names, default=None
        Columns that have one value for all rows of a series, which is carried on.
    future : DataFrame of shape (n_rows, n_columns), default=None
        Values of the columns known ahead, each at its own time, for the rows to forecast: for
        `steps` of them, or as many as the blocks of the model cover. Rows are chosen by their
        index, unless it just numbers them from 0. If None, they are the last rows of the history,
        in which the targets are missing.
    group : name or list of names, default=None
        What tells several series apart, as in :class:`LookbackWindower`; that of the model if
        None. Each series is forecast from its own last row, all of them side by side.
    freq : str, offset or int, default=None
        Step between two rows of the history: a pandas frequency, or an integer if the rows are
        numbered. If None, it is inferred from the index of the history, which must then have no
        holes; if given, the rows are taken to be consecutive.
    quantiles : bool, default=False
        Whether to return all quantiles that the model learned, with ``loss="pinball"``, and not
        only the median; for as many steps as it predicts at once.

    Returns
    -------
    ahead : Series of shape (steps,) or DataFrame of shape (steps, n_targets)
        The forecast, with an index that continues that of the history; a DataFrame if the model
        predicts several columns. Of polars, if the history is. Of several series, it has
        ``n_series * steps`` rows, indexed by series and time. With `quantiles`, always a
        DataFrame with a column for each quantile, named by its number, such as 0.1; for several
        targets the columns have two levels, target and quantile. In a DataFrame of polars, they
        are called ``"0.1"`` or ``"sold_0.1"``.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    ValueError
        If the model is not a regressor; if `target` or `known` does not name columns, or the
        number of outputs does not fit them; if `steps` is not a positive integer, or exceeds
        what the model predicts at once although a column is known only up to now; if the history
        is shorter than `look_back`, ends with a missing value, or has an index that cannot be
        continued; if `future` lacks a value; if a forecast is NaN, as that of a window with a gap
        may be; or if the model was fitted on other rows of this
        history than :func:`make_supervised` makes. With `quantiles`, if the model learned none,
        if `steps` exceeds what it predicts at once, or if what is around its network does not
        restore the target by a function that only rises or only falls.

    Warns
    -----
    SeriesWarning
        If the model just returns the last row, as one that was fitted on `y` that is not
        shifted; or if its windows are shorter than its blocks and do not hold all that is known
        ahead.

    See Also
    --------
    forecast_interval : Adds an interval around each value.
    backtest : Evaluates such forecasts on past data.

    Notes
    -----
    A model that consists only of parts of scikit-learn and this package receives only the rows
    that its windows cover, and a stateful network at its end goes on from the state in which it
    has read the history once. If another part might look at rows other than its own (a
    third-party estimator, a FunctionTransformer with a Python function), the model receives the
    whole history at each step; a shorter history is then faster. So it does if the windows of
    rows that a stateful network has read change as rows are added, as after a gap in the last
    rows that ``fill_missing="forward"`` fills.

    The quantiles of a path are not those of its single steps: what follows a high value is not
    what follows a likely one. So `quantiles` are not fed back, and are those of each row by
    itself.

    Recursive and direct forecasting are compared by Ben Taieb, S. and Hyndman, R. J. (2012),
    *Recursive and direct multi-step forecasting: the best of both worlds*, Monash University.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skl_lstm import LookbackWindower, forecast, load_airline_passengers, make_supervised
    >>> series = load_airline_passengers()
    >>> X, y = make_supervised(series)
    >>> model = make_pipeline(LookbackWindower(12, padding="edge"), LinearRegression()).fit(X, y)
    >>> forecast(model, series, steps=3).round(1)
    Month
    1961-01-01    466.5
    1961-02-01    430.3
    1961-03-01    455.4
    Freq: MS, Name: passengers, dtype: float64

    A price that is known ahead acts on its own day:

    >>> import numpy as np
    >>> import pandas as pd
    >>> price = 5 + np.sin(np.arange(60) ** 2)
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> shop = pd.DataFrame({"sold": 40 - 4 * price, "price": price}, index=days)
    >>> names = {"target": "sold", "known": ["price"]}
    >>> X, y = make_supervised(shop[:50], **names)
    >>> model = make_pipeline(LookbackWindower(3, padding="edge"), LinearRegression()).fit(X, y)
    >>> ahead = forecast(model, shop[:50], steps=10, **names, future=shop[50:][["price"]])
    >>> np.allclose(ahead, shop["sold"][50:])
    True

    Two shops, each from its own last day:

    >>> both = pd.concat({"north": shop[:50], "south": 10 + shop[:40]}, names=["shop", "day"])
    >>> X, y = make_supervised(both[["sold"]], group="shop")
    >>> windower = LookbackWindower(3, padding="edge", group="shop")
    >>> model = make_pipeline(windower, LinearRegression()).fit(X, y)
    >>> forecast(model, both, steps=2).round(1)  # doctest: +NORMALIZE_WHITESPACE
    shop   day
    north  2024-02-20    22.3
           2024-02-21    21.4
    south  2024-02-10    32.1
           2024-02-11    31.0
    Name: sold, dtype: float64

    Quantiles of each of the next two months:

    >>> from skl_lstm import LSTMForecaster
    >>> X, y = make_supervised(series, horizon=2)
    >>> learned = {"loss": "pinball", "quantile": [0.1, 0.5, 0.9], "window_scaling": "last"}
    >>> model = make_pipeline(LookbackWindower(12), LSTMForecaster(**learned, random_state=0))
    >>> forecast(model.fit(X, y), series, steps=2, quantiles=True).shape
    (2, 3)
    """
    import pandas as pd

    check_choice("quantiles", quantiles, (True, False))
    group = fitted_group(model) if group is None else group
    if group is not None:
        names = {"target": target, "known": known, "static": static}
        panel = begin_all(model, history, steps, names, future, group, freq)
        columns = panel.roles.targets
        if quantiles:
            models = by_quantile(model)
            _check_block(steps, panel.horizon)
            paths = {q: paths_ahead(each, panel) for q, each in models.items()}
            return long_frame(panel, *_beside_each_other(paths, columns))
        long = long_frame(panel, paths_ahead(model, panel).reshape(-1, len(columns)), columns)
        return long[columns[0]] if len(columns) == 1 else long
    course = begin(model, history, steps, target, known, static, future, freq)
    targets = course.roles.targets
    if quantiles:
        models = by_quantile(model)
        _check_block(steps, course.horizon)
        paths = {q: path_ahead(each, course) for q, each in models.items()}
        values, labels = _beside_each_other(paths, targets)
        ahead: Any = pd.DataFrame(values, index=course.times, columns=labels)
        if is_foreign(history):  # which may have only text as names
            ahead.columns = ["_".join(map(str, np.atleast_1d(label))) for label in labels]
        return as_given(history, ahead) if is_foreign(history) else ahead
    ahead = pd.DataFrame(path_ahead(model, course), index=course.times, columns=targets)
    if len(targets) == 1:
        named = hasattr(history, "columns")
        ahead = ahead.iloc[:, 0].rename(targets[0] if named else getattr(history, "name", None))
    return as_given(history, ahead) if is_foreign(history) else ahead


def _check_block(steps: int, horizon: int) -> None:
    """Raise ValueError if quantiles are wanted of more rows than a model predicts at once."""
    if steps > horizon:
        raise ValueError(
            f"steps must be at most {horizon} with quantiles=True, the number of rows that the "
            "model predicts at once, because the quantiles of further rows do not follow from "
            f"feeding quantiles back, got {steps}; fit the model on "
            f"make_supervised(…, horizon={steps}), or use forecast_interval"
        )


def _beside_each_other(
    paths: dict[float, NDArray[np.float64]], targets: list[Any]
) -> tuple[NDArray[np.float64], pd.Index]:
    """Return the quantiles (n, n_targets * n_quantiles) of paths, and the names of the columns."""
    import pandas as pd

    values = ascending(np.stack(list(paths.values()), axis=-1), list(paths))
    labels: pd.Index = pd.Index(list(paths), name="quantile")
    if len(targets) > 1:
        labels = pd.MultiIndex.from_product([targets, labels], names=["target", "quantile"])
    return values.reshape(-1, len(labels)), labels
