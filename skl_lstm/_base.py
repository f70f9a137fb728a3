"""What the LSTM estimators share: parameters, the rows of an array, training, fitted state."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _inference
from ._checks import check_choice, check_fraction, check_integer
from ._network import Network
from ._stream import LSTMStream
from ._training import Rows, Settings, TrainingState, draw_seed, last_states, train
from ._windows import Windows

if TYPE_CHECKING:
    from typing import Self

RESHAPE_MODES = ("timesteps", "features")
ENGINES = ("auto", "native", "keras")
INITIAL_STATES = ("zeros", "fit")

# What a call of partial_fit does, whatever the parameters say of a fit.
ONE_EPOCH: dict[str, Any] = {"epochs": 1, "validation_split": 0.0, "early_stopping": False}


@dataclass(frozen=True)
class Targets:
    """y as a network learns it.

    Parameters
    ----------
    values : ndarray of float32 of shape (n, n_outputs)
        What the outputs are to be.
    learnt : dict of str to object
        Fitted attributes by which outputs become predictions.
    """

    values: NDArray[np.float32]
    learnt: dict[str, Any]


class BaseLSTM(BaseEstimator):
    """An LSTM network behind scikit-learn's ``fit`` and ``predict``.

    A subclass turns y into :class:`Targets`, says what to learn them by (:meth:`_objective`),
    and turns the outputs of the network into predictions (:meth:`_decode`). The parameters are
    documented there.
    """

    # What a class learns of y beside the network, and needs in order to predict.
    _learnt: tuple[str, ...] = ()

    network_: Network
    window_shape_: tuple[int, int]
    weights_: list[NDArray[np.float32]]
    states_: _inference.States
    optimizer_state_: dict[str, NDArray]
    history_: dict[str, list[float]]
    n_iter_: int
    seed_: int

    def __init__(
        self,
        *,
        units: int | Sequence[int] = 32,
        reshape_mode: str = "timesteps",
        features_per_step: int = 1,
        stateful: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        output_activation: str = "linear",
        loss: Any = "mse",
        quantile: float = 0.5,
        optimizer: Any = "adam",
        learning_rate: float | None = None,
        optimizer_kwargs: dict[str, Any] | None = None,
        metrics: Sequence[Any] | None = None,
        epochs: int = 100,
        batch_size: int = 32,
        shuffle: bool | str = "auto",
        validation_split: float = 0.0,
        early_stopping: bool = False,
        patience: int = 10,
        callbacks: Sequence[Any] | None = None,
        warm_start: bool = False,
        engine: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.units = units
        self.reshape_mode = reshape_mode
        self.features_per_step = features_per_step
        self.stateful = stateful
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.output_activation = output_activation
        self.loss = loss
        self.quantile = quantile
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.optimizer_kwargs = optimizer_kwargs
        self.metrics = metrics
        self.epochs = epochs
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.validation_split = validation_split
        self.early_stopping = early_stopping
        self.patience = patience
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.engine = engine
        self.random_state = random_state
        self.verbose = verbose

    def to_keras(self) -> Any:
        """Build the fitted network as a Keras model, compiled.

        Returns
        -------
        model : keras.Model
            Takes windows of shape ``(n, n_steps, n_features)``, in which nothing may be
            missing, and has the weights and the optimiser state of this estimator. That of a
            stateful network takes one row at a time (``batch_size=1``).

        Notes
        -----
        This imports TensorFlow. Nothing links the model to the estimator afterwards.
        """
        check_is_fitted(self)
        from . import _keras

        settings = self._settings(self.network_, self.seed_)
        return _keras.to_model(self.network_, settings, self._state())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator to one HDF5 file, without pickle.

        Parameters
        ----------
        path : str or path-like
            Where to; a name that ends in ``.h5`` or ``.hdf5`` lets Keras open the file too.
            What is there already is replaced in one step, or stays whole where that fails.

        Raises
        ------
        ModelFileError
            If the model cannot be said in plain values: a loss, an optimizer or a metric is the
            user's own, or a weight is not finite. Nothing is written then.
        OSError
            If the file cannot be written.

        See Also
        --------
        load : Reads it.
        save_model : Writes a whole pipeline.

        Notes
        -----
        All that :meth:`load` needs to predict the same and to train on is in the file:
        parameters, fitted attributes, weights, the optimiser's state, history, the names of the
        columns, and the versions of the packages. A loss, an optimizer or a metric that is one
        of Keras's own objects comes back as a name, or as ``{"class_name": …, "config": …}``,
        which :meth:`fit` takes as it took the object; a ``RandomState`` as the seed drawn from
        it. Callbacks are left out, with a warning.

        ``keras.models.load_model`` opens the same file. The model is compiled, unless its loss
        is ``"pinball"``, which is not one of Keras's; its optimiser begins anew, since Keras
        restores none from HDF5. That of a stateful network takes one row at a time.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from skl_lstm import LSTMForecaster
        >>> X, y = [[0.1, 0.2], [0.2, 0.3], [0.3, 0.4]], [0.3, 0.4, 0.5]
        >>> forecaster = LSTMForecaster(units=2, epochs=1, random_state=0).fit(X, y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     forecaster.save(Path(folder) / "model.h5")
        ...     loaded = LSTMForecaster.load(Path(folder) / "model.h5")
        >>> bool((loaded.predict(X) == forecaster.predict(X)).all())
        True
        """
        from . import _persistence

        _persistence.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read an estimator that :meth:`save` wrote.

        Parameters
        ----------
        path : str or path-like
            The file. It may be of any origin: nothing in it is run, it makes no other file be
            read, and nothing is read before its size and type are known to be right.

        Returns
        -------
        estimator : object of this class
            Fitted: it predicts what the saved one did, and ``partial_fit``, or ``fit`` with
            ``warm_start=True``, goes on where its training ended.

        Raises
        ------
        ModelFileError
            If the file is damaged, was not written by :meth:`save`, holds an estimator of
            another class, or is of a format newer than this version of skl_lstm.
        OSError
            If the file cannot be read.

        Notes
        -----
        This imports neither TensorFlow nor Keras.
        """
        from . import _persistence

        return _persistence.load(cls, path)

    @classmethod
    def from_keras(cls, model: Any, **parameters: Any) -> Self:
        """Take over a Keras network of LSTM layers and a Dense one.

        Parameters
        ----------
        model : keras.Model, str or path-like
            A ``Sequential`` or functional model, or the path of one that plain Keras saved as
            ``.keras`` or ``.h5``: LSTM layers with Keras's defaults, stateful or not, each with
            or without a Dropout after it, and one Dense layer at the end.
        **parameters : dict
            Further parameters of the estimator, for training it further. Those that the network
            itself says (`units`, `stateful` and the like) cannot be given; `dropout` and
            `recurrent_dropout` must be where its layers differ in them.

        Returns
        -------
        estimator : object of this class
            Fitted: it predicts what the Keras model does, of windows of shape
            ``(n, n_steps * n_features)``, and trains further with Keras's optimiser as it
            stood. A classifier's labels are 0, 1, ….

        Raises
        ------
        ModelFileError
            If the file is no Keras file, or is damaged.
        ValueError
            If the network holds anything else; the message names the layer. Of a file nothing
            is built before, and nothing ever run: a Lambda layer is refused.
        OSError
            If the file cannot be read.

        Notes
        -----
        A loss, an optimizer or metrics that are not Keras's own are left out, with a warning,
        unless they are given as `parameters`. Restoring the optimiser's state imports
        TensorFlow.
        """
        from . import _from_keras

        return _from_keras.from_keras(cls, model, parameters)

    def stream(self, initial_state: str = "zeros") -> LSTMStream:
        """Predict row by row, as rows come in, with a fitted stateful network.

        Parameters
        ----------
        initial_state : {"zeros", "fit"}, default="zeros"
            Where the first row starts from: zero states, or those after the last training row.

        Returns
        -------
        stream : LSTMStream
            Its ``predict_next(x)`` gives, row by row, what :meth:`predict` gives for all of
            them. Later fits of this estimator leave it as it is.

        Raises
        ------
        ValueError
            If the network is not stateful.
        """
        check_is_fitted(self)
        if not self.network_.stateful:
            raise ValueError("stream needs a network fitted with stateful=True, got False")
        return LSTMStream(self, self._initial_states(initial_state))

    def _train(
        self,
        X: ArrayLike,
        targets: Targets,
        sample_weight: ArrayLike | None,
        *,
        resume: bool,
        **changes: Any,
    ) -> None:
        """Check, train, store; an earlier fit stays as it was until training has ended.

        `changes` stand in for parameters of the same name in this one run.
        """
        self._check_parameters()
        values = self._check_X(X)
        validate_data(BaseEstimator(), X, skip_check_array=True)
        check_consistent_length(values, targets.values)
        window_shape = self._window_shape(values)
        network = self._network(window_shape, values.ndim, targets.values.shape[1])
        if resume:
            validate_data(self, X, reset=False, skip_check_array=True)
            self._check_same_network(network)
        windows = Windows.of(values, *window_shape)
        weight = check_sample_weight(sample_weight, len(values))
        rows = Rows(windows, targets.values, weight).complete()
        seed = self.seed_ if resume else draw_seed(self.random_state)
        settings = self._settings(network, seed, **changes)
        start = self._state() if resume else TrainingState.fresh(network, seed)
        engine, state = train(self.engine, network, *self._split(rows, settings), settings, start)
        states = last_states(engine, network, state.parameters, windows)

        validate_data(self, X, skip_check_array=True)
        self._store(network, window_shape, seed, engine, state, states, targets.learnt)

    def _store(
        self,
        network: Network,
        window_shape: tuple[int, int],
        seed: int,
        engine: str,
        state: TrainingState,
        states: _inference.States,
        learnt: dict[str, Any],
    ) -> None:
        """Become fitted: `learnt` is what the class learns beside the network."""
        for name, value in learnt.items():
            setattr(self, name, value)
        self.network_ = network
        self.window_shape_ = window_shape
        self.n_outputs_ = network.n_outputs
        self.seed_ = seed
        self.engine_ = engine
        self.weights_ = network.views(state.parameters)
        self.states_ = states
        self.optimizer_state_ = state.optimizer
        self.history_ = state.history
        self.n_iter_ = state.n_epochs

    def _check_learnt(self, learnt: dict[str, Any], n_outputs: int) -> None:
        """Raise ValueError unless what the class learns beside the network fits its outputs."""
        raise NotImplementedError

    def _learnt_from_keras(self, n_outputs: int) -> dict[str, Any]:
        """Choose what a network that Keras trained does not tell."""
        raise NotImplementedError

    def _objective(self, n_outputs: int) -> tuple[Any, str]:
        """Say the loss, and the activation of the outputs that goes with it."""
        raise NotImplementedError

    def _decode(self, outputs: NDArray) -> NDArray:
        """Turn outputs (n, n_outputs) into predictions."""
        raise NotImplementedError

    def _outputs(
        self, X: ArrayLike, initial_state: str = "zeros", *, activation: str | None = None
    ) -> NDArray:
        """Compute the network's output for each row, in the precision of X.

        `activation` stands in for the network's own.
        """
        check_is_fitted(self)
        states = self._initial_states(initial_state)
        values = self._check_X(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        shape = values.shape[1:]
        if math.prod(shape) != math.prod(self.window_shape_) or (
            values.ndim == 3 and shape != self.window_shape_
        ):
            raise ValueError(
                f"X has windows of shape {shape}, but {type(self).__name__} was fitted on "
                f"windows of shape {self.window_shape_}"
            )
        network = self.network_
        lags = Windows.of(values, *self.window_shape_).view()
        arguments = (
            self.weights_,
            lags,
            network.n_steps,
            activation or network.output_activation,
        )
        if network.stateful:
            outputs, _ = _inference.predict_stateful(*arguments, states)
        else:
            outputs = _inference.predict(*arguments)
        return outputs.astype(values.dtype, copy=False)

    def _initial_states(self, initial_state: str) -> _inference.States:
        """Give the states to start from; none of them where that is zeros."""
        check_choice("initial_state", initial_state, INITIAL_STATES)
        if initial_state == "zeros":
            return []
        if not self.network_.stateful:
            raise ValueError(
                "initial_state must be 'zeros' unless the network was fitted with "
                "stateful=True, got 'fit'"
            )
        return self.states_

    def _state(self) -> TrainingState:
        return TrainingState(
            self.network_.flatten(self.weights_),
            self.optimizer_state_,
            self.n_iter_,
            self.history_,
        )

    def _settings(self, network: Network, seed: int, **changes: Any) -> Settings:
        loss, _ = self._objective(network.n_outputs)
        settings = {
            "loss": loss,
            "quantile": self.quantile,
            "optimizer": self.optimizer,
            "learning_rate": self.learning_rate,
            "optimizer_kwargs": self.optimizer_kwargs or {},
            "metrics": list(self.metrics or ()),
            "epochs": self.epochs,
            "batch_size": self.batch_size,
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
            n_steps,
            n_features,
            tuple(int(n_units) for n_units in self._units()),
            n_outputs,
            output_activation,
            float(self.dropout),
            float(self.recurrent_dropout),
            bool(self.stateful),
        )

    def _window_shape(self, values: NDArray) -> tuple[int, int]:
        """Tell lags and series of the windows in a checked X."""
        if values.ndim == 3:
            return values.shape[1], values.shape[2]
        width, per_step = values.shape[1], int(self.features_per_step)
        if width % per_step:
            raise ValueError(
                f"X has {width} columns, which is not a multiple of features_per_step={per_step}"
            )
        return width // per_step, per_step

    def _split(self, rows: Rows, settings: Settings) -> tuple[Rows, Rows]:
        """Set the last rows in time apart, to judge each epoch by."""
        if not len(rows):
            raise ValueError("X has no complete window: each of its rows lacks at least one lag")
        # As Keras rounds it.
        n_train = math.floor(len(rows) * (1.0 - settings.validation_split))
        if not n_train:
            raise ValueError(
                f"validation_split={settings.validation_split} leaves none of "
                f"{len(rows)} complete rows to train on"
            )
        learnt_from = rows[:n_train]
        if learnt_from.sample_weight is not None and not learnt_from.sample_weight.any():
            raise ValueError("sample_weight is zero for every row to train on, want at least one")
        return learnt_from, rows[n_train:]

    def _units(self) -> tuple[Any, ...]:
        return tuple(self.units) if np.iterable(self.units) else (self.units,)

    def _check_parameters(self) -> None:
        """Check what no library checks for us: this list is what is allowed."""
        if isinstance(self.units, str) or not len(self._units()):
            raise ValueError(
                f"units must be a positive integer or a sequence of them, got {self.units!r}"
            )
        for n_units in self._units():
            check_integer("units", n_units)
        check_choice("reshape_mode", self.reshape_mode, RESHAPE_MODES)
        check_integer("features_per_step", self.features_per_step)
        check_fraction("dropout", self.dropout)
        check_fraction("recurrent_dropout", self.recurrent_dropout)
        check_choice("output_activation", self.output_activation, tuple(_inference.ACTIVATIONS))
        if not (_is_number(self.quantile) and 0 < self.quantile < 1):
            raise ValueError(f"quantile must be a number in (0, 1), got {self.quantile!r}")
        for name in ("stateful", "early_stopping", "warm_start"):
            check_choice(name, getattr(self, name), (True, False))
        rate = self.learning_rate
        if rate is not None and not (_is_number(rate) and 0 < rate < math.inf):
            raise ValueError(f"learning_rate must be a positive number or None, got {rate!r}")
        if not isinstance(self.optimizer_kwargs, dict | None):
            raise ValueError(f"optimizer_kwargs must be a dict, got {self.optimizer_kwargs!r}")
        for name in ("metrics", "callbacks"):
            if not isinstance(getattr(self, name), list | tuple | None):
                raise ValueError(f"{name} must be a list, got {getattr(self, name)!r}")
        check_integer("epochs", self.epochs)
        check_integer("batch_size", self.batch_size)
        check_choice("shuffle", self.shuffle, (True, False, "auto"))
        if self.stateful and self.shuffle != "auto" and self.shuffle:
            raise ValueError(
                "shuffle must be False or 'auto' where stateful=True, which takes the rows in "
                "order of time, got True"
            )
        check_fraction("validation_split", self.validation_split)
        check_integer("patience", self.patience, minimum=0)
        check_choice("engine", self.engine, ENGINES)
        check_choice("verbose", self.verbose, (0, 1, 2, True, False))

    def _check_X(self, X: ArrayLike) -> NDArray:
        """Make X a float array of two or three dimensions; a view, as of windows, stays one.

        Whether its values are finite is asked of the memory behind the view, in ``Windows.of``.
        """
        values = np.asarray(X) if hasattr(X, "__array__") else None
        if (
            isinstance(values, np.ndarray)
            and values.ndim in (2, 3)
            and values.size
            and values.dtype in (np.float64, np.float32)
        ):
            return values
        checked = check_array(
            X,
            dtype=[np.float64, np.float32],
            ensure_all_finite="allow-nan",
            allow_nd=True,
            estimator=self,
            input_name="X",
        )
        if checked.ndim > 3:
            raise ValueError(f"X must be of 2 or 3 dimensions, got {checked.ndim}")
        if not checked.size:
            raise ValueError(f"X must hold at least one value a row, got shape {checked.shape}")
        return checked

    def _check_same_network(self, network: Network) -> None:
        # Dropout alone may change between runs.
        now, before = (
            replace(each, dropout=0.0, recurrent_dropout=0.0) for each in (network, self.network_)
        )
        if now != before:
            raise ValueError(
                "training goes on only with the network that it began with: that is "
                f"{self.network_}, but the parameters, X and y now want {network}"
            )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def require_y(estimator: BaseEstimator, y: ArrayLike) -> None:
    """Raise scikit-learn's error where y is missing."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target "
            "y is None."
        )


def check_sample_weight(
    sample_weight: ArrayLike | None, n_rows: int
) -> NDArray[np.float32] | None:
    """Give one float32 weight a row, or None where all count alike."""
    if sample_weight is None:
        return None
    weight = check_array(
        sample_weight, ensure_2d=False, dtype=np.float32, input_name="sample_weight"
    )
    if weight.shape != (n_rows,):
        raise ValueError(
            f"sample_weight must be of shape ({n_rows},), one weight a row, got {weight.shape}"
        )
    return weight
