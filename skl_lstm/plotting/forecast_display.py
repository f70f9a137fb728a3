"""Plot of forecasts and the known values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from skl_lstm.checks import check_installed, check_integer
from skl_lstm.compositions.parts import fitted_group
from skl_lstm.drawing.inks import Inks
from skl_lstm.drawing.labels import add_legend, keep_labels_whole, label_time, label_values
from skl_lstm.drawing.lines import (
    BAND,
    FITTED,
    FORECAST,
    KNOWN,
    PAST_BAND,
    PREDICTED,
    SHADING,
    draw_band,
    draw_line,
    few_points,
    places,
)
from skl_lstm.drawing.panels import dress, figure_of, panels
from skl_lstm.forecasting.course import n_until_unknown
from skl_lstm.forecasting.fitted_model import roles_in, sample_of
from skl_lstm.forecasting.forecast import forecast
from skl_lstm.forecasting.intervals import forecast_interval
from skl_lstm.forecasting.panel import present
from skl_lstm.forecasting.walk import predict_outputs
from skl_lstm.plotting.results import Said, Shown, check_n_history, codes_of, shown_of
from skl_lstm.windowing.alignment import names_of_targets
from skl_lstm.windowing.calendar import following
from skl_lstm.windowing.columns import Roles
from skl_lstm.windowing.frames import as_frame
from skl_lstm.windowing.groups import Panel
from skl_lstm.windowing.supervised import make_supervised

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    from skl_lstm.drawing.panels import SeveralAxes
    from skl_lstm.forecasting.backtest_result import Backtest
    from skl_lstm.windowing.columns import Names
    from skl_lstm.windowing.span import Freq


class ForecastPanel(NamedTuple):
    """What is drawn in one panel of a :class:`ForecastDisplay`; None is what is not there.

    Attributes
    ----------
    ax : matplotlib Axes
        The axes.
    history_line, fitted_line, predicted_line, forecast_line : matplotlib Line2D or None
        The lines.
    intervals, predicted_intervals : list of matplotlib PolyCollection
        The bands of the forecast and of the predictions, the widest first.
    held_out : matplotlib Patch or None
        The shading behind the part held out.
    """

    ax: Axes
    history_line: Line2D | None
    fitted_line: Line2D | None
    predicted_line: Line2D | None
    forecast_line: Line2D | None
    intervals: list[PolyCollection]
    predicted_intervals: list[PolyCollection]
    held_out: Patch | None


class ForecastDisplay:
    """Visualization of forecasts: known, fitted, predicted and future values.

    Create one with :meth:`from_estimator` or :meth:`from_predictions`. All parameters are stored
    as attributes. Each target of each series has a panel.

    Parameters
    ----------
    history : Series or DataFrame
        The known values, each at its own time: indexed by dates, periods or numbers. Several
        targets are columns of a DataFrame; several series are told apart as in :func:`forecast`.
    fitted : Series or DataFrame, default=None
        Predictions for the training rows, each at the time of the value that it predicts.
    predicted : Series, DataFrame or Backtest, default=None
        Predictions for later rows, each at the time of the value that it predicts; or what
        :func:`backtest` returns of one model, or its ``frame``.
    forecast : Series, DataFrame or Backtest, default=None
        Forecast of future values, as returned by :func:`forecast` or :func:`forecast_interval`.
        The column "forecast", or the median, is drawn as a line, and "lower" to "upper", or each
        pair of quantiles, as a band. What :func:`backtest` returns is drawn as `predicted`.
    coverage : float, default=None
        Nominal coverage of the band, for its name in the legend; that of a Backtest if None.
    series : label or list of labels, default=None
        Those of several series to draw; the first if None.
    n_history : "auto", int or None, default="auto"
        Number of last known values to draw. ``"auto"`` draws ten times as many as the forecast
        has steps, and more if the part held out does not leave a fifth of them before it; None
        draws all.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes of shape (n_panels,)
        The axes drawn on.
    panels_ : list of ForecastPanel
        What is drawn on each of them.
    figure_ : matplotlib Figure
        Figure of the axes.
    ax_ : matplotlib Axes
        The first, or only, of `axes_`.
    history_line_, fitted_line_, predicted_line_, forecast_line_ : matplotlib Line2D or None
        The lines of the first panel; None if there is nothing to draw.
    interval_ : matplotlib PolyCollection or None
        The widest band of the forecast in the first panel; None if there is none.

    See Also
    --------
    LossCurveDisplay : Plots the loss by epoch.
    backtest : Its result draws several models and their errors.

    Notes
    -----
    The part held out, shaded, is what follows the first time that is predicted or forecast. Of
    overlapping paths of a backtest, the intervals are those of the last one, and so on back.

    The legend is inside the axes, which grow until it hides nothing; axes that are too small for
    it have none. Where labels would be cut or overlap, and no layout engine prevents this, the
    subplots are laid out anew, as ``figure.tight_layout()`` does.

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
    >>> len(display.history_line_.get_ydata())
    120
    """

    axes_: NDArray[np.object_]
    panels_: list[ForecastPanel]
    figure_: Any
    ax_: Axes
    history_line_: Line2D | None
    fitted_line_: Line2D | None
    predicted_line_: Line2D | None
    forecast_line_: Line2D | None
    interval_: PolyCollection | None

    def __init__(
        self,
        *,
        history: pd.Series | pd.DataFrame,
        fitted: pd.Series | pd.DataFrame | None = None,
        predicted: pd.Series | pd.DataFrame | Backtest | None = None,
        forecast: pd.Series | pd.DataFrame | Backtest | None = None,
        coverage: float | None = None,
        series: Names | None = None,
        n_history: int | Literal["auto"] | None = "auto",
    ) -> None:
        self.history = history
        self.fitted = fitted
        self.predicted = predicted
        self.forecast = forecast
        self.coverage = coverage
        self.series = series
        self.n_history = n_history

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
        target: Names | None = None,
        known: Names | None = None,
        static: Names | None = None,
        future: pd.DataFrame | None = None,
        group: Names | None = None,
        series: Names | None = None,
        freq: Freq | None = None,
        n_history: int | Literal["auto"] | None = "auto",
        ax: Axes | SeveralAxes | None = None,
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
            What follows each row. Of several outputs, the next values of those columns of X are
            drawn that they name, or else the first. None if X is the series itself.
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
        series : label or list of labels, default=None
            Those of several series to draw; the first if None.
        freq : str, offset or int, default=None
            Step between two rows, if it cannot be inferred from their index.
        n_history : "auto", int or None, default="auto"
            Number of last known values to draw, as in the class.
        ax : matplotlib Axes or array of Axes, default=None
            Axes to draw on, one for each panel; those of a new figure if None.

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
            If matplotlib is missing: ``pip install "skl-lstm[plot]"``.
        """
        import pandas as pd

        check_installed(cls.__name__, "plot", "matplotlib")
        check_is_fitted(estimator)
        check_n_history(n_history)
        if is_classifier(estimator):
            raise ValueError(f"estimator must be a regressor, got {type(estimator).__name__}")
        if coverage is not None and steps is None:
            raise ValueError(f"coverage requires steps, got coverage={coverage!r} and steps=None")
        drawn: dict[str, Any] = {"coverage": coverage, "n_history": n_history, "ax": ax}
        names = {"target": target, "known": known, "static": static}
        group = fitted_group(estimator) if group is None else group
        if group is not None:
            if y is not None:
                raise ValueError("y must be None for several series, whose table X is")
            panel = Panel.of(X, group, "X")
            codes = codes_of(panel, series)
            tables = [_predicted_series(estimator, panel, code, names, freq) for code in codes]
            n_trained = [_checked_n_train(n_train, len(said)) for said, _ in tables]
            ahead = None
            if steps is not None:
                given = {**names, "future": future, "group": group, "freq": freq}
                ahead = _ahead(estimator, X, steps, coverage, given)
            parts = {
                "history": [known_values for _, known_values in tables],
                "fitted": [said[:n] for (said, _), n in zip(tables, n_trained, strict=True)],
                "predicted": [said[n:] for (said, _), n in zip(tables, n_trained, strict=True)],
            }
            labels = [panel.labels[code] for code in codes]
            joined: dict[str, Any] = {
                name: _joined(each, labels, panel.names) for name, each in parts.items()
            }
            return cls.from_predictions(**joined, forecast=ahead, series=labels, **drawn)
        if series is not None:
            raise ValueError(f"series must be None, since there is one, got {series!r}")
        frame = as_frame(X) if y is None else None
        if frame is not None:
            roles, horizon = roles_in(estimator, frame, **names)
            past, X, y = _laid_out(frame, roles, horizon, freq)
        rows, targets = as_frame(X), as_frame(y)
        if len(rows) != len(targets):
            raise ValueError(
                f"X and y must be of equal length, got {len(rows)} and {len(targets)} rows"
            )
        n_train = _checked_n_train(n_train, len(rows))
        times = rows.index[1:].append(following(rows.index, 1, freq))
        columns = list(targets.columns[:1])
        whole: pd.DataFrame | None
        if frame is not None:
            whole, columns = past[roles.targets], roles.targets
        else:
            whole = _series(rows, targets, freq)
            told = names_of_targets(y)
            if told is not None and set(told) <= set(rows.columns):
                columns = told
            elif whole is not None:
                columns = list(whole.columns)
        outputs = predict_outputs(estimator, rows)[:, : len(columns)]
        said = pd.DataFrame(outputs, times, columns)
        ahead = None
        if steps is not None:
            if whole is None:
                raise ValueError(
                    "steps requires the series itself as X, without y, or X of one column and y "
                    "that continues it"
                )
            history = whole.iloc[:, 0] if frame is None else frame
            ahead = _ahead(
                estimator, history, steps, coverage, {**names, "future": future, "freq": freq}
            )
        if whole is None:
            whole = targets.iloc[:, : len(columns)].set_axis(times).set_axis(columns, axis=1)
        return cls.from_predictions(
            _one_or_all(whole),
            fitted=_one_or_all(said[:n_train]),
            predicted=_one_or_all(said[n_train:]),
            forecast=ahead,
            **drawn,
        )

    @classmethod
    def from_predictions(
        cls,
        history: pd.Series | pd.DataFrame,
        *,
        fitted: pd.Series | pd.DataFrame | None = None,
        predicted: pd.Series | pd.DataFrame | Backtest | None = None,
        forecast: pd.Series | pd.DataFrame | Backtest | None = None,
        coverage: float | None = None,
        series: Names | None = None,
        n_history: int | Literal["auto"] | None = "auto",
        ax: Axes | SeveralAxes | None = None,
    ) -> ForecastDisplay:
        """Plot existing predictions.

        Parameters
        ----------
        history, fitted, predicted, forecast
            As in the class: each value at its own time; or what :func:`forecast`,
            :func:`forecast_interval` and :func:`backtest` return.
        coverage : float, default=None
            Nominal coverage of the interval, for the legend.
        series : label or list of labels, default=None
            Those of several series to draw; the first if None.
        n_history : "auto", int or None, default="auto"
            Number of last known values to draw, as in the class.
        ax : matplotlib Axes or array of Axes, default=None
            Axes to draw on, one for each panel; those of a new figure if None.

        Returns
        -------
        display : ForecastDisplay
            The display.

        Raises
        ------
        ValueError
            As :meth:`plot`.
        ImportError
            If matplotlib is missing: ``pip install "skl-lstm[plot]"``.
        """
        return cls(
            history=history,
            fitted=fitted,
            predicted=predicted,
            forecast=forecast,
            coverage=coverage,
            series=series,
            n_history=n_history,
        ).plot(ax=ax)

    def plot(self, ax: Axes | SeveralAxes | None = None) -> ForecastDisplay:
        """Draw the plot.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            Axes to draw on, one for each panel; those of a new figure if None.

        Returns
        -------
        display : ForecastDisplay
            This object, with the attributes set.

        Raises
        ------
        ValueError
            If something is no Series or DataFrame, is of columns or series that the history does
            not have, or is not indexed by dates as the history, or by numbers as the history; if
            a backtest is of several models; if quantiles do not come in pairs; or if `n_history`
            or `ax` is invalid.
        ImportError
            If matplotlib is missing: ``pip install "skl-lstm[plot]"``.
        """
        check_installed(type(self).__name__, "plot", "matplotlib")
        check_n_history(self.n_history)
        shown = [
            each.recent(self.n_history)
            for each in shown_of(
                self.history,
                self.fitted,
                self.predicted,
                self.forecast,
                self.coverage,
                self.series,
            )
        ]
        axes = panels(ax, len(shown), name="ax")[:, 0]
        self.panels_ = [_draw(each, on) for each, on in zip(shown, axes, strict=True)]
        keep_labels_whole(figure_of(axes[0]))
        add_legend(axes[0])
        first = self.panels_[0]
        self.axes_, self.ax_, self.figure_ = axes, axes[0], axes[0].figure
        self.history_line_, self.fitted_line_ = first.history_line, first.fitted_line
        self.predicted_line_, self.forecast_line_ = first.predicted_line, first.forecast_line
        self.interval_ = next(iter(first.intervals), None)
        return self


def _draw(shown: Shown, ax: Axes) -> ForecastPanel:
    """Draw one panel, the forecast in front."""
    dress(ax)
    inks, history = Inks.of(ax), shown.history
    style: dict[str, Any] = {"color": inks.text, "linewidth": 1.2, "zorder": KNOWN}
    known = _draw_said(ax, Said(history), "known", **style)
    style = {"color": inks.fitted, "linewidth": 0.8, "zorder": FITTED}
    fitted = _draw_said(ax, shown.fitted, "fitted", **style)
    style = {"color": inks.predicted, "linewidth": 1.4, "zorder": PREDICTED}
    predicted = _draw_said(ax, shown.predicted, "predicted", linestyle=(0, (4, 1)), **style)
    held_out = _shade_held_out(ax, shown, inks)
    style = {"color": inks.forecast, "linewidth": 1.8, "zorder": FORECAST}
    points = few_points(shown.forecast.n_steps)
    ahead = _draw_said(ax, shown.forecast, "forecast", **style, **points)
    bands = _draw_bands(ax, shown.forecast, inks.forecast, inks.band, BAND)
    past_bands = _draw_bands(ax, shown.predicted, inks.predicted, inks.band, PAST_BAND)
    if bands:
        for band in past_bands:
            band.set_label(f"_{band.get_label()}")  # once in the legend
    label_values(ax.yaxis)
    label_time(ax, history.index)
    ax.set_ylabel(history.name if isinstance(history.name, str) else "value")
    if shown.series:
        ax.set_title(shown.series, loc="left", fontsize="medium")
    return ForecastPanel(ax, known, fitted, predicted, ahead, bands, past_bands, held_out)


