"""Plot of the loss by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skl_lstm.checks import check_installed, check_integer
from skl_lstm.compositions.parts import trained_part
from skl_lstm.drawing.inks import Inks, model_styles
from skl_lstm.drawing.labels import add_legend, keep_labels_whole, label_values
from skl_lstm.drawing.lines import draw_line
from skl_lstm.drawing.panels import dress, figure_of, panels
from skl_lstm.training.early_stopping import BestEpoch

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

# The mark of the epoch that was kept, and in how many parts the points of a line divide it.
MARK: dict[str, Any] = {
    "linestyle": "",
    "marker": "o",
    "markersize": 9,
    "markerfacecolor": "none",
    "markeredgewidth": 1.6,
    "zorder": 3,
}
N_POINTS = 8


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
    kept : dict of str to int, default=None
        The epoch, counted from 1, whose weights each model keeps, by the model's name; those of
        models without one are not marked.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        Figure of the axes.
    training_lines_, validation_lines_ : dict of str to matplotlib Line2D
        The lines by model name; validation lines only for models with validation rows.
    kept_points_ : dict of str to matplotlib Line2D
        The marks of the epochs that were kept, by model name, on the validation line if there is
        one.

    See Also
    --------
    ForecastDisplay : Plots the forecast.

    Notes
    -----
    If the losses are positive and their maximum is at least ten times their minimum, the axis is
    logarithmic.

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
    >>> display.kept
    {'LSTM(4)': 5, 'LSTM(16)': 5}
    """

    ax_: Axes
    figure_: Any
    training_lines_: dict[str, Line2D]
    validation_lines_: dict[str, Line2D]
    kept_points_: dict[str, Line2D]

    def __init__(
        self,
        *,
        histories: Mapping[str, Mapping[str, Sequence[float]]],
        ylabel: str = "loss",
        kept: Mapping[str, int] | None = None,
    ) -> None:
        self.histories = histories
        self.ylabel = ylabel
        self.kept = kept

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None) -> LossCurveDisplay:
        """Plot the training loss of one or several models, and mark the epochs that they keep.

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
            If matplotlib is missing: ``pip install "skl-lstm[plot]"``.
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
            kept={
                name: epoch
                for name, model in trained.items()
                if (epoch := _kept_epoch(model)) is not None
            },
            ax=ax,
        )

    @classmethod
    def from_histories(
        cls,
        histories: Mapping[str, Mapping[str, Sequence[float]]],
        *,
        ylabel: str = "loss",
        kept: Mapping[str, int] | None = None,
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
        kept : dict of str to int, default=None
            The epoch, counted from 1, that each model keeps, by its name.
        ax : matplotlib Axes, default=None
            Axes to draw on; those of a new figure if None.

        Returns
        -------
        display : LossCurveDisplay
            The display.

        Raises
        ------
        ValueError
            If there is no history, or `kept` names no model or no epoch of it.
        ImportError
            If matplotlib is missing: ``pip install "skl-lstm[plot]"``.
        """
        return cls(histories=histories, ylabel=ylabel, kept=kept).plot(ax=ax)

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
        check_installed(type(self).__name__, "plot", "matplotlib")
        if not self.histories:
            raise ValueError("histories must hold at least one history, got none")
        kept = _checked_kept(self.kept, self.histories)
        ax = panels(ax, 1)[0, 0]
        dress(ax)
        inks = Inks.of(ax)
        styles = model_styles(self.histories, inks)
        if len(styles) == 1:
            styles = {name: {**style, "marker": ""} for name, style in styles.items()}
        self.training_lines_ = {
            name: _draw_losses(ax, history["loss"], styles[name], label=name)
            for name, history in self.histories.items()
        }
        # One entry in the legend for all of them: a label that begins with "_" is not shown
        # there.
        self.validation_lines_ = {
            name: _draw_losses(
                ax, history["val_loss"], styles[name], label="_validation", linestyle=(0, (4, 1.5))
            )
            for name, history in self.histories.items()
            if "val_loss" in history
        }
        lines = self.training_lines_ | self.validation_lines_
        self.kept_points_ = {name: _mark(lines[name], epoch) for name, epoch in kept.items()}
        color = "gray" if len(self.histories) > 1 else styles.popitem()[1]["color"]
        if self.validation_lines_:
            ax.plot([], [], color=color, label="validation", linestyle=(0, (4, 1.5)))
        if self.kept_points_:
            ax.plot([], [], **MARK, color=color, label="epoch kept")
        _scale_losses(ax, [*self.training_lines_.values(), *self.validation_lines_.values()])
        ax.set(xlabel="epoch", ylabel=self.ylabel)
        keep_labels_whole(figure_of(ax))
        add_legend(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _kept_epoch(model: Any) -> int | None:
    """Return the epoch, counted from 1, whose weights a model keeps; None if that is unknown.

    With early stopping it is the best one, found by the rule that training follows. Unknown are
    the choices of a user's own callbacks, and those of training that went on after it had
    stopped, of which it is not told where it began anew.
    """
    if not hasattr(model, "early_stopping") or model.callbacks:  # one of another library
        return None
    n_epochs = model.n_iter_
    if not model.early_stopping:
        return n_epochs
    losses = model.history_.get("val_loss", model.history_["loss"])
    best = BestEpoch(model.patience)
    for epoch, loss in enumerate(losses):
        is_over = best.is_over(loss, epoch, np.array([epoch + 1], dtype=np.float32))
        if is_over or epoch + 1 == model.epochs:
            break
    ran_once = epoch + 1 == n_epochs and (is_over or n_epochs == model.epochs)
    return int(best.parameters[0]) if ran_once and best.parameters is not None else None


def _checked_kept(
    kept: Mapping[str, int] | None, histories: Mapping[str, Mapping[str, Sequence[float]]]
) -> dict[str, int]:
    """Return the epochs kept, each of a model and one of its epochs."""
    for name, epoch in (kept or {}).items():
        if name not in histories:
            raise ValueError(
                f"kept must name models of histories, {list(histories)}, got {name!r}"
            )
        check_integer("kept", epoch)
        n_epochs = len(histories[name]["loss"])
        if epoch > n_epochs:
            raise ValueError(f"kept must be at most {n_epochs}, the epochs of {name}, got {epoch}")
    return dict(kept or {})


def _draw_losses(ax: Axes, losses: Sequence[float], model: dict[str, Any], **style: Any) -> Line2D:
    """Draw losses by epoch, with a few points by which several models are told apart in gray."""
    n_epochs = len(losses)
    points = {"color": model["color"]}
    if model["marker"]:
        points |= {"marker": model["marker"], "markersize": 3.5}
        points |= {"markevery": max(1, n_epochs // N_POINTS)}
    return draw_line(ax, np.arange(1, n_epochs + 1), losses, **points, **style)


def _mark(line: Line2D, epoch: int) -> Line2D:
    """Mark an epoch on a line."""
    at, losses = line.get_xdata(), line.get_ydata()
    axes: Any = line.axes
    point = [np.asarray(each)[epoch - 1 : epoch] for each in (at, losses)]
    return axes.plot(*point, **MARK, color=line.get_color(), label="_kept")[0]


def _scale_losses(ax: Axes, lines: Sequence[Line2D]) -> None:
    """Show whole epochs, and use a logarithmic scale if the losses differ widely."""
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator, MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    label_values(ax.yaxis)
    ax.margins(x=0.03)
    losses = np.concatenate([np.asarray(line.get_ydata()) for line in lines])
    losses = losses[np.isfinite(losses)]
    if losses.size and losses.min() > 0 and losses.max() >= 10 * losses.min():
        ax.set_yscale("log")
        # If the axis spans at most two powers of ten, labels at these only would be too few.
        ax.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        ax.yaxis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(2, 2)))
