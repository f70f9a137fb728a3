"""The regressor: predict the value or values that follow each window."""

from __future__ import annotations

import copy
from typing import Any

from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if

from skl_lstm.estimators.base import ONE_EPOCH, BaseLSTM, InitialState
from skl_lstm.estimators.data import require_y
from skl_lstm.estimators.keras_habits import explaining_arguments_of_keras
from skl_lstm.estimators.known_rows import score_known
from skl_lstm.estimators.targets import Values
from skl_lstm.estimators.validation import ValidationData
from skl_lstm.network.network import OutputActivation


def _learns_quantiles(forecaster: LSTMForecaster) -> bool:
    """Return whether quantiles were learned or, before the fit, are to be learned."""
    if getattr(forecaster, "quantiles_", None) or (
        not hasattr(forecaster, "quantiles_") and forecaster._quantiles()
    ):
        return True
    raise AttributeError(
        "predict_quantiles needs quantiles, which only loss='pinball' learns, got "
        f"loss={forecaster.loss!r}"
    )


class LSTMForecaster(RegressorMixin, BaseLSTM):
    """LSTM regressor for time-series forecasting.

    Each row of X is a window of past values, oldest first, such as :class:`LookbackWindower`
    makes them. The target of a row is the value that follows the window, or several values
    (``y`` of shape ``(n, horizon)``).

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
        `activation` in Keras. The notes say why it is ``"tanh"``.
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
        How the network receives a window: as `look_back` time steps of `features_per_step`
        features, or as one time step with all the values as features.
    features_per_step : int or "auto", default="auto"
        Number of features per time step: the number of columns of a multivariate series.
        ``"auto"`` takes it from :class:`LookbackWindower`, whose output tells it, and is 1 for
        any other X.
    window_scaling : {None, "last", "mean", "standard"}, default=None
        How to normalize each window by itself, so that the network sees its shape and not its
        level; the outputs are put back in the units of y. No scaler is needed then. ``"last"``
        subtracts the last value and divides by one constant, the root mean square of the
        training windows less their last values; ``"standard"`` subtracts the mean of the window
        and divides by its standard deviation; ``"mean"`` divides by the mean of the absolute
        values, for positive series that grow by percentages. None leaves the windows as they
        are. Not for `stateful` networks.
    target : str, int or sequence of them, default=None
        With `window_scaling`, the columns of a step that y continues, if there are several:
        their positions, or the names that they have in the series. Only these are normalized.
        None takes the names of y, as :func:`make_supervised` gives them. Output ``j`` belongs to
        column ``j`` modulo their number, as :func:`make_supervised` lays out y.
    mirror : bool, default=False
        With `window_scaling` ``"last"`` or ``"standard"``, whether to train on each window upside
        down too: what rises after a rise falls after a fall. The network then has no drift of
        its own, which helps on short series and for many steps ahead. An epoch has twice as many
        rows. Not with other columns than the target, such as a weekday.
    stateful : bool, default=False
        Whether each row starts from the state in which the previous row ended, in training and
        in prediction. In training, `batch_size` is then the number of parallel streams: the rows
        are cut into `batch_size` stretches of equal length, leaving out the oldest rows if the
        number is not divisible, and each stretch starts from zero states in every epoch.
    dropout : float, default=0.0
        Dropout rate after each LSTM layer, in [0, 1).
    recurrent_dropout : float, default=0.0
        Dropout rate of the hidden state between time steps, in [0, 1), as in
        ``keras.layers.LSTM``.
    l2 : float, default=0.0
        Factor of the sum of the squared kernels of all layers in the loss: `kernel_regularizer`
        in Keras.
    output_activation : {"linear", "relu", "sigmoid", "softmax", "tanh"}, default="linear"
        Activation of the final Dense layer.
    loss : str, dict or Keras loss, default="mse"
        The loss function to minimize: the name of a Keras loss, a loss class or instance, its
        ``{"class_name": …, "config": …}``, or a function; or ``"pinball"``, with which the
        network learns a quantile, or several.
    quantile : float or sequence of float, default=0.5
        Quantile, in (0, 1), to learn with ``loss="pinball"``; or several, the smallest first and
        the median among them, which :meth:`predict` then returns. The loss is their mean.
    optimizer : str or Keras optimizer, default="adam"
        The optimizer: the name of a Keras optimizer, a class, or an instance, which is used as a
        template and is itself left unchanged.
    learning_rate : float, default=None
        Learning rate of the optimizer; its default if None.
    optimizer_kwargs : dict, default=None
        Further arguments of the optimizer, such as ``{"momentum": 0.9}``.
    metrics : list of str or Keras metrics, default=None
        Metrics to record in `history_` in addition to the loss; of several quantiles, those of
        the median.
    epochs : int, default=100
        Number of passes over the training rows.
    batch_size : int, default=32
        Number of rows per weight update; one batch of all rows if there are fewer.
    windows_per_epoch : int, default=None
        Number of rows that an epoch trains on, drawn anew for each epoch, spread over all rows;
        all of them if None. This bounds the time of an epoch over many series.
    shuffle : bool or "auto", default="auto"
        Whether to shuffle the rows before each epoch; ``"auto"`` shuffles unless `stateful`.
    validation_split : float or int, default=0.0
        Rows on which to evaluate each epoch, always the last ones in time, so that what is
        trained on lies before them: a fraction of the rows, in [0, 1), or an integer for a
        number of rows, the same one in every fold of a search. Only complete rows count. Targets
        of several steps reach from the last training rows into them.
    early_stopping : bool, default=False
        Whether to stop when the loss has not decreased for `patience` epochs: the validation
        loss if there are validation rows. The weights of the best epoch are kept.
    patience : int, default=10
        Number of epochs to wait for a smaller loss.
    callbacks : list of Keras callbacks, default=None
        Callbacks of the training. They are copied before each fit, so that searches can clone
        and pickle them.
    warm_start : bool, default=False
        Whether :meth:`fit` continues from where the previous fit ended, optimizer state
        included.
    engine : {"auto", "native", "keras"}, default="auto"
        Engine that trains the network; ``"auto"`` selects the native one if it covers all the
        parameters, and Keras otherwise. The results of the two differ only by rounding and by
        the random numbers of dropout.
        Only Keras trains networks with `cell`, `hidden_activation`, `bidirectional`,
        `all_steps`, `dense_units` or `l2` other than by default.
    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the order of the rows and dropout. None draws a new seed
        in each fit; NumPy's global generator is neither read nor changed.
    verbose : {0, 1, 2}, default=0
        0 prints nothing, 1 a progress bar, 2 one line per epoch.

    Attributes
    ----------
    weights_ : list of ndarray of float32
        Kernel, recurrent kernel and bias of each LSTM layer, then kernel and bias of each Dense
        layer, in the shapes and the gate order (input, forget, cell, output) of Keras.
    history_ : dict of str to list of float
        Loss and metrics of each epoch; the names of those of the validation rows start with
        ``val_``. With `window_scaling` they are in normalized units.
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
        How each window is normalized, with what was learned; None without `window_scaling`.
    window_shape_ : tuple of int
        Number of lags and of series in a window.
    n_outputs_ : int
        Number of outputs of the network: one for each value of y, or for each quantile of it.
    quantiles_ : tuple of float
        The quantiles that :meth:`predict_quantiles` returns; empty unless ``loss="pinball"``.
    seed_ : int
        Seed drawn from `random_state`.
    n_features_in_ : int
        Number of columns of X, or of time steps if X has three dimensions.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if X has column names that are strings.

    See Also
    --------
    LookbackWindower : Makes the windows.
    make_supervised : Makes X and y from a series.

    Notes
    -----
    Rows with a missing lag or a missing target (NaN) are left out of training. Prediction
    returns a value for every row: a missing lag is filled with the nearest known one of the
    same window, the one before it first, and only a window without any known value gives NaN.

    The windows of a float32 series are read where they are, also in a file (:class:`numpy.memmap`,
    read-only or not), from which the native engine copies one batch at a time, so that the series
    may be larger than memory. Float64 is converted to float32 first, and `window_scaling`
    normalizes a copy.

    With `window_scaling`, X and y must be in the same units: the values of the series
    themselves, or both after the same function, such as a logarithm. A scaler on X and another
    one on y are two maps whose ranges differ by a row, and do not go with it. The scale of a
    window is at least a tenth of the median over the training windows; so with ``"standard"`` a
    constant window gives almost its constant. What is learned comes from the training rows
    alone, those of zero weight left out. Losses for positive targets, such as ``"poisson"`` or
    ``"mape"``, do not suit normalized targets of either sign.

    The normalization is that of Kim et al. (2022), *Reversible instance normalization for
    accurate time-series forecasting against distribution shift*, without the learned affine
    map; ``"last"`` is that of NLinear (Zeng et al., 2023), ``"mean"`` that of DeepAR (Salinas et
    al., 2020).

    The network consists of ``keras.layers.LSTM`` layers (Hochreiter and Schmidhuber, 1997; with
    the forget gate of Gers, Schmidhuber and Cummins, 2000) with Keras's defaults, and a
    ``keras.layers.Dense`` layer, or several, on the last time step. A fitted estimator holds
    only arrays, so its pickle is small and prediction does not need Keras.

    ``hidden_activation="tanh"`` keeps what a layer passes on between -1 and 1, however long the
    window. With an unbounded activation, such as ``"relu"``, the state can grow from step to step
    and training can diverge; ``optimizer_kwargs={"clipnorm": 1.0}`` bounds its gradients. Only
    Keras trains such networks, which takes longer. ``benchmarks/activations.py`` compares the
    errors on real series.

    A quantile has the smallest mean pinball loss (Koenker and Bassett, 1978, *Regression
    quantiles*, Econometrica 46). Several are learned side by side, and sorted when they are
    predicted, so that they never cross; this does not increase their loss (Chernozhukov,
    Fernández-Val and Galichon, 2010, *Quantile and probability curves without crossing*,
    Econometrica 78).

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skl_lstm import LSTMForecaster, LookbackWindower, make_supervised
    >>> from skl_lstm.datasets import load_airline_passengers
    >>> X, y = make_supervised(load_airline_passengers())
    >>> forecaster = LSTMForecaster(window_scaling="last", epochs=2, random_state=0)
    >>> model = make_pipeline(LookbackWindower(look_back=12), forecaster)
    >>> model.fit(X, y).predict(X).shape
    (143,)

    Three quantiles of the next value:

    >>> forecaster = forecaster.set_params(loss="pinball", quantile=[0.1, 0.5, 0.9])
    >>> model.fit(X, y).predict(X).shape
    (143,)
    >>> forecaster.predict_quantiles(model[:-1].transform(X)).shape
    (143, 3)
    """

    _targets_class = Values

    quantiles_: tuple[float, ...]
    _y_ndim: int

    # Which of the quantiles `predict` returns; the median if None.
    _place: int | None = None

    @explaining_arguments_of_keras
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        validation_data: Any = None,
    ) -> LSTMForecaster:
        """Train the network on windows and their targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_lags * features_per_step) or \
                (n_samples, n_steps, n_features)
            Windows in time order, oldest value first. Three-dimensional windows are used as
            they are, regardless of `reshape_mode`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The value or values that follow each window; NaN where they are not known.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.
        validation_data : tuple of array-like, default=None
            Rows on which to evaluate each epoch, in place of those that `validation_split` holds
            out: ``(X_val, y_val)`` or ``(X_val, y_val, sample_weight_val)``. They must be what X
            and y are: windows made and scaled by the same steps. Nothing is learned from them
            but, with `early_stopping`, when to stop, so they should follow the training rows.

            A ``Pipeline`` or a ``TransformedTargetRegressor`` passes them as they are, without
            transforming them. Windows of another form are refused then, and values that lie far
            from those to train on are warned of; a smaller difference of scale cannot be seen.
            There, a number of rows as `validation_split` is safer: it holds out the last rows
            after all steps, though scalers among these have learned from them.

        Returns
        -------
        self : LSTMForecaster
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is invalid, X or y is not numeric and finite (except for NaN), their
            lengths differ, or no complete window with a known target is left to train on; or if
            `validation_data` is given with `validation_split`, or is not what X and y are. An
            earlier fit is then left unchanged, as it is if training is interrupted.

        Warns
        -----
        SeriesWarning
            If y is a column of X that is not shifted, or is far larger than what a network
            starts with, or if columns of a series seem to be read as time steps; or if the
            values of `validation_data` lie far from those to train on.
        """
        resume = self.warm_start and hasattr(self, "weights_")
        require_y(self, y)
        targets, values = Values.encode(y, self._quantiles())
        self._train(
            X,
            values,
            targets,
            sample_weight,
            resume=resume,
            given=y,
            validation_data=ValidationData.of(validation_data),
        )
        return self

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> LSTMForecaster:
        """Train for one more epoch, on the given rows, from the current state.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_lags * features_per_step) or \
                (n_samples, n_steps, n_features)
            Windows of the same shape as in the first call.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The value or values that follow each window.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.

        Returns
        -------
        self : LSTMForecaster
            The estimator itself, trained further. `windows_per_epoch`,
            `validation_split` and `early_stopping` are ignored here.
        """
        resume = hasattr(self, "weights_")
        require_y(self, y)
        targets, values = Values.encode(y, self._quantiles())
        self._train(X, values, targets, sample_weight, resume=resume, given=y, **ONE_EPOCH)
        return self

    def predict(self, X: ArrayLike, *, initial_state: InitialState = "zeros") -> NDArray:
        """Predict the value or values that follow each window.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_lags * features_per_step) or \
                (n_samples, n_steps, n_features)
            Windows, as in :meth:`fit`. A stateful network processes them one after the other.
        initial_state : {"zeros", "fit"}, default="zeros"
            State of a stateful network before the first window: zeros, or the state after the
            last training row, which the rows of X must then follow.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions, in the shape of y in :meth:`fit`; float32 if X is float32, otherwise
            float64. Of several quantiles, the median.

        Notes
        -----
        What is predicted for a row does not depend on the other rows, unless the network is
        stateful. It has the same bits in any company where the compiled kernel predicts: in a
        process that has loaded it, by a fit with the native engine or by :func:`load_kernel`, and
        for the networks that the native engine trains. Elsewhere NumPy predicts, and rounding may
        depend on the other rows, by a millionth at most.
        """
        return self._decode(self._outputs(X, initial_state))

    @available_if(_learns_quantiles)
    def predict_quantiles(self, X: ArrayLike, *, initial_state: InitialState = "zeros") -> NDArray:
        """Predict all quantiles of the value or values that follow each window.

        This is there only with ``loss="pinball"``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_lags * features_per_step) or \
                (n_samples, n_steps, n_features)
            Windows, as in :meth:`predict`.
        initial_state : {"zeros", "fit"}, default="zeros"
            State of a stateful network before the first window, as in :meth:`predict`.

        Returns
        -------
        quantiles : ndarray of shape (n_samples, n_quantiles) or \
                (n_samples, n_outputs, n_quantiles)
            The quantiles in the order of `quantiles_`, none smaller than the one before it, for
            y of one or of two dimensions.

        See Also
        --------
        forecast : Forecasts them a block of steps ahead, through any composition.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstm import LSTMForecaster
        >>> rng = np.random.default_rng(0)
        >>> X = rng.random((200, 1))
        >>> y = X[:, 0] * (1 + rng.random(200))
        >>> model = LSTMForecaster(loss="pinball", quantile=[0.1, 0.5, 0.9], random_state=0)
        >>> quantiles = model.fit(X, y).predict_quantiles(X)
        >>> quantiles.shape
        (200, 3)
        >>> bool((quantiles[:, 1] == model.predict(X)).all())
        True
        >>> bool((np.diff(quantiles) >= 0).all())
        True
        """
        return self._targets().decode_quantiles(self._outputs(X, initial_state))

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the coefficient of determination on the rows whose target is known.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_lags * features_per_step) or \
                (n_samples, n_steps, n_features)
            Windows, as in :meth:`fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The value or values that follow each window; NaN where they are not known.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        score : float
            R², averaged over the outputs; of several quantiles, that of the median.
        """
        return score_known(y, self.predict(X), sample_weight)

    def _objective(self, n_outputs: int) -> tuple[Any, OutputActivation]:
        return self.loss, self.output_activation

    def _targets(self) -> Values:
        return Values(self._y_ndim, self.quantiles_)

    def _decode(self, outputs: NDArray) -> NDArray:
        if self._place is None:
            return super()._decode(outputs)
        return self._targets().decode_quantiles(outputs)[..., self._place]

    def _of_quantile(self, place: int) -> LSTMForecaster:
        """Return a copy that shares what was learned, and whose `predict` is another quantile."""
        other = copy.copy(self)
        other._place = place
        return other

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "weights_") and not hasattr(self, "quantiles_"):
            self.quantiles_ = self._quantiles()  # pickled by an earlier version

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
