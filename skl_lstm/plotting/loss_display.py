"""Plot of the loss by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skl_lstm.compositions.parts import trained_part
from skl_lstm.plotting.drawing import (
    check_matplotlib,
    draw_line,
    label_values,
    legend_above,
    new_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D


class LossCurveDisplay:
    """Visualization of training: the loss by epoch, of one or several models.

    Create one with :meth:`from_estimator` or :meth:`from_histories`. All parameters are stored
    as attributes.

    Parameters
    ----------
    histories : dict of str to dict
        The ``history_`` of each model, by its name.
    ylabel : str, default="loss"
        Label of the loss axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        Figure of the axes.
    training_lines_, validation_lines_ : dict of str to matplotlib Line2D
        The lines by model name; validation lines only for models with validation rows.

    See Also
    --------
    ForecastDisplay : Plots the forecast.

    Notes
    -----
    If the losses are positive and their maximum is at least ten times their minimum, the axis is
    logarithmic. The legend is above the axes; ``display.figure_.suptitle`` adds a title.

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
        """Plot the training loss of one or several models.

        Parameters
        ----------
        estimator : fitted estimator, or dict or sequence of them
            An LSTM estimator, or a Pipeline, TransformedTargetRegressor or search that ends in
            one. The keys of a dict are the names of the models.
        ax : matplotlib Axes, default=None
            Axes to draw on; those of a new figure if None.

        Returns
        -------
        display : LossCurveDisplay
            The display.

        Raises
        ------
        NotFittedError
            If a model is not fitted.
        ValueError
            If a model does not hold exactly one LSTM estimator, or there is no model.
        ImportError
            If matplotlib is missing.
        """
        if isinstance(estimator, Mapping):
            named = {str(name): model for name, model in estimator.items()}
        elif isinstance(estimator, list | tuple):
            named = {f"model {i}": model for i, model in enumerate(estimator, 1)}
        else:
            named = {"training": estimator}
        trained = {name: trained_part(model) for name, model in named.items()}
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
        """Plot training histories.

        Parameters
        ----------
        histories : dict of str to dict
            The ``history_`` of each model, by its name; ``"loss"`` and, if present,
            ``"val_loss"`` are drawn.
        ylabel : str, default="loss"
            Label of the loss axis.
        ax : matplotlib Axes, default=None
            Axes to draw on; those of a new figure if None.

        Returns
        -------
        display : LossCurveDisplay
            The display.
        """
        return cls(histories=histories, ylabel=ylabel).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> LossCurveDisplay:
        """Draw the plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; those of a new figure if None.

        Returns
        -------
        display : LossCurveDisplay
            This object, with the attributes set.
        """
        check_matplotlib(type(self))
        if not self.histories:
            raise ValueError("histories must hold at least one history, got none")
        ax = new_axes() if ax is None else ax
        colors = {name: f"C{i}" for i, name in enumerate(self.histories)}
        self.training_lines_ = {
            name: _draw_losses(ax, history["loss"], color=colors[name], label=name)
            for name, history in self.histories.items()
        }
        # One entry in the legend for all of them: a label that begins with "_" is not shown
        # there.
        self.validation_lines_ = {
            name: _draw_losses(
                ax, history["val_loss"], color=colors[name], label="_validation", linestyle="--"
            )
            for name, history in self.histories.items()
            if "val_loss" in history
        }
        if self.validation_lines_:
            color = "gray" if len(self.histories) > 1 else colors.popitem()[1]
            ax.plot([], [], color=color, label="validation", linestyle="--")
        _scale_losses(ax, [*self.training_lines_.values(), *self.validation_lines_.values()])
        ax.set(xlabel="epoch", ylabel=self.ylabel)
        legend_above(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _draw_losses(ax: Axes, losses: Sequence[float], **style: Any) -> Line2D:
    return draw_line(ax, np.arange(1, len(losses) + 1), np.asarray(losses, np.float64), **style)


def _scale_losses(ax: Axes, lines: Sequence[Line2D]) -> None:
    """Show whole epochs, and use a logarithmic scale if the losses differ widely."""
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator, MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    label_values(ax)
    losses = np.concatenate([np.asarray(line.get_ydata()) for line in lines])
    losses = losses[np.isfinite(losses)]
    if losses.size and losses.min() > 0 and losses.max() >= 10 * losses.min():
        ax.set_yscale("log")
        # If the axis spans at most two powers of ten, labels at these only would be too few.
        ax.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        ax.yaxis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(2, 2)))
