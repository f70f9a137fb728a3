"""Pictures: a forecast beside what is known, and the loss epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from ._checks import check_integer
from ._forecasting import forecast
from ._index import following
from ._intervals import forecast_interval
from ._windowing import as_frame

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.lines import Line2D

# Okabe and Ito (2008): told apart by eyes that see few colours and, mostly, in grey print.
BLACK, SKY, VERMILION, BLUE = "#000000", "#56B4E9", "#D55E00", "#0072B2"


class ForecastDisplay:
    """A picture of a forecast: what is known, fitted, predicted, and ahead.

    Make one with :meth:`from_estimator` or :meth:`from_predictions`. All parameters are stored
    as attributes.

    Parameters
    ----------
    history : Series
        The values known, each at its own time: indexed by dates, periods or numbers.
    fitted : Series, default=None
        What a model says of the rows that it was fitted on, each value at the time that it is
        a prediction of.
    predicted : Series, default=None
        What it says of later rows, likewise.
    forecast : Series or DataFrame, default=None
        What it says of times to come, as :func:`forecast` or :func:`forecast_interval` returns
        it: of a DataFrame, the column "forecast" is drawn as a line, "lower" to "upper" as a
        band.
    coverage : float, default=None
        What share of truths the band is meant to hold, for its name in the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        Their figure.
    history_line_, fitted_line_, predicted_line_, forecast_line_ : matplotlib Line2D or None
        The lines; None where there is nothing to draw.
    interval_ : matplotlib PolyCollection or None
        The band.

    See Also
    --------
    LossCurveDisplay : How training went.

    Notes
    -----
    The legend stands above the axes, in as many columns as there is room for; for a title,
    there is ``display.figure_.suptitle``. A figure made with ``layout="constrained"``, as those
    made here are, has room for both.

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
        y: ArrayLike,
        *,
        n_train: int | None = None,
        steps: int | None = None,
        coverage: float | None = None,
        freq: Any = None,
        ax: Axes | None = None,
    ) -> ForecastDisplay:
        """Draw what a model says of its training rows, of later rows, and of times to come.

        Parameters
        ----------
        estimator : fitted regressor
            Fitted on the first `n_train` rows: a Pipeline, a TransformedTargetRegressor, a
            search.
        X : DataFrame or array-like of shape (n_samples, n_columns)
            All rows, oldest first, as :func:`make_supervised` makes them.
        y : Series, DataFrame or array-like of shape (n_samples,) or (n_samples, n_outputs)
            What follows each row. Of several outputs the first is drawn.
        n_train : int, default=None
            How many rows the model was fitted on; all of them where None.
        steps : int, default=None
            How many steps to forecast beyond the last value known. This takes X of the one
            column that y goes on with. Where there are more, :meth:`from_predictions` takes
            what :func:`forecast` makes of them.
        coverage : float, default=None
            What share of truths an interval around those steps is to hold, found as
            :func:`forecast_interval` says; no interval where None. Takes `steps`.
        freq : str, offset or int, default=None
            What lies between two rows, where their index does not tell.
        ax : matplotlib Axes, default=None
            Where to draw; a figure of its own where None.

        Returns
        -------
        display : ForecastDisplay
            The picture. What is predicted from a row of X stands at the time after that row.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If the model is a classifier, X and y differ in length, `n_train` is more than their
            rows, `steps` are asked for where y does not go on with X, `coverage` is asked for
            without `steps`, or the index of X cannot be continued.
        ImportError
            If matplotlib is missing.
        """
        import pandas as pd

        _check_matplotlib(cls)
        check_is_fitted(estimator)
        if is_classifier(estimator):
            raise ValueError(f"estimator must be a regressor, got {type(estimator).__name__}")
        if coverage is not None and steps is None:
            raise ValueError(
                f"coverage takes steps to draw an interval of, got {coverage!r} alone"
            )
        rows, targets = as_frame(X), as_frame(y)
        if len(rows) != len(targets):
            raise ValueError(f"X and y must be as long, got {len(rows)} and {len(targets)} rows")
        n_train = len(rows) if n_train is None else n_train
        check_integer("n_train", n_train, minimum=0)
        if n_train > len(rows):
            raise ValueError(f"n_train must be at most {len(rows)}, the rows of X, got {n_train}")
        times = rows.index[1:].append(following(rows.index, 1, freq))
        outputs = np.asarray(estimator.predict(X)).reshape(len(rows), -1)
        said = pd.Series(outputs[:, 0], times)
        whole = _series(rows, targets, freq)
        ahead = None
        if steps is not None:
            if whole is None:
                raise ValueError(
                    "steps takes X of one column and y that goes on with it, as make_supervised "
                    "makes them; from_predictions takes a forecast made otherwise"
                )
            if coverage is None:
                ahead = forecast(estimator, whole, steps, freq=freq)
            else:
                ahead = forecast_interval(estimator, whole, steps, coverage, freq=freq)
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
        """Draw what has been predicted already.

        Parameters
        ----------
        history, fitted, predicted : Series
            As the class has them: each value at the time that it is of.
        forecast : Series or DataFrame, default=None
            What :func:`forecast` or :func:`forecast_interval` returned.
        coverage : float, default=None
            What share of truths the interval is meant to hold, for the legend.
        ax : matplotlib Axes, default=None
            Where to draw; a figure of its own where None.

        Returns
        -------
        display : ForecastDisplay
            The picture.

        Raises
        ------
        ValueError
            If one of them is no Series, or they are not all of dates or all of numbers.
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
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a figure of its own where None.

        Returns
        -------
        display : ForecastDisplay
            This object, with its artists.
        """
        _check_matplotlib(type(self))
        line, band = _line_and_band(self.forecast)
        lines = {
            "history": (self.history, {"color": BLACK, "label": "known"}),
            "fitted": (self.fitted, {"color": SKY, "label": "fitted"}),
            "predicted": (self.predicted, {"color": VERMILION, "label": "predicted"}),
            "forecast": (line, {"color": BLUE, "label": "forecast", "linestyle": "--"}),
        }
        _check_lines({name: line for name, (line, _) in lines.items() if line is not None})
        ax = _axes() if ax is None else ax
        for name, (line, style) in lines.items():
            setattr(self, f"{name}_line_", _draw_line(ax, line, style))
        self.interval_ = None if band is None else _draw_band(ax, band, self.coverage)
        _label_values(ax)
        _label_time(ax, self.history.index)
        ax.set_ylabel(self.history.name if isinstance(self.history.name, str) else "value")
        _legend_above(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


class LossCurveDisplay:
    """A picture of training: the loss epoch by epoch, of one model or of several.

    Make one with :meth:`from_estimator` or :meth:`from_histories`. All parameters are stored
    as attributes.

    Parameters
    ----------
    histories : dict of str to dict
        For each model its name and its ``history_``.
    ylabel : str, default="loss"
        What the loss is.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        Their figure.
    training_lines_, validation_lines_ : dict of str to matplotlib Line2D
        The lines by the models' names; those of validation rows where there were some.

    See Also
    --------
    ForecastDisplay : What came of it.

    Notes
    -----
    Where the losses are positive and fall tenfold or more, the axis is logarithmic. The legend
    stands above the axes; for a title, there is ``display.figure_.suptitle``.

    Examples
    --------
    >>> from skl_lstm import LSTMForecaster, LookbackWindower, LossCurveDisplay
    >>> from skl_lstm import load_airline_passengers, make_supervised
    >>> X, y = make_supervised(load_airline_passengers() / 1000)
    >>> windows = LookbackWindower(12).fit_transform(X)
    >>> models = {
    ...     f"LSTM({units})": LSTMForecaster(units=units, epochs=5, validation_split=0.2)
    ...     for units in (4, 16)
    ... }
    >>> fitted = {name: model.fit(windows, y) for name, model in models.items()}
    >>> display = LossCurveDisplay.from_estimator(fitted)
    >>> sorted(display.validation_lines_)
    ['LSTM(16)', 'LSTM(4)']
    """

    ax_: Axes
    figure_: Any
    training_lines_: dict[str, Line2D]
    validation_lines_: dict[str, Line2D]

    def __init__(
        self, *, histories: Mapping[str, Mapping[str, Sequence[float]]], ylabel: str = "loss"
    ) -> None:
        self.histories = histories
        self.ylabel = ylabel

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None) -> LossCurveDisplay:
        """Draw how the training of one model went, or of several.

        Parameters
        ----------
        estimator : fitted estimator, or dict or sequence of them
            An LSTM estimator, or a Pipeline, TransformedTargetRegressor or search that ends in
            one. Of a dict, the keys name the models.
        ax : matplotlib Axes, default=None
            Where to draw; a figure of its own where None.

        Returns
        -------
        display : LossCurveDisplay
            The picture.

        Raises
        ------
        NotFittedError
            If a model is not fitted.
        ValueError
            If a model does not end in an LSTM estimator, or there is none.
        ImportError
            If matplotlib is missing.
        """
        if isinstance(estimator, Mapping):
            named = {str(name): model for name, model in estimator.items()}
        elif isinstance(estimator, list | tuple):
            named = {f"model {i}": model for i, model in enumerate(estimator, 1)}
        else:
            named = {"training": estimator}
        trained = {name: _trained(model) for name, model in named.items()}
        losses = [model.loss for model in trained.values()]
        one = all(isinstance(loss, str) and loss == losses[0] != "auto" for loss in losses)
        return cls.from_histories(
            {name: model.history_ for name, model in trained.items()},
            ylabel=f"loss ({losses[0]})" if losses and one else "loss",
            ax=ax,
        )

    @classmethod
    def from_histories(
        cls,
        histories: Mapping[str, Mapping[str, Sequence[float]]],
        *,
        ylabel: str = "loss",
        ax: Axes | None = None,
    ) -> LossCurveDisplay:
        """Draw histories.

        Parameters
        ----------
        histories : dict of str to dict
            For each model its name and its ``history_``, of which ``"loss"`` and, where it is
            there, ``"val_loss"`` are drawn.
        ylabel : str, default="loss"
            What the loss is.
        ax : matplotlib Axes, default=None
            Where to draw; a figure of its own where None.

        Returns
        -------
        display : LossCurveDisplay
            The picture.
        """
        return cls(histories=histories, ylabel=ylabel).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> LossCurveDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a figure of its own where None.

        Returns
        -------
        display : LossCurveDisplay
            This object, with its artists.
        """
        _check_matplotlib(type(self))
        if not self.histories:
            raise ValueError("histories must hold at least one model's, got none")
        ax = _axes() if ax is None else ax
        colors = {name: f"C{i}" for i, name in enumerate(self.histories)}
        self.training_lines_ = {
            name: _draw_losses(ax, history["loss"], color=colors[name], label=name)
            for name, history in self.histories.items()
        }
        # One entry in the legend for all of them; a label that begins with "_" makes none.
        self.validation_lines_ = {
            name: _draw_losses(
                ax, history["val_loss"], color=colors[name], label="_validation", linestyle="--"
            )
            for name, history in self.histories.items()
            if "val_loss" in history
        }
        if self.validation_lines_:
            color = "grey" if len(self.histories) > 1 else colors.popitem()[1]
            ax.plot([], [], color=color, label="validation", linestyle="--")
        _scale_losses(ax, [*self.training_lines_.values(), *self.validation_lines_.values()])
        ax.set(xlabel="epoch", ylabel=self.ylabel)
        _legend_above(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _series(rows: pd.DataFrame, targets: pd.DataFrame, freq: Any) -> pd.Series | None:
    """Put the series together again that X and y were made of; None where it was not one."""
    import pandas as pd

    values, ahead = rows.to_numpy(), targets.to_numpy()
    if values.shape[1] != 1 or not np.array_equal(values[1:, 0], ahead[:-1, 0]):
        return None
    last = pd.Series(ahead[-1], following(rows.index, ahead.shape[1], freq))
    return pd.concat([rows.iloc[:, 0], last]).rename(rows.columns[0])


def _trained(model: Any) -> Any:
    """Find the LSTM estimator at the end of a fitted composition."""
    check_is_fitted(model)
    part = model
    while not hasattr(part, "history_"):
        for name in ("best_estimator_", "regressor_", "estimator_"):
            if hasattr(part, name):
                part = getattr(part, name)
                break
        else:
            if not hasattr(part, "steps"):
                raise ValueError(
                    f"estimator must end in an LSTM estimator, got {type(model).__name__} that "
                    f"ends in {type(part).__name__}"
                )
            part = part.steps[-1][1]
    return part


def _line_and_band(
    forecast: pd.Series | pd.DataFrame | None,
) -> tuple[pd.Series | None, pd.DataFrame | None]:
    """Take what is ahead apart."""
    import pandas as pd

    if not isinstance(forecast, pd.DataFrame):
        return forecast, None
    if "forecast" not in forecast:
        raise ValueError(
            f"forecast must be a Series or have a column 'forecast', got {list(forecast.columns)}"
        )
    band = forecast[["lower", "upper"]] if {"lower", "upper"} <= set(forecast.columns) else None
    return forecast["forecast"], band


def _check_lines(lines: dict[str, Any]) -> None:
    """Raise unless all are Series on one time axis."""
    import pandas as pd

    for name, line in lines.items():
        if not isinstance(line, pd.Series):
            raise ValueError(f"{name} must be a Series, got {type(line).__name__}")
    kinds = {name: _times(line.index).dtype.kind for name, line in lines.items()}
    for name, kind in kinds.items():
        if kind not in "Miuf" or (kind == "M") != (kinds["history"] == "M"):
            index = lines[name].index
            raise ValueError(
                "history, fitted, predicted and forecast must all be indexed by dates or "
                f"periods, or all by numbers; got {type(index).__name__} of {index.dtype} for "
                f"{name}"
            )


def _times(index: pd.Index) -> NDArray:
    """Give the places on the axis: a period stands at its beginning, dates are in UTC."""
    import pandas as pd

    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if isinstance(index, pd.DatetimeIndex) and index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    return index.to_numpy()


def _draw_line(ax: Axes, line: pd.Series | None, style: dict[str, Any]) -> Line2D | None:
    if line is None or line.empty:
        return None
    return _draw(ax, _times(line.index), line.to_numpy(np.float64), **style)


def _draw_losses(ax: Axes, losses: Sequence[float], **style: Any) -> Line2D:
    return _draw(ax, np.arange(1, len(losses) + 1), np.asarray(losses, np.float64), **style)


def _draw(ax: Axes, places: NDArray, values: NDArray, **style: Any) -> Line2D:
    """Draw a line, and a point where a value without neighbours would not be seen."""
    known = np.isfinite(values)
    lone = known & ~np.append(False, known[:-1]) & ~np.append(known[1:], False)
    if lone.any():
        style |= {"marker": ".", "markevery": np.flatnonzero(lone).tolist()}
    return ax.plot(places, values, linewidth=1.2, **style)[0]


def _draw_band(ax: Axes, band: pd.DataFrame, coverage: float | None) -> PolyCollection:
    return ax.fill_between(
        _times(band.index),
        band["lower"].to_numpy(),
        band["upper"].to_numpy(),
        label="interval" if coverage is None else f"{100 * coverage:g}% interval",
        facecolor=(BLUE, 0.2),
        edgecolor=(BLUE, 0.3),  # all that is seen of the band of a single step
        linewidth=0.8,
    )


def _scale_losses(ax: Axes, lines: Sequence[Line2D]) -> None:
    """Count whole epochs; see small losses beside large ones."""
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator, MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    _label_values(ax)
    losses = np.concatenate([np.asarray(line.get_ydata()) for line in lines])
    losses = losses[np.isfinite(losses)]
    if losses.size and losses.min() > 0 and losses.max() >= 10 * losses.min():
        ax.set_yscale("log")
        # Over two powers of ten or less, these alone would be too few numbers.
        ax.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        ax.yaxis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(2, 2)))


def _label_values(ax: Axes) -> None:
    """Write each value out; a power of ten that all share would stand where the legend does."""
    ax.yaxis.set_major_formatter("{x:,.12g}")


def _label_time(ax: Axes, index: pd.Index) -> None:
    """Name the axis and, where it is of dates, show as many as there is room for."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    is_dated = _times(index).dtype.kind == "M"
    if is_dated:
        zone = getattr(index, "tz", None)
        inches = ax.get_window_extent().width / ax.figure.dpi
        # A year is at least two half-years apart: twice as many, and one, always serve.
        room = max(5, int(inches / 0.6))
        locator = AutoDateLocator(tz=zone, minticks=(room - 1) // 2, maxticks=room)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))
    default = "time" if is_dated else "time step"
    ax.set_xlabel(index.name if isinstance(index.name, str) else default)


def _legend_above(ax: Axes) -> None:
    """Name the artists above the axes, in as few rows as there is room for."""
    n_names = len(ax.get_legend_handles_labels()[0])
    for n_rows in range(1, n_names + 1):
        legend = ax.legend(
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=math.ceil(n_names / n_rows),
            frameon=False,
            fontsize="small",
            handlelength=1.5,
            columnspacing=1.2,
            borderaxespad=0.2,
        )
        if legend.get_window_extent().width <= ax.get_window_extent().width:
            break


def _axes() -> Axes:
    """Make a figure with one pair of axes, whose layout has room for labels and legend."""
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def _check_matplotlib(display: type) -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{display.__name__} needs matplotlib: pip install matplotlib"
        ) from error
