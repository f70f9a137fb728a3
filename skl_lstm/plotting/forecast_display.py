"""Plot of a forecast and the known values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from skl_lstm.checks import check_integer
from skl_lstm.compositions.parts import fitted_group
from skl_lstm.forecasting.course import n_until_unknown
from skl_lstm.forecasting.fitted_model import roles_in, sample_of
from skl_lstm.forecasting.forecast import forecast
from skl_lstm.forecasting.intervals import forecast_interval
from skl_lstm.forecasting.panel import present
from skl_lstm.forecasting.walk import predict_outputs
from skl_lstm.plotting.drawing import (
    check_matplotlib,
    draw_line,
    label_time,
    label_values,
    legend_above,
    new_axes,
    places,
)
from skl_lstm.windowing.calendar import following
from skl_lstm.windowing.columns import Roles
from skl_lstm.windowing.frames import as_frame
from skl_lstm.windowing.groups import Panel, text_of
from skl_lstm.windowing.supervised import make_supervised

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.lines import Line2D

# Okabe and Ito (2008): distinguishable with color blindness and, mostly, in grayscale.
BLACK, SKY, VERMILION, BLUE = "#000000", "#56B4E9", "#D55E00", "#0072B2"


class ForecastDisplay:
    """Visualization of a forecast: known, fitted, predicted and future values.

    Create one with :meth:`from_estimator` or :meth:`from_predictions`. All parameters are stored
    as attributes.

    Parameters
    ----------
    history : Series
        The known values, each at its own time: indexed by dates, periods or numbers.
    fitted : Series, default=None
        Predictions for the training rows, each at the time of the value that it predicts.
    predicted : Series, default=None
        Predictions for later rows, each at the time of the value that it predicts.
    forecast : Series or DataFrame, default=None
        Forecast of future values, as returned by :func:`forecast` or :func:`forecast_interval`.
        Of a DataFrame, the column "forecast" is drawn as a line, and "lower" to "upper" as a
        band.
    coverage : float, default=None
        Nominal coverage of the band, for its name in the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        Figure of the axes.
    history_line_, fitted_line_, predicted_line_, forecast_line_ : matplotlib Line2D or None
        The lines; None if there is nothing to draw.
    interval_ : matplotlib PolyCollection or None
        The band; None if there is none.

    See Also
    --------
    LossCurveDisplay : Plots the loss by epoch.

    Notes
    -----
    The legend is above the axes, in as many columns as there is room for;
    ``display.figure_.suptitle`` adds a title. A figure created with ``layout="constrained"``, as
    those created here are, has room for both.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skl_lstm import ForecastDisplay, LookbackWindower, load_airline_passengers
    >>> from skl_lstm import make_supervised
    >>> X, y = make_supervised(load_airline_passengers())
    >>> model = make_pipeline(LookbackWindower(12, padding="edge"), LinearRegression())
    >>> model = model.fit(X[:100], y[:100])
    >>> display = ForecastDisplay.from_estimator(model, X, y, n_train=100, steps=12)
    >>> display.ax_.get_ylabel()
    'passengers'
    """

    ax_: Axes
    figure_: Any
    history_line_: Line2D | None
    fitted_line_: Line2D | None
    predicted_line_: Line2D | None
    forecast_line_: Line2D | None
    interval_: PolyCollection | None

    def __init__(
        self,
        *,
        history: pd.Series,
        fitted: pd.Series | None = None,
        predicted: pd.Series | None = None,
        forecast: pd.Series | pd.DataFrame | None = None,
        coverage: float | None = None,
    ) -> None:
        self.history = history
        self.fitted = fitted
        self.predicted = predicted
        self.forecast = forecast
        self.coverage = coverage

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        n_train: int | None = None,
        steps: int | None = None,
        coverage: float | None = None,
        target: Any = None,
        known: Any = None,
        static: Any = None,
        future: Any = None,
        group: Any = None,
        series: Any = None,
        freq: Any = None,
        ax: Axes | None = None,
    ) -> ForecastDisplay:
        """Plot a model's predictions for training rows and later rows, and its forecast.

        Parameters
        ----------
        estimator : fitted regressor
            Regressor fitted on the first `n_train` rows, such as a Pipeline, a
            TransformedTargetRegressor or a search.
        X : Series, DataFrame or array-like of shape (n_samples, n_columns)
            The series, oldest row first, each value at its own time; or, with `y`, the rows that
            :func:`make_supervised` returns.
        y : Series, DataFrame or array-like of shape (n_samples,) or (n_samples, n_outputs), \
                default=None
            What follows each row. If there are several outputs, the first is drawn. None if X is
            the series itself.
        n_train : int, default=None
            Number of rows that the model was fitted on; all of them if None.
        steps : int, default=None
            Number of steps to forecast beyond the last known value. This requires the series
            itself as X, or X of a single column, which y continues.
        coverage : float, default=None
            Coverage of an interval around the forecast, computed as in
            :func:`forecast_interval`; no interval if None. Requires `steps`.
        target, known, static : name or sequence of names, default=None
            Without `y`, the columns that the model predicts, those known ahead, and those that do
            not change, as in :func:`forecast`.
        future : DataFrame, default=None
            Values of the columns known ahead, as in :func:`forecast`.
        group : name or list of names, default=None
            What tells several series apart, as in :func:`forecast`; that of the model if None. X
            is then the table of them all, without `y`.
        series : label, default=None
            The one of several series to draw; the first if None.
        freq : str, offset or int, default=None
            Step between two rows, if it cannot be inferred from their index.
        ax : matplotlib Axes, default=None
            Axes to draw on; those of a new figure if None.

        Returns
        -------
        display : ForecastDisplay
            The display. A prediction for a row of X is drawn at the time after that row.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If the model is a classifier, X and y differ in length, `n_train` exceeds the number
            of rows, `steps` is given but y does not continue X, `coverage` is given without
            `steps`, the index of X cannot be continued, or there is no such series.
        ImportError
            If matplotlib is missing.
        """
        import pandas as pd

        check_matplotlib(cls)
        check_is_fitted(estimator)
        if is_classifier(estimator):
            raise ValueError(f"estimator must be a regressor, got {type(estimator).__name__}")
        if coverage is not None and steps is None:
            raise ValueError(f"coverage requires steps, got coverage={coverage!r} and steps=None")
        group = fitted_group(estimator) if group is None else group
        if group is not None:
            if y is not None:
                raise ValueError("y must be None for several series, whose table X is")
            names = {"target": target, "known": known, "static": static}
            panel = Panel.of(X, group, "X")
            code = _code_of(panel, series)
            said, values = _predicted_series(estimator, panel, code, names, freq)
            n_train = _checked_n_train(n_train, len(said))
            ahead: Any = None
            if steps is not None:
                given = {**names, "future": future, "group": group, "freq": freq}
                ahead = _ahead(estimator, X, steps, coverage, given)
                ahead = _first_target(ahead).loc[panel.labels[code]]
            return cls.from_predictions(
                values,
                fitted=said[:n_train],
                predicted=said[n_train:],
                forecast=ahead,
                coverage=coverage,
                ax=ax,
            )
        frame = as_frame(X) if y is None else None
        if frame is not None:
            roles, horizon = roles_in(estimator, frame, target, known, static)
            past, X, y = _laid_out(frame, roles, horizon, freq)
        rows, targets = as_frame(X), as_frame(y)
        if len(rows) != len(targets):
            raise ValueError(
                f"X and y must be of equal length, got {len(rows)} and {len(targets)} rows"
            )
        n_train = _checked_n_train(n_train, len(rows))
        times = rows.index[1:].append(following(rows.index, 1, freq))
        said = pd.Series(predict_outputs(estimator, rows)[:, 0], times)
        whole = _series(rows, targets, freq) if frame is None else past[rows.columns[0]]
        ahead = None
        if steps is not None:
            if whole is None:
                raise ValueError(
                    "steps requires the series itself as X, without y, or X of one column and y "
                    "that continues it"
                )
            history = whole if frame is None else frame
            given = {"target": target, "known": known, "static": static}
            given |= {"future": future, "freq": freq}
            ahead = _first_target(_ahead(estimator, history, steps, coverage, given))
        return cls.from_predictions(
            targets.iloc[:, 0].set_axis(times) if whole is None else whole,
            fitted=said[:n_train],
            predicted=said[n_train:],
            forecast=ahead,
            coverage=coverage,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        history: pd.Series,
        *,
        fitted: pd.Series | None = None,
        predicted: pd.Series | None = None,
        forecast: pd.Series | pd.DataFrame | None = None,
        coverage: float | None = None,
        ax: Axes | None = None,
    ) -> ForecastDisplay:
        """Plot existing predictions.

        Parameters
        ----------
        history, fitted, predicted : Series
            As in the class: each value at its own time.
        forecast : Series or DataFrame, default=None
            Result of :func:`forecast` or :func:`forecast_interval`.
        coverage : float, default=None
            Nominal coverage of the interval, for the legend.
        ax : matplotlib Axes, default=None
            Axes to draw on; those of a new figure if None.

        Returns
        -------
        display : ForecastDisplay
            The display.

        Raises
        ------
        ValueError
            If one of them is not a Series, or they are not all indexed by dates or all by
            numbers.
        ImportError
            If matplotlib is missing.
        """
        return cls(
            history=history,
            fitted=fitted,
            predicted=predicted,
            forecast=forecast,
            coverage=coverage,
        ).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> ForecastDisplay:
        """Draw the plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; those of a new figure if None.

        Returns
        -------
        display : ForecastDisplay
            This object, with the attributes set.
        """
        check_matplotlib(type(self))
        line, band = _line_and_band(self.forecast)
        _check_lines(
            history=self.history, fitted=self.fitted, predicted=self.predicted, forecast=line
        )
        ax = new_axes() if ax is None else ax
        self.history_line_ = _draw_series(ax, self.history, color=BLACK, label="known")
        self.fitted_line_ = _draw_series(ax, self.fitted, color=SKY, label="fitted")
        self.predicted_line_ = _draw_series(ax, self.predicted, color=VERMILION, label="predicted")
        self.forecast_line_ = _draw_series(ax, line, color=BLUE, label="forecast", linestyle="--")
        self.interval_ = None if band is None else _draw_band(ax, band, self.coverage)
        label_values(ax)
        label_time(ax, self.history.index)
        ax.set_ylabel(self.history.name if isinstance(self.history.name, str) else "value")
        legend_above(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _checked_n_train(n_train: int | None, n_rows: int) -> int:
    if n_train is None:
        return n_rows
    check_integer("n_train", n_train, minimum=0)
    if n_train > n_rows:
        raise ValueError(f"n_train must be at most {n_rows}, the number of rows, got {n_train}")
    return n_train


def _ahead(
    estimator: Any, history: Any, steps: int, coverage: float | None, given: dict[str, Any]
) -> pd.Series | pd.DataFrame:
    """Return a forecast, with an interval if `coverage` is given."""
    if coverage is None:
        return forecast(estimator, history, steps, **given)
    return forecast_interval(estimator, history, steps, coverage, **given)


def _code_of(panel: Panel, series: Any) -> int:
    """Return the number of a series of a panel; of the first if it is None."""
    if series is None:
        return 0
    if series not in panel.labels:
        raise ValueError(
            f"series must be a label in {panel.names}, such as {text_of(panel.labels[0])}, got "
            f"{series!r}"
        )
    code: Any = panel.labels.get_loc(series)
    return code


def _predicted_series(
    estimator: Any, panel: Panel, code: int, names: dict[str, Any], freq: Any
) -> tuple[pd.Series, pd.Series]:
    """Return what a model predicts for the rows of one of several series.

    Returns
    -------
    said : Series
        The first prediction for each row, at the time of what was predicted.
    whole : Series
        The known values.
    """
    import pandas as pd

    own = panel.series(code)
    sample = present(estimator, panel, sample_of(estimator, own), code)
    roles, horizon = roles_in(estimator, own, **names, sample=sample)
    own, X, _ = _laid_out(own, roles, horizon, freq)
    said = predict_outputs(estimator, present(estimator, panel, X, code))[:, 0]
    return pd.Series(said, own.index[1:][: len(said)]), own[roles.targets[0]]


def _laid_out(
    frame: pd.DataFrame, roles: Roles, horizon: int, freq: Any
) -> tuple[pd.DataFrame, Any, Any]:
    """Return the known rows of a series, and X and y made of them."""
    past = frame.iloc[: n_until_unknown(frame, roles.targets)]
    X, y = make_supervised(
        past,
        target=roles.targets,
        known=roles.known,
        static=roles.static,
        horizon=horizon,
        freq=None if freq is None else "rows",
    )
    return past, X, y


def _series(rows: pd.DataFrame, targets: pd.DataFrame, freq: Any) -> pd.Series | None:
    """Rebuild the series from which X and y were made; return None if there is none."""
    import pandas as pd

    values, ahead = rows.to_numpy(), targets.to_numpy()
    if values.shape[1] != 1 or not np.array_equal(values[1:, 0], ahead[:-1, 0]):
        return None
    last = pd.Series(ahead[-1], following(rows.index, ahead.shape[1], freq))
    return pd.concat([rows.iloc[:, 0], last]).rename(rows.columns[0])


def _first_target(ahead: pd.Series | pd.DataFrame) -> pd.Series | pd.DataFrame:
    """Return the part of a forecast of several columns that belongs to the first."""
    if getattr(ahead, "ndim", 1) == 1 or "forecast" in ahead:
        return ahead
    return ahead[ahead.columns.get_level_values(0)[0]]


def _line_and_band(
    forecast: pd.Series | pd.DataFrame | None,
) -> tuple[pd.Series | None, pd.DataFrame | None]:
    """Split a forecast into its line and its band."""
    import pandas as pd

    if not isinstance(forecast, pd.DataFrame):
        return forecast, None
    if "forecast" not in forecast:
        raise ValueError(
            f"forecast must be a Series or have a column 'forecast', got {list(forecast.columns)}"
        )
    band = forecast[["lower", "upper"]] if {"lower", "upper"} <= set(forecast.columns) else None
    return forecast["forecast"], band


def _check_lines(**given: Any) -> None:
    """Raise ValueError unless all given values are Series on one time axis."""
    import pandas as pd

    lines = {name: line for name, line in given.items() if line is not None}
    for name, line in lines.items():
        if not isinstance(line, pd.Series):
            raise ValueError(f"{name} must be a Series, got {type(line).__name__}")
    kinds = {name: places(line.index).dtype.kind for name, line in lines.items()}
    for name, kind in kinds.items():
        if kind not in "Miuf" or (kind == "M") != (kinds["history"] == "M"):
            index = lines[name].index
            raise ValueError(
                "history, fitted, predicted and forecast must all be indexed by dates or "
                f"periods, or all by numbers; got {type(index).__name__} of {index.dtype} for "
                f"{name}"
            )


def _draw_series(ax: Axes, line: pd.Series | None, **style: Any) -> Line2D | None:
    if line is None or line.empty:
        return None
    return draw_line(ax, places(line.index), line.to_numpy(np.float64), **style)


def _draw_band(ax: Axes, band: pd.DataFrame, coverage: float | None) -> PolyCollection:
    return ax.fill_between(
        places(band.index),
        band["lower"].to_numpy(),
        band["upper"].to_numpy(),
        label="interval" if coverage is None else f"{100 * coverage:g}% interval",
        facecolor=(BLUE, 0.2),
        edgecolor=(BLUE, 0.3),  # the only visible part of the band of a single step
        linewidth=0.8,
    )
