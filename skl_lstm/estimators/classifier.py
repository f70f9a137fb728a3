"""The classifier: predict the class of each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from skl_lstm.checks import naming_the_nearest
from skl_lstm.estimators.base import ONE_EPOCH, BaseLSTM, InitialState
from skl_lstm.estimators.data import check_sample_weight, require_y
from skl_lstm.estimators.keras_habits import explaining_arguments_of_keras
from skl_lstm.estimators.parameters import Engine, ReshapeMode, Shuffle, Verbose
from skl_lstm.estimators.targets import Labels
from skl_lstm.estimators.validation import ValidationData, naming_validation_data
from skl_lstm.network.cells import CellName
from skl_lstm.network.network import (
    DenseActivation,
    HiddenActivation,
    OutputActivation,
)
from skl_lstm.network.scaling import Method


class LSTMClassifier(ClassifierMixin, BaseLSTM):
    """LSTM classifier of sequences.

    Each row of X is a sequence, oldest value first, such as the windows of
    :class:`LookbackWindower`. Two classes are learned with one sigmoid output and binary
    cross-entropy, more classes with one softmax output per class and categorical cross-entropy.

    Parameters
    ----------
    units : int or sequence of int, default=32
        Number of units of the LSTM layer, or of each layer if several are stacked, first layer
        first.
    cell : {"lstm", "gru"}, default="lstm"
        Kind of the recurrent layers: LSTM, or GRU (Cho et al., 2014), which has fewer weights.
        What is said of LSTM layers here holds for GRU layers too.
    hidden_activation : {"tanh", "relu", "leaky_relu", "elu", "selu", "silu", "softplus", \
            "softsign", "sigmoid", "linear"}, default="tanh"
        Activation of the LSTM layers, except that of their gates, which is the sigmoid:
        `activation` in Keras. The notes of :class:`LSTMForecaster` say why it is ``"tanh"``.
    bidirectional : bool, default=False
        Whether each LSTM layer is a pair, of which the second one reads the window backwards, as
        in ``keras.layers.Bidirectional``; the outputs of both are side by side.
    all_steps : bool, default=False
        Whether the first Dense layer takes the outputs of the last LSTM layer at all time steps,
        side by side, rather than at the last one.
    dense_units : int or sequence of int, default=()
        Number of units of the Dense layer between the last LSTM layer and the output, or of each
        if there are several, first layer first; none by default.
    dense_activation : {"linear", "relu", "sigmoid", "tanh"}, default="relu"
        Activation of these Dense layers.
    reshape_mode : {"timesteps", "features"}, default="timesteps"
        How the network receives a row: as time steps of `features_per_step` features, or as one
        time step with all the values as features.
    features_per_step : int or "auto", default="auto"
        Number of features per time step: the number of columns of a multivariate series.
        ``"auto"`` takes it from :class:`LookbackWindower`, whose output tells it, and is 1 for
        any other X.
    window_scaling : {None, "last", "mean", "standard"}, default=None
        How to normalize each sequence by itself, so that only its shape matters; see
        :class:`LSTMForecaster`.
    target : str, int or sequence of them, default=None
        The columns to normalize, if a step has several and `window_scaling` is set: positions in
        a step, or names.
    stateful : bool, default=False
        Whether each row starts from the state in which the previous row ended; see
        :class:`LSTMForecaster`.
    dropout : float, default=0.0
        Dropout rate after each LSTM layer, in [0, 1).
    recurrent_dropout : float, default=0.0
        Dropout rate of the hidden state between time steps, in [0, 1).
    l2 : float, default=0.0
        Factor of the sum of the squared kernels of all layers in the loss: `kernel_regularizer`
        in Keras.
    loss : str or Keras loss, default="auto"
        The loss function to minimize; ``"auto"`` is the cross-entropy for the number of classes.
        Any other loss receives more than two classes one-hot encoded.
    optimizer : str or Keras optimizer, default="adam"
        The optimizer: the name of a Keras optimizer, a class, or an instance, which is used as a
        template and is itself left unchanged.
    learning_rate : float, default=None
        Learning rate of the optimizer; its default if None.
    optimizer_kwargs : dict, default=None
        Further arguments of the optimizer, such as ``{"momentum": 0.9}``.
    metrics : list of str or Keras metrics, default=None
        Metrics to record in `history_` in addition to the loss, such as ``["accuracy"]``.
    epochs : int, default=100
        Number of passes over the training rows.
    batch_size : int, default=32
        Number of rows per weight update; one batch of all rows if there are fewer. The number of
        parallel streams if `stateful`.
    windows_per_epoch : int, default=None
        Number of rows that an epoch trains on, drawn anew for each epoch, spread over all rows;
        all of them if None. This bounds the time of an epoch over many series.
    shuffle : bool or "auto", default="auto"
        Whether to shuffle the rows before each epoch; ``"auto"`` shuffles unless `stateful`.
    validation_split : float or int, default=0.0
        Rows on which to evaluate each epoch, always the last ones in time, so that what is
        trained on lies before them: a fraction of the rows, in [0, 1), or an integer for a
        number of rows, the same one in every fold of a search. Only complete rows count.
    early_stopping : bool, default=False
        Whether to stop when the loss has not decreased for `patience` epochs: the validation
        loss if there are validation rows. The weights of the best epoch are kept.
    patience : int, default=10
        Number of epochs to wait for a smaller loss.
    callbacks : list of Keras callbacks, default=None
        Callbacks of the training. They are copied before each fit, so that searches can clone
        and pickle them.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes: ``{label: weight}`` (1 for a class that is not named), or
        ``"balanced"`` for weights inversely proportional to the class frequencies. They are
        multiplied by `sample_weight`.
    warm_start : bool, default=False
        Whether :meth:`fit` continues from where the previous fit ended, optimizer state
        included.
    engine : {"auto", "native", "keras"}, default="auto"
        Engine that trains the network; ``"auto"`` selects the native one if it covers all the
        parameters, and Keras otherwise.
        Only Keras trains networks with `cell`, `hidden_activation`, `bidirectional`,
        `all_steps`, `dense_units` or `l2` other than by default.
    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the order of the rows and dropout. None draws a new seed
        in each fit; NumPy's global generator is neither read nor changed.
    verbose : {0, 1, 2}, default=0
        0 prints nothing, 1 a progress bar, 2 one line per epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    weights_ : list of ndarray of float32
        Kernel, recurrent kernel and bias of each LSTM layer, then kernel and bias of each Dense
        layer, in the shapes and the gate order (input, forget, cell, output) of Keras.
    history_ : dict of str to list of float
        Loss and metrics of each epoch; the names of those of the validation rows start with
        ``val_``.
    n_iter_ : int
        Number of epochs run, including those of earlier fits that training continued from.
    states_ : list of ndarray of float32 of shape (units,)
        Hidden and cell state of each layer after the last training row, first layer first; only
        the hidden state of a GRU layer. Empty unless `stateful`.
    optimizer_state_ : dict of str to ndarray
        The optimizer's ``iteration`` and slots, from which training continues.
    engine_ : {"native", "keras"}
        Engine that trained the network.
    network_ : Network
        Sizes of the network.
    window_scaling_ : WindowScaling or None
        How each sequence is normalized; None without `window_scaling`.
    window_shape_ : tuple of int
        Number of time steps and of features in a row.
    n_outputs_ : int
        Number of outputs: 1 for two classes, otherwise one per class.
    seed_ : int
        Seed drawn from `random_state`.
    n_features_in_ : int
        Number of columns of X, or of time steps if X has three dimensions.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if X has column names that are strings.

    See Also
    --------
    LSTMForecaster : The regressor.

    Notes
    -----
    The treatment of missing values, the network and the saved file are the same as for
    :class:`LSTMForecaster`.

    Examples
    --------
    Classify sequences that rise or fall:

    >>> import numpy as np
    >>> from skl_lstm import LSTMClassifier
    >>> slope = np.array([[-1.0], [-0.5], [0.5], [1.0]])
    >>> X = slope * np.arange(5)
    >>> y = ["falls", "falls", "rises", "rises"]
    >>> classifier = LSTMClassifier(units=4, learning_rate=0.1, epochs=30, random_state=0)
    >>> classifier.fit(X, y).predict([[0.0, 0.7, 1.4, 2.1, 2.8]])
    array(['rises'], dtype='<U5')
    """

    _targets_class = Labels
    _own_losses = (*BaseLSTM._own_losses, "auto")

    classes_: NDArray

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
        stateful: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        l2: float = 0.0,
        loss: Any = "auto",
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
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        warm_start: bool = False,
        engine: Engine = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: Verbose = 0,
    ) -> None:
        super().__init__(
            units=units,
            cell=cell,
            hidden_activation=hidden_activation,
            bidirectional=bidirectional,
            all_steps=all_steps,
            dense_units=dense_units,
            dense_activation=dense_activation,
            reshape_mode=reshape_mode,
            features_per_step=features_per_step,
            window_scaling=window_scaling,
            target=target,
            stateful=stateful,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            l2=l2,
            loss=loss,
            optimizer=optimizer,
            learning_rate=learning_rate,
            optimizer_kwargs=optimizer_kwargs,
            metrics=metrics,
            epochs=epochs,
            batch_size=batch_size,
            windows_per_epoch=windows_per_epoch,
            shuffle=shuffle,
            validation_split=validation_split,
            early_stopping=early_stopping,
            patience=patience,
            callbacks=callbacks,
            warm_start=warm_start,
            engine=engine,
            random_state=random_state,
            verbose=verbose,
        )
        self.class_weight = class_weight

    @explaining_arguments_of_keras
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        validation_data: Any = None,
    ) -> LSTMClassifier:
        """Train on sequences and their labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_steps * features_per_step) or \
                (n_samples, n_steps, n_features)
            Sequences, oldest value first. Three-dimensional ones are used as they are,
            regardless of `reshape_mode`.
        y : array-like of shape (n_samples,)
            Label of each sequence: numbers, strings, or anything that can be sorted.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.
        validation_data : tuple of array-like, default=None
            Rows on which to evaluate each epoch, as in :meth:`LSTMForecaster.fit`. They are
            weighted by the `class_weight` of the training rows.

        Returns
        -------
        self : LSTMClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is invalid, X is not numeric and finite (except for NaN), or y holds
            only one class or, if training continues, a label not seen before; or if
            `validation_data` is given with `validation_split`, or is not what X and y are. An
            earlier fit is then left unchanged.
        """
        resume = self.warm_start and hasattr(self, "weights_")
        require_y(self, y)
        targets, values = Labels.encode(y, self.classes_ if resume else None)
        weight = self._weight(y, sample_weight)
        to_validate_on = ValidationData.of(validation_data)
        if to_validate_on is not None:
            with naming_validation_data():
                theirs = self._weight(to_validate_on.y, to_validate_on.sample_weight, of=y)
            to_validate_on = to_validate_on._replace(sample_weight=theirs)
        self._train(
            X,
            values,
            targets,
            weight,
            resume=resume,
            given=y,
            validation_data=to_validate_on,
        )
        return self

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> LSTMClassifier:
        """Train for one more epoch, on the given rows, from the current state.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_steps * features_per_step) or \
                (n_samples, n_steps, n_features)
            Sequences of the same shape as in the first call.
        y : array-like of shape (n_samples,)
            Label of each sequence.
        classes : array-like of shape (n_classes,), default=None
            All labels that can occur in any call, for the first call; the labels in its `y` if
            None.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.

        Returns
        -------
        self : LSTMClassifier
            The estimator itself, trained further. `windows_per_epoch`,
            `validation_split` and `early_stopping` are ignored here.
        """
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight must be a dict or None in partial_fit, which sees the rows of only "
                f"one call, got {self.class_weight!r}"
            )
        resume = hasattr(self, "weights_")
        named = None if classes is None else np.unique(classes)
        if resume and named is not None and not np.array_equal(named, self.classes_):
            raise ValueError(
                f"classes must be those of the first call, {self.classes_}, got {named}"
            )
        require_y(self, y)
        targets, values = Labels.encode(y, self.classes_ if resume else named)
        weight = self._weight(y, sample_weight)
        self._train(X, values, targets, weight, resume=resume, given=y, **ONE_EPOCH)
        return self

    def predict(self, X: ArrayLike, *, initial_state: InitialState = "zeros") -> NDArray:
        """Predict the class of each row: the one with the highest probability.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_steps * features_per_step) or \
                (n_samples, n_steps, n_features)
            Sequences, as in :meth:`fit`.
        initial_state : {"zeros", "fit"}, default="zeros"
            State of a stateful network before the first row: zeros, or the state after the last
            training row.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Label of each row.

        Raises
        ------
        ValueError
            If no value of a row is known: :meth:`predict_proba` returns NaN then, but no label
            can express that.

        Notes
        -----
        As in :meth:`LSTMForecaster.predict`, the probabilities of a row have the same bits in
        any company where the compiled kernel predicts, and elsewhere to within a millionth.
        """
        return self._decode(self._outputs(X, initial_state))

    def predict_proba(self, X: ArrayLike, *, initial_state: InitialState = "zeros") -> NDArray:
        """Compute the probability of each class.

        Parameters
        ----------
        X, initial_state
            As in :meth:`predict`.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`; float32 if X is float32, otherwise float64.
        """
        outputs = self._outputs(X, initial_state)
        if outputs.shape[1] == 1:
            return np.hstack([1.0 - outputs, outputs])
        # Outputs in float32 do not sum to one as exactly as log_loss requires of float64.
        return outputs / outputs.sum(axis=1, keepdims=True)

    def decision_function(self, X: ArrayLike, *, initial_state: InitialState = "zeros") -> NDArray:
        """Compute the scores from which sigmoid or softmax makes the probabilities.

        Parameters
        ----------
        X, initial_state
            As in :meth:`predict`.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes the log odds of the second, otherwise one score per class.
        """
        scores = self._outputs(X, initial_state, activation="linear")
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # Classes that differ by level alone look the same once each sequence is normalized.
        tags.classifier_tags.poor_score = self.window_scaling is not None
        return tags

    def _weight(
        self, y: ArrayLike, sample_weight: ArrayLike | None, of: ArrayLike | None = None
    ) -> ArrayLike | None:
        """Return the weights of rows, those of the classes being balanced among `of`, or y."""
        if self.class_weight is None:
            return sample_weight
        weights = self.class_weight
        if of is not None and isinstance(weights, str):
            classes, numbers = np.unique(of, return_inverse=True)
            balanced = compute_class_weight(weights, classes=np.arange(len(classes)), y=numbers)
            weights = dict(zip(classes, balanced, strict=True))
        by_class = compute_sample_weight(weights, y)
        given = check_sample_weight(sample_weight, len(by_class))
        return by_class if given is None else by_class * given

    def _objective(self, n_outputs: int) -> tuple[Any, OutputActivation]:
        cross_entropy = "binary_crossentropy" if n_outputs == 1 else "categorical_crossentropy"
        activation: OutputActivation = "sigmoid" if n_outputs == 1 else "softmax"
        if not isinstance(self.loss, str):
            return self.loss, activation
        if "categorical_crossentropy" in self.loss and self.loss != cross_entropy:
            raise ValueError(
                f"loss must be 'auto' or {cross_entropy!r} to learn {max(n_outputs, 2)} classes "
                f"by cross-entropy, got {self.loss!r}"
            )
        return cross_entropy if self.loss == "auto" else self.loss, activation
