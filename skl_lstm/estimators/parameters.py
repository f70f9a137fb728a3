"""The parameters of the estimators: their checks, and the training settings they define."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from sklearn.base import BaseEstimator

from skl_lstm.checks import (
    check_choice,
    check_fraction,
    check_integer,
    check_not_negative,
    check_share,
    is_number,
    naming_the_nearest,
)
from skl_lstm.estimators.keras_habits import PARAMETERS
from skl_lstm.estimators.targets import Targets
from skl_lstm.network.cells import CellName
from skl_lstm.network.network import (
    DENSE_ACTIVATIONS,
    HIDDEN_ACTIVATIONS,
    OUTPUT_ACTIVATIONS,
    DenseActivation,
    HiddenActivation,
    Network,
    OutputActivation,
)
from skl_lstm.network.quantiles import checked_quantiles
from skl_lstm.network.scaling import METHODS, Method
from skl_lstm.training.keras_names import check_name
from skl_lstm.training.settings import Settings

ReshapeMode = Literal["timesteps", "features"]
Shuffle = Literal[True, False, "auto"]
Engine = Literal["auto", "native", "keras"]
Verbose = Literal[0, 1, 2, True, False]


class LSTMParameters(BaseEstimator):
    """The parameters that the estimators share; they are documented in the subclasses."""

    # How the class encodes y.
    _targets_class: ClassVar[type[Targets]]

    # Names of losses that are not Keras's.
    _own_losses: ClassVar[tuple[str, ...]] = ("pinball",)

    _known_elsewhere: ClassVar[dict[str, str]] = PARAMETERS

    # For estimators that an earlier version pickled without them.
    window_scaling: Method | None = None
    target: Any = None
    mirror: bool = False
    cell: CellName = "lstm"
    hidden_activation: HiddenActivation = "tanh"
    bidirectional: bool = False
    all_steps: bool = False
    dense_units: int | Sequence[int] = ()
    dense_activation: DenseActivation = "relu"
    l2: float = 0.0
    windows_per_epoch: int | None = None

    @naming_the_nearest
    def __init__(
        self,
        *,
        units: int | Sequence[int] = 32,
        cell: CellName = "lstm",
        hidden_activation: HiddenActivation = "tanh",
        bidirectional: bool = False,
        all_steps: bool = False,
        dense_units: int | Sequence[int] = (),
        dense_activation: DenseActivation = "relu",
        reshape_mode: ReshapeMode = "timesteps",
        features_per_step: int | Literal["auto"] = "auto",
        window_scaling: Method | None = None,
        target: str | int | Sequence[str | int] | None = None,
        mirror: bool = False,
        stateful: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        l2: float = 0.0,
        output_activation: OutputActivation = "linear",
        loss: Any = "mse",
        quantile: float | Sequence[float] = 0.5,
        optimizer: Any = "adam",
        learning_rate: float | None = None,
        optimizer_kwargs: dict[str, Any] | None = None,
        metrics: Sequence[Any] | None = None,
        epochs: int = 100,
        batch_size: int = 32,
        windows_per_epoch: int | None = None,
        shuffle: Shuffle = "auto",
        validation_split: float | int = 0.0,
        early_stopping: bool = False,
        patience: int = 10,
        callbacks: Sequence[Any] | None = None,
        warm_start: bool = False,
        engine: Engine = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: Verbose = 0,
    ) -> None:
        self.units = units
        self.cell = cell
        self.hidden_activation = hidden_activation
        self.bidirectional = bidirectional
        self.all_steps = all_steps
        self.dense_units = dense_units
        self.dense_activation = dense_activation
        self.reshape_mode = reshape_mode
        self.features_per_step = features_per_step
        self.window_scaling = window_scaling
        self.target = target
        self.mirror = mirror
        self.stateful = stateful
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.l2 = l2
        self.output_activation = output_activation
        self.loss = loss
        self.quantile = quantile
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.optimizer_kwargs = optimizer_kwargs
        self.metrics = metrics
        self.epochs = epochs
        self.batch_size = batch_size
        self.windows_per_epoch = windows_per_epoch
        self.shuffle = shuffle
        self.validation_split = validation_split
        self.early_stopping = early_stopping
        self.patience = patience
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.engine = engine
        self.random_state = random_state
        self.verbose = verbose

    def _check_parameters(self) -> None:
        """Check the parameters that no library checks for us."""
        for name, fewest in (("units", 1), ("dense_units", 0)):
            value = getattr(self, name)
            if isinstance(value, str) or len(_each(value)) < fewest:
                raise ValueError(
                    f"{name} must be a positive integer or a sequence of them, got {value!r}"
                )
            for n_units in _each(value):
                check_integer(name, n_units)
        check_choice("cell", self.cell, get_args(CellName))
        check_choice("hidden_activation", self.hidden_activation, HIDDEN_ACTIVATIONS)
        check_choice("dense_activation", self.dense_activation, DENSE_ACTIVATIONS)
        check_choice("reshape_mode", self.reshape_mode, get_args(ReshapeMode))
        if not (isinstance(self.features_per_step, str) and self.features_per_step == "auto"):
            check_integer("features_per_step", self.features_per_step)
        check_choice("window_scaling", self.window_scaling, (None, *METHODS))
        if self.window_scaling is not None and self.stateful:
            raise ValueError(
                "window_scaling must be None if stateful=True, because a state cannot continue "
                f"from a window in other units, got {self.window_scaling!r}"
            )
        if self.mirror and self.window_scaling not in ("last", "standard"):
            raise ValueError(
                "window_scaling must be 'last' or 'standard' if mirror=True, which turns windows "
                f"upside down about their location, got {self.window_scaling!r}"
            )
        if self.window_scaling in ("last", "standard") and self.output_activation != "linear":
            raise ValueError(
                f"output_activation must be 'linear' if window_scaling={self.window_scaling!r}, "
                "because outputs are differences from the location of a window, got "
                f"{self.output_activation!r}"
            )
        if self.mirror and self.loss == "pinball":
            raise ValueError(
                "mirror must be False with loss='pinball', because a quantile turned upside down "
                "is another quantile, got True"
            )
        check_fraction("dropout", self.dropout)
        check_fraction("recurrent_dropout", self.recurrent_dropout)
        check_not_negative("l2", self.l2)
        check_choice("output_activation", self.output_activation, OUTPUT_ACTIVATIONS)
        checked_quantiles(self.quantile)
        if np.iterable(self.quantile) and not self._quantiles():
            raise ValueError(
                "quantile must be a number unless loss='pinball', which alone learns several, got "
                f"{self.quantile!r}"
            )
        for name in (
            "bidirectional",
            "all_steps",
            "mirror",
            "stateful",
            "early_stopping",
            "warm_start",
        ):
            check_choice(name, getattr(self, name), (True, False))
        rate = self.learning_rate
        if rate is not None and not (is_number(rate) and 0 < rate < math.inf):
            raise ValueError(f"learning_rate must be a positive number or None, got {rate!r}")
        if not isinstance(self.optimizer_kwargs, dict | None):
            raise ValueError(f"optimizer_kwargs must be a dict, got {self.optimizer_kwargs!r}")
        for name in ("metrics", "callbacks"):
            if not isinstance(getattr(self, name), list | tuple | None):
                raise ValueError(f"{name} must be a list, got {getattr(self, name)!r}")
        check_integer("epochs", self.epochs)
        check_integer("batch_size", self.batch_size)
        if self.windows_per_epoch is not None:
            check_integer("windows_per_epoch", self.windows_per_epoch)
            if self.stateful:
                raise ValueError(
                    "windows_per_epoch must be None if stateful=True, which takes all rows in "
                    f"time order, got {self.windows_per_epoch}"
                )
        check_choice("shuffle", self.shuffle, get_args(Shuffle))
        if self.stateful and self.shuffle != "auto" and self.shuffle:
            raise ValueError(
                "shuffle must be False or 'auto' if stateful=True, which takes the rows in time "
                "order, got True"
            )
        check_share("validation_split", self.validation_split)
        check_integer("patience", self.patience, minimum=0)
        check_choice("engine", self.engine, get_args(Engine))
        check_choice("verbose", self.verbose, get_args(Verbose))

    def _check_names(self) -> None:
        """Check the names of losses, optimizers and metrics.

        Only training needs them: an estimator from a file predicts without the user's own
        names, or those of a newer Keras.
        """
        given = {"loss": [self.loss], "optimizer": [self.optimizer], "metrics": self.metrics or ()}
        for parameter, values in given.items():
            own = self._own_losses if parameter == "loss" else ()
            for value in values:
                if isinstance(value, str):
                    check_name(parameter, value, own)

    def _objective(self, n_outputs: int) -> tuple[Any, OutputActivation]:
        """Return the loss and the activation of the outputs that it requires."""
        raise NotImplementedError

    def _quantiles(self) -> tuple[float, ...]:
        """Return the quantiles to learn; none unless the loss is that of quantiles."""
        of_quantiles = isinstance(self.loss, str) and self.loss == "pinball"
        return checked_quantiles(self.quantile) if of_quantiles else ()

    def _settings(self, network: Network, seed: int, **changes: Any) -> Settings:
        loss, _ = self._objective(network.n_outputs)
        settings = {
            "loss": loss,
            "quantiles": self._quantiles(),
            "optimizer": self.optimizer,
            "learning_rate": self.learning_rate,
            "optimizer_kwargs": self.optimizer_kwargs or {},
            "metrics": list(self.metrics or ()),
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "windows_per_epoch": self.windows_per_epoch,
            "shuffle": not self.stateful if self.shuffle == "auto" else self.shuffle,
            "validation_split": self.validation_split,
            "early_stopping": self.early_stopping,
            "patience": self.patience,
            "callbacks": list(self.callbacks or ()),
            "verbose": int(self.verbose),
        }
        return Settings(seed=seed, **{**settings, **changes})

    def _network(self, window_shape: tuple[int, int], ndim: int, n_outputs: int) -> Network:
        as_features = ndim == 2 and self.reshape_mode == "features"
        n_steps, n_features = (1, math.prod(window_shape)) if as_features else window_shape
        _, output_activation = self._objective(n_outputs)
        return Network(
            n_steps=n_steps,
            n_features=n_features,
            units=tuple(int(n_units) for n_units in _each(self.units)),
            n_outputs=n_outputs,
            output_activation=output_activation,
            dropout=float(self.dropout),
            recurrent_dropout=float(self.recurrent_dropout),
            stateful=bool(self.stateful),
            dense_units=tuple(int(n_units) for n_units in _each(self.dense_units)),
            dense_activation=self.dense_activation,
            hidden_activation=self.hidden_activation,
            cell=self.cell,
            bidirectional=bool(self.bidirectional),
            all_steps=bool(self.all_steps),
            l2=float(self.l2),
        )


def _each(units: Any) -> tuple[Any, ...]:
    """Return the numbers of units of some layers, given as a number or as a sequence."""
    return tuple(units) if np.iterable(units) else (units,)
