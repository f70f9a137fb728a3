"""Base class of the LSTM estimators: training, fitted attributes and outputs."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Tags, check_consistent_length
from sklearn.utils.validation import check_is_fitted

from skl_lstm.checks import (
    check_choice,
    check_column_names,
    check_fitted,
    compare_columns,
    keep_columns,
)
from skl_lstm.engines.choice import last_states, stack_type, train
from skl_lstm.estimators.data import (
    check_sample_weight,
    check_some,
    check_weighted,
    check_X,
    in_steps,
    lags_of,
    split_off_last,
    to_train_on,
    window_shape,
    windows_of,
)
from skl_lstm.estimators.interchange import Interchange
from skl_lstm.estimators.keras_habits import explain_missing
from skl_lstm.estimators.normalization import normalized, target_columns
from skl_lstm.estimators.stream import LSTMStream
from skl_lstm.estimators.suspicions import (
    warn_of_large_values,
    warn_of_rows_left_out,
    warn_of_small_series,
    warn_of_unknown_ends,
    warn_of_unlikely_input,
    warn_unless_ahead,
)
from skl_lstm.estimators.targets import Targets
from skl_lstm.estimators.validation import (
    ValidationData,
    check_same_form,
    check_same_targets,
    naming_validation_data,
    warn_of_other_scale,
)
from skl_lstm.network.forward import States, predict_stateful
from skl_lstm.network.forward import predict as predict_stateless
from skl_lstm.network.network import Network, OutputActivation
from skl_lstm.network.scaling import WindowScaling
from skl_lstm.network.windows import LagsBehind, cast_finite
from skl_lstm.training.rows import Rows
from skl_lstm.training.settings import draw_seed
from skl_lstm.training.state import Trained, TrainingState
from skl_lstm.windowing.alignment import names_of_targets
from skl_lstm.windowing.grouped_windows import GroupedWindows
from skl_lstm.windowing.groups import times_told

InitialState = Literal["zeros", "fit"]
INITIAL_STATES = get_args(InitialState)

# Settings of the one epoch of partial_fit, regardless of the parameters.
ONE_EPOCH: dict[str, Any] = {
    "epochs": 1,
    "windows_per_epoch": None,
    "validation_split": 0.0,
    "early_stopping": False,
}


class BaseLSTM(Interchange):
    """Base class of LSTM estimators with scikit-learn's ``fit`` and ``predict``.

    A subclass defines how y is encoded (``_targets_class``) and with which loss and output
    activation it is learned (``_objective``). The parameters are documented in the subclasses.
    """

    def stream(self, initial_state: InitialState = "zeros") -> LSTMStream:
        """Return a stream that predicts row by row with the fitted stateful network.

        Parameters
        ----------
        initial_state : {"zeros", "fit"}, default="zeros"
            State before the first row: zeros, or the state after the last training row.

        Returns
        -------
        stream : LSTMStream
            Its ``predict_next(x)`` returns, row by row, what :meth:`predict` returns for all
            rows. Later fits of this estimator do not change it.

        Raises
        ------
        ValueError
            If the network is not stateful.
        """
        check_is_fitted(self)
        if not self.network_.stateful:
            raise ValueError("stream needs a network fitted with stateful=True, got False")
        # Of a copy, because a later fit may change how y is encoded.
        return LSTMStream(
            self.weights_,
            self.network_,
            self.window_shape_,
            copy.copy(self)._decode,
            self._initial_states(initial_state),
        )

    def _train(
        self,
        X: ArrayLike,
        y: NDArray,
        targets: Targets,
        sample_weight: ArrayLike | None,
        *,
        resume: bool,
        given: Any,
        validation_data: ValidationData | None = None,
        **changes: Any,
    ) -> None:
        """Check the inputs, train, and set the fitted attributes.

        An earlier fit is left unchanged until training has ended. `y` holds the encoded targets,
        and `targets` describes the encoding. `given` is y as the user gave it, which
        may tell names and times; so is that of `validation_data`. `changes` replace parameters
        of the same name in this run.
        """
        self._check_parameters()
        self._check_names()
        as_steps = self._reads_steps()
        values = to_train_on(self._check_X(X))
        values = in_steps(X, values) if as_steps else values
        check_column_names(X)
        if len(values) != len(y):
            check_consistent_length(values, y)
        shape = window_shape(X, values, self.features_per_step, as_steps)
        network = self._network(shape, values.ndim, y.shape[1] * targets.n_for_each)
        if resume:
            compare_columns(self, X)
            self._check_same_network(network, targets)
        self._check_one_series(network, X, given)
        rows = self._rows(values, shape, y, sample_weight)
        windows, complete = rows.windows, rows.complete()
        warn_of_rows_left_out(X, complete, len(rows))
        held_out = changes.get("validation_split", self.validation_split)
        if validation_data is not None and held_out:
            raise ValueError(
                f"validation_data must be None with validation_split={held_out}, which holds out "
                "rows of X, got both"
            )
        times = times_told(X, given) if held_out else None
        times = None if times is None else times[complete]
        rows = rows[complete]
        first, last = split_off_last(rows, times, held_out)
        told = names_of_targets(given) if targets.in_units_of_X else None
        scaling = self._scaling(X, rows[first], targets, told, resume=resume)
        if scaling is not None:
            scaling.check(shape[1], network)
            scaling.check_targets(y.shape[1])
        apart = None
        if validation_data is not None:
            with naming_validation_data():
                self._check_one_series(network, validation_data.X, validation_data.y)
                y_val = targets.encoded(validation_data.y)
                check_same_targets(y, y_val, given, validation_data.y)
                apart = self._to_validate_on(
                    validation_data, y_val, X, values, shape, ahead=targets.in_units_of_X
                )
            warn_of_other_scale(rows[first], apart)
        as_given = rows.windows[first]
        if scaling is not None:
            # In place of the rows, because targets of many steps are the most of a panel's memory.
            rows = normalized(scaling, rows)
            apart = None if apart is None else normalized(scaling, apart)
        training, validation = rows[first], rows[last] if apart is None else apart
        if not resume:
            columns = () if scaling is None else scaling.columns
            warn_of_large_values(X, as_given, columns, training.targets)
        if targets.in_units_of_X and not resume:
            warn_of_unlikely_input(self, X, values, shape, y, training.targets)
            if isinstance(X, GroupedWindows):
                series = X.series[complete][first]
                warn_of_small_series(self.window_scaling, series, training.targets)
        seed = self.seed_ if resume else draw_seed(self.random_state)
        settings = self._settings(network, seed, **changes)
        start = self._state() if resume else TrainingState.fresh(network, seed)
        if self.mirror:
            training = training.mirrored()
        engine, state = train(self.engine, network, training, validation, settings, start)
        states = last_states(network, state.parameters, windows)

        keep_columns(self, X)
        self._store(Trained(network, shape, seed, engine, state, states, scaling), targets)

    def _rows(
        self, values: Any, shape: tuple[int, int], y: NDArray, sample_weight: ArrayLike | None
    ) -> Rows:
        """Return checked windows with their encoded targets and their weights."""
        scaled = self.window_scaling is not None
        windows = windows_of(values, shape, values.dtype if scaled else np.float32)
        weight = check_sample_weight(sample_weight, len(values))
        return Rows(windows, y if scaled else cast_finite(y, np.float32, "y"), weight)

    def _to_validate_on(
        self,
        data: ValidationData,
        y_val: NDArray,
        X: ArrayLike,
        values: Any,
        shape: tuple[int, int],
        *,
        ahead: bool,
    ) -> Rows:
        """Check rows against the windows to train on, and return the complete ones.

        `y_val` holds their encoded targets, which continue the windows if `ahead`, and `values`
        the checked windows to train on.
        """
        theirs = to_train_on(self._check_X(data.X))
        check_same_form(X, values, data.X, theirs)
        of_fit = copy.copy(self)
        keep_columns(of_fit, X)
        compare_columns(of_fit, data.X)
        theirs = in_steps(data.X, theirs) if self._reads_steps() else theirs
        check_consistent_length(theirs, y_val)
        if ahead:
            warn_unless_ahead(data.X, theirs, shape, y_val, "in validation_data, ")
        rows = self._rows(theirs, shape, y_val, data.sample_weight)
        rows = rows[rows.complete()]
        check_some(rows)
        check_weighted(rows, "row to validate on")
        return rows

    def _scaling(
        self,
        X: ArrayLike,
        rows: Rows,
        targets: Targets,
        told: list[str] | None,
        *,
        resume: bool,
    ) -> WindowScaling | None:
        """Return how to normalize windows: learned from training rows, or as before."""
        method, windows = self.window_scaling, rows.windows
        n_series = windows.n_features
        columns = () if method is None else target_columns(self.target, X, n_series, told)
        if self.mirror and len(columns) < n_series:
            raise ValueError(
                "mirror must be False if a step has other columns than the target, which cannot "
                "be turned upside down, got True"
            )
        if resume:
            before = self.window_scaling_
            then = (None, ()) if before is None else (before.method, before.columns)
            if (method, columns) != then:
                raise ValueError(
                    "training must continue with the same window_scaling and target columns, "
                    f"{then}, but the parameters now require {(method, columns)}"
                )
            return before
        if method is None:
            return None
        chosen = windows.numbers
        if rows.sample_weight is not None:
            chosen = chosen[rows.sample_weight != 0.0]
        return WindowScaling.learn(
            method, columns, windows.view(), chosen, restores=targets.in_units_of_X
        )

    def _decode(self, outputs: NDArray) -> NDArray:
        """Turn outputs of shape (n, n_outputs) into predictions."""
        return self._targets().decode(outputs)

    def _outputs(
        self,
        X: ArrayLike,
        initial_state: InitialState = "zeros",
        *,
        activation: OutputActivation | None = None,
    ) -> NDArray:
        """Compute the network's output for each row, in the precision of X.

        `activation` replaces the network's own output activation, if given.
        """
        check_fitted(self, "weights_")
        states = self._initial_states(initial_state)
        values, lags, rows = self._lags(X)
        network, scaling = self.network_, self.window_scaling_
        if activation is not None:
            network = replace(network, output_activation=activation)
        stack = stack_type(network)
        if network.stateful:
            outputs, _ = predict_stateful(network, self.weights_, lags, states, stack)
        else:
            outputs = predict_stateless(network, self.weights_, lags, scaling, rows, stack)
        return outputs.astype(values.dtype, copy=False)

    def _lags(self, X: ArrayLike) -> tuple[Any, NDArray | LagsBehind, NDArray[np.int64] | None]:
        """Check windows to predict; return them as given, and what :func:`lags_of` returns."""
        values = self._check_X(X)
        values = in_steps(X, values) if self._reads_steps() else values
        compare_columns(self, X)
        shape = values.shape[1:]
        if math.prod(shape) != math.prod(self.window_shape_) or (
            values.ndim == 3 and shape != self.window_shape_
        ):
            raise ValueError(
                f"X has windows of shape {shape}, but {type(self).__name__} was fitted on "
                f"windows of shape {self.window_shape_}"
            )
        warn_of_unknown_ends(values, self.window_shape_[1])
        self._check_one_series(self.network_, X)
        dtype = np.float32 if self.window_scaling_ is None else values.dtype
        return values, *lags_of(values, self.window_shape_, dtype)

    def _initial_states(self, initial_state: InitialState) -> States:
        """Return the states to start from; an empty list means zeros."""
        check_choice("initial_state", initial_state, INITIAL_STATES)
        if initial_state == "zeros":
            return []
        if not self.network_.stateful:
            raise ValueError(
                "initial_state must be 'zeros' unless the network was fitted with "
                "stateful=True, got 'fit'"
            )
        return self.states_

    def _rows_seen(self) -> int | None:
        """Return the number of last rows that a prediction depends on; None for all of them."""
        network: Any = getattr(self, "network_", self)
        return None if network.stateful else 1

    def _reads_steps(self) -> bool:
        """Return whether it matters which value of a window belongs to which time step."""
        return self.reshape_mode == "timesteps" or self.window_scaling is not None

    def _check_X(self, X: ArrayLike) -> NDArray:
        return check_X(X, self)

    def _check_one_series(self, network: Network, *tables: Any) -> None:
        if network.stateful and times_told(*tables) is not None:
            raise ValueError(
                "stateful must be False for windows of several series, because a state would go "
                "on from one series to another, got True"
            )

    def _check_same_network(self, network: Network, targets: Targets) -> None:
        # Only what predictions do not depend on may change between runs.
        now, before = (
            replace(each, dropout=0.0, recurrent_dropout=0.0, l2=0.0)
            for each in (network, self.network_)
        )
        if now != before:
            raise ValueError(
                f"training must continue with the same network, {self.network_}, but the "
                f"parameters, X and y now require {network}"
            )
        n_now, n_before = targets.n_for_each, self._targets().n_for_each
        if n_now != n_before:
            raise ValueError(
                f"training must continue with as many quantiles, {n_before}, but the parameters "
                f"now require {n_now}"
            )

    if not TYPE_CHECKING:  # to which an attribute that does not exist would then be of any type

        def __getattr__(self, name: str) -> Any:
            explain_missing(self, name)
            return super().__getattribute__(name)  # which raises the error that led here

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags
