"""The classifier: windows in, the class that each belongs to out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from ._base import ONE_EPOCH, BaseLSTM, Targets, check_sample_weight, require_y


class LSTMClassifier(ClassifierMixin, BaseLSTM):
    """Classify sequences with an LSTM network.

    A row is a sequence, as a :class:`LookbackWindower` makes them or any other, oldest value
    first. Two classes are told apart by one sigmoid output and binary cross-entropy, several by
    a softmax output each and categorical cross-entropy.

    Parameters
    ----------
    units : int or sequence of int, default=32
        Units of the LSTM layer, or of each layer where they are stacked, first layer first.
    reshape_mode : {"timesteps", "features"}, default="timesteps"
        How the network takes a row: as time steps of `features_per_step` features, or as one
        time step with all the values as features.
    features_per_step : int, default=1
        Number of values of a time step.
    stateful : bool, default=False
        Whether each row goes on from the state in which the one before it ended; see
        :class:`LSTMForecaster`.
    dropout : float, default=0.0
        Rate of a dropout after each LSTM layer, in [0, 1).
    recurrent_dropout : float, default=0.0
        Rate of a dropout of the hidden state from step to step, in [0, 1).
    loss : str or Keras loss, default="auto"
        What training makes small; ``"auto"``: the cross-entropy of as many classes as there
        are. Several classes reach any other loss as a column each, one where a row belongs.
    optimizer : str or Keras optimizer, default="adam"
        What makes it small: a name that Keras knows, a class, or an instance, which
        serves as a template and is never trained itself.
    learning_rate : float, default=None
        Learning rate; the optimiser's own where None.
    optimizer_kwargs : dict, default=None
        Further parameters of the optimiser, such as ``{"momentum": 0.9}``.
    metrics : list of str or Keras metrics, default=None
        What `history_` shows beside the loss, such as ``["accuracy"]``.
    epochs : int, default=100
        Passes over the training rows.
    batch_size : int, default=32
        Rows an update of the weights; one batch where there are fewer. The number of parallel
        streams where `stateful`.
    shuffle : bool or "auto", default="auto"
        Whether each epoch takes the rows in another order; ``"auto"``: unless `stateful`.
    validation_split : float, default=0.0
        Share of the rows, in [0, 1), by which each epoch is judged; always the last.
    early_stopping : bool, default=False
        Whether to stop once the loss has not fallen for `patience` epochs, that of the
        validation rows where there are some. The best epoch's weights are kept.
    patience : int, default=10
        Epochs to wait for a smaller loss.
    callbacks : list of Keras callbacks, default=None
        Copied before each fit, so that searches can clone and pickle them.
    class_weight : dict, "balanced" or None, default=None
        How much the rows of each class count: ``{label: weight}`` (1 where a class is not
        named), or as much less as there are more of them. Multiplies `sample_weight`.
    warm_start : bool, default=False
        Whether :meth:`fit` goes on from where the fit before ended, optimiser state included.
    engine : {"auto", "native", "keras"}, default="auto"
        What does the arithmetic of training; ``"auto"`` is the native one wherever it covers
        everything asked for.
    random_state : int, RandomState instance or None, default=None
        Draws the first weights, the order of the rows and dropout. None is another draw each
        time; NumPy's global generator is neither read nor moved.
    verbose : {0, 1, 2}, default=0
        Nothing, a progress bar, or a line an epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    weights_ : list of ndarray of float32
        Kernel, recurrent kernel and bias of each LSTM layer, then kernel and bias of the Dense
        layer, in the shapes and the gate order (input, forget, cell, output) of Keras.
    history_ : dict of str to list of float
        Loss and metrics of each epoch, those of the validation rows with ``val_`` before.
    n_iter_ : int
        Epochs run, over all fits where training went on.
    states_ : list of ndarray of float32 of shape (units,)
        Hidden and cell state of each layer after the last training row, first layer first;
        none unless `stateful`.
    optimizer_state_ : dict of str to ndarray
        The optimiser's ``iteration`` and slots, by which training goes on.
    engine_ : {"native", "keras"}
        What did the arithmetic.
    network_ : Network
        The sizes of the network.
    window_shape_ : tuple of int
        Time steps and features of a row.
    n_outputs_ : int
        Number of outputs: 1 for two classes, else one a class.
    seed_ : int
        The seed drawn from `random_state`.
    n_features_in_ : int
        Number of columns of X; of time steps, where X has three dimensions.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X had string names.

    See Also
    --------
    LSTMForecaster : The regressor.

    Notes
    -----
    Missing values, the network and its file are those of :class:`LSTMForecaster`.

    Examples
    --------
    Does a sequence rise or fall?

    >>> import numpy as np
    >>> from skl_lstm import LSTMClassifier
    >>> slope = np.array([[-1.0], [-0.5], [0.5], [1.0]])
    >>> X = slope * np.arange(5)
    >>> y = ["falls", "falls", "rises", "rises"]
    >>> classifier = LSTMClassifier(units=4, learning_rate=0.1, epochs=30, random_state=0)
    >>> classifier.fit(X, y).predict([[0.0, 0.7, 1.4, 2.1, 2.8]])
    array(['rises'], dtype='<U5')
    """

    _learnt = ("classes_",)

    classes_: NDArray

    def __init__(
        self,
        *,
        units: int | Sequence[int] = 32,
        reshape_mode: str = "timesteps",
        features_per_step: int = 1,
        stateful: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        loss: Any = "auto",
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
        class_weight: dict[Any, float] | str | None = None,
        warm_start: bool = False,
        engine: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            units=units,
            reshape_mode=reshape_mode,
            features_per_step=features_per_step,
            stateful=stateful,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            loss=loss,
            optimizer=optimizer,
            learning_rate=learning_rate,
            optimizer_kwargs=optimizer_kwargs,
            metrics=metrics,
            epochs=epochs,
            batch_size=batch_size,
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

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> LSTMClassifier:
        """Train on sequences and their labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_steps * features_per_step) or \
                (n_samples, n_steps, n_features)
            Sequences, oldest value first. Three-dimensional ones are taken as they are,
            whatever `reshape_mode`.
        y : array-like of shape (n_samples,)
            A label for each: numbers, strings, anything that can be sorted.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts in the loss.

        Returns
        -------
        self : LSTMClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is not allowed, X is not numeric and finite (NaN excepted), y holds
            one class only or, where training goes on, a label not seen before. An earlier fit
            then stays as it was.
        """
        resume = self.warm_start and hasattr(self, "weights_")
        targets = self._targets(y, self.classes_ if resume else None)
        self._train(X, targets, self._weight(y, sample_weight), resume=resume)
        return self

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> LSTMClassifier:
        """Train one more epoch, on these rows, from where training stands.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_steps * features_per_step) or \
                (n_samples, n_steps, n_features)
            Sequences, of the shape that those of the first call had.
        y : array-like of shape (n_samples,)
            A label for each.
        classes : array-like of shape (n_classes,), default=None
            All labels that any call will bring, for the first call; those of its `y` where None.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts in the loss.

        Returns
        -------
        self : LSTMClassifier
            The estimator, trained further. `validation_split` and `early_stopping` play no
            part here.
        """
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight must be a dict or None in partial_fit, which knows the rows of one "
                f"call only, got {self.class_weight!r}"
            )
        resume = hasattr(self, "weights_")
        named = None if classes is None else np.unique(classes)
        if resume and named is not None and not np.array_equal(named, self.classes_):
            raise ValueError(
                f"classes must be those of the first call, {self.classes_}, got {named}"
            )
        targets = self._targets(y, self.classes_ if resume else named)
        self._train(X, targets, self._weight(y, sample_weight), resume=resume, **ONE_EPOCH)
        return self

    def predict(self, X: ArrayLike, *, initial_state: str = "zeros") -> NDArray:
        """Tell the class of each row, the one of the greatest probability.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_steps * features_per_step) or \
                (n_samples, n_steps, n_features)
            Sequences, as in :meth:`fit`.
        initial_state : {"zeros", "fit"}, default="zeros"
            What the first row of a stateful network starts from: zero states, or those after
            the last training row.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            A label for each.

        Raises
        ------
        ValueError
            If nothing is known of a row: :meth:`predict_proba` answers NaN there, but no label
            says so.
        """
        return self._decode(self._outputs(X, initial_state))

    def predict_proba(self, X: ArrayLike, *, initial_state: str = "zeros") -> NDArray:
        """Compute the probability of each class.

        Parameters
        ----------
        X, initial_state
            As in :meth:`predict`.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; of float32 where X is, else of float64.
        """
        outputs = self._outputs(X, initial_state)
        if outputs.shape[1] == 1:
            return np.hstack([1.0 - outputs, outputs])
        # The network's float32 does not sum to one as exactly as float64 must for log_loss.
        return outputs / outputs.sum(axis=1, keepdims=True)

    def decision_function(self, X: ArrayLike, *, initial_state: str = "zeros") -> NDArray:
        """Compute what the probabilities are made of, before sigmoid or softmax.

        Parameters
        ----------
        X, initial_state
            As in :meth:`predict`.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes the log odds of the second, else a score for each class.
        """
        scores = self._outputs(X, initial_state, activation="linear")
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def _targets(self, y: ArrayLike, classes: NDArray | None) -> Targets:
        require_y(self, y)
        labels = column_or_1d(y, warn=True)
        if not len(labels):
            raise ValueError("y holds no label, want one a row of X")
        try:
            check_classification_targets(labels)
            seen, codes = np.unique(labels, return_inverse=True)
        except TypeError as error:
            raise TypeError(f"y must hold labels that can be sorted: {error}") from error
        if classes is None:
            classes = seen
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least two classes in y, got one class: "
                f"{classes[0]}"
            )
        unknown = np.setdiff1d(seen, classes)
        if len(unknown):
            raise ValueError(
                f"y holds the labels {unknown}, which are not among the classes of the first "
                f"call, {classes}"
            )
        codes = np.searchsorted(classes, seen)[codes]
        if len(classes) == 2:
            values = codes[:, np.newaxis].astype(np.float32)
        else:
            values = np.eye(len(classes), dtype=np.float32)[codes]
        return Targets(values, {"classes_": classes})

    def _weight(self, y: ArrayLike, sample_weight: ArrayLike | None) -> ArrayLike | None:
        if self.class_weight is None:
            return sample_weight
        by_class = compute_sample_weight(self.class_weight, y)
        given = check_sample_weight(sample_weight, len(by_class))
        return by_class if given is None else by_class * given

    def _check_learnt(self, learnt: dict[str, Any], n_outputs: int) -> None:
        classes = np.asarray(learnt["classes_"])
        if classes.shape != (max(n_outputs, 2),) or (np.unique(classes) != classes).any():
            raise ValueError(
                f"a network of {n_outputs} outputs tells {max(n_outputs, 2)} classes apart, want "
                f"as many in order, got {classes}"
            )

    def _learnt_from_keras(self, n_outputs: int) -> dict[str, Any]:
        return {"classes_": np.arange(max(n_outputs, 2))}

    def _objective(self, n_outputs: int) -> tuple[Any, str]:
        cross_entropy, activation = (
            ("binary_crossentropy", "sigmoid")
            if n_outputs == 1
            else ("categorical_crossentropy", "softmax")
        )
        if not isinstance(self.loss, str):
            return self.loss, activation
        if "categorical_crossentropy" in self.loss and self.loss != cross_entropy:
            raise ValueError(
                f"loss must be 'auto' or {cross_entropy!r} to learn {max(n_outputs, 2)} classes "
                f"by cross-entropy, got {self.loss!r}"
            )
        return cross_entropy if self.loss == "auto" else self.loss, activation

    def _decode(self, outputs: NDArray) -> NDArray:
        unknown = np.flatnonzero(np.isnan(outputs).any(axis=1))
        if len(unknown):
            raise ValueError(
                f"X has {len(unknown)} rows of which nothing is known, the first is row "
                f"{unknown[0]}: they have no class, and predict_proba gives NaN for them"
            )
        codes = outputs[:, 0] > 0.5 if outputs.shape[1] == 1 else outputs.argmax(axis=1)
        return self.classes_[np.asarray(codes, dtype=np.intp)]