def _draw_said(ax: Axes, said: Said, name: str, **style: Any) -> Line2D | None:
    line = said.line
    if line is None or line.empty:
        return None
    return draw_line(ax, places(line.index), line, label=said.name or name, **style)


def _draw_bands(
    ax: Axes, said: Said, color: str, opaque: float, zorder: float
) -> list[PolyCollection]:
    """Draw the intervals, the narrow ones over the wide ones."""
    return [
        draw_band(
            ax,
            places(band.index),
            band["lower"],
            band["upper"],
            color,
            opaque * (1 + i / 2),
            label=name,
            zorder=zorder,
        )
        for i, (name, band) in enumerate(said.bands.items())
    ]


def _shade_held_out(ax: Axes, shown: Shown, inks: Inks) -> Patch | None:
    """Shade from between the last value fitted and the first held out to the end of the known."""
    n, at = shown.n_held_out, places(shown.history.index)
    if n == 0 or len(at) < 2:
        return None
    first = len(at) - n
    half = (at[max(first, 1)] - at[max(first, 1) - 1]) / 2
    return ax.axvspan(
        at[first] - half,
        at[-1] + half,
        facecolor=(inks.text, inks.shading),
        linewidth=0,
        zorder=SHADING,
        label="held out",
    )


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


def _predicted_series(
    estimator: Any, panel: Panel, code: int, names: dict[str, Any], freq: Any
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what a model predicts for the rows of one of several series.

    Returns
    -------
    said : DataFrame of shape (n_rows, n_targets)
        The first predictions for each row, at the time of what was predicted.
    whole : DataFrame of shape (n, n_targets)
        The known values.
    """
    import pandas as pd

    own = panel.series(code)
    sample = present(estimator, panel, sample_of(estimator, own), code)
    roles, horizon = roles_in(estimator, own, **names, sample=sample)
    own, X, _ = _laid_out(own, roles, horizon, freq)
    said = predict_outputs(estimator, present(estimator, panel, X, code))[:, : len(roles.targets)]
    times = own.index[1:][: len(said)]
    return pd.DataFrame(said, times, roles.targets), own[roles.targets]


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


def _series(rows: pd.DataFrame, targets: pd.DataFrame, freq: Any) -> pd.DataFrame | None:
    """Rebuild the series from which X and y were made; return None if there is none."""
    import pandas as pd

    values, ahead = rows.to_numpy(), targets.to_numpy()
    if values.shape[1] != 1 or not np.array_equal(values[1:, 0], ahead[:-1, 0]):
        return None
    last = pd.Series(ahead[-1], following(rows.index, ahead.shape[1], freq))
    return pd.concat([rows.iloc[:, 0], last]).to_frame(rows.columns[0])


def _joined(parts: list[pd.DataFrame], labels: list[Any], names: list[Any]) -> pd.DataFrame:
    """Return tables of several series as one, whose index tells them apart."""
    import pandas as pd

    time = parts[0].index.name
    return pd.concat(dict(zip(labels, parts, strict=True)), names=[*names, time])


def _one_or_all(frame: pd.DataFrame) -> pd.Series | pd.DataFrame:
    """Return a table of a single column as a Series."""
    return frame.iloc[:, 0] if frame.shape[1] == 1 else frame
