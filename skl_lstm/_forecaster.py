"""The regressor: windows in, the next value or values out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import Tags, check_array

from ._base import ONE_EPOCH, BaseLSTM, Targets, require_y


class LSTMForecaster(RegressorMixin, BaseLSTM):
    """Forecast with an LSTM network.

    Rows are windows, as a :class:`LookbackWindower` makes them, oldest value first; the target
    of a row is what follows it, one value or several (``y`` of shape ``(n, horizon)``).

    Parameters
    ----------
    units : int or sequence of int, default=32
        Units of the LSTM layer, or of each layer where they are stacked, first layer first.
    reshape_mode : {"timesteps", "features"}, default="timesteps"
        How the network takes a window: as `look_back` time steps of `features_per_step`
        features, or as one time step with all the values as features.
    features_per_step : int, default=1
        Number of columns of the series, where it has several.
    stateful : bool, default=False
        Whether each row goes on from the state in which the one before it ended, in training
        and in prediction. In training `batch_size` is then a number of parallel streams: the
        rows are cut into that many stretches of equal length, leaving out the oldest rows
        that are over, and each stretch starts from zero in every epoch.
    dropout : float, default=0.0
        Rate of a dropout after each LSTM layer, in [0, 1).
    recurrent_dropout : float, default=0.0
        Rate of a dropout of the hidden state from step to step, in [0, 1), as
        ``keras.layers.LSTM`` has it.
    output_activation : {"linear", "relu", "sigmoid", "softmax", "tanh"}, default="linear"
        Activation of the Dense layer that ends the network.
    loss : str, dict or Keras loss, default="mse"
        What training makes small: a name that Keras knows, a loss class or instance, its
        ``{"class_name": …, "config": …}``, or a function; or ``"pinball"``, with which the
        network learns a quantile.
    quantile : float, default=0.5
        The quantile, in (0, 1), that ``loss="pinball"`` learns.
    optimizer : str or Keras optimizer, default="adam"
        How training makes it small: a name that Keras knows, a class, or an instance, which
        serves as a template and is never trained itself.
    learning_rate : float, default=None
        Learning rate; the optimiser's own where None.
    optimizer_kwargs : dict, default=None
        Further parameters of the optimiser, such as ``{"momentum": 0.9}``.
    metrics : list of str or Keras metrics, default=None
        What `history_` shows beside the loss.
    epochs : int, default=100
        Passes over the training rows.
    batch_size : int, default=32
        Rows an update of the weights; one batch where there are fewer.
    shuffle : bool or "auto", default="auto"
        Whether each epoch takes the rows in another order; ``"auto"``: unless `stateful`.
    validation_split : float, default=0.0
        Share of the rows, in [0, 1), by which each epoch is judged; always the last in time.
    early_stopping : bool, default=False
        Whether to stop once the loss has not fallen for `patience` epochs, that of the
        validation rows where there are some. The best epoch's weights are kept.
    patience : int, default=10
        Epochs to wait for a smaller loss.
    callbacks : list of Keras callbacks, default=None
        Copied before each fit, so that searches can clone and pickle them.
    warm_start : bool, default=False
        Whether :meth:`fit` goes on from where the fit before ended, optimiser state included.
    engine : {"auto", "native", "keras"}, default="auto"
        What does the arithmetic of training; ``"auto"`` is the native one wherever it covers
        everything asked for. The results differ by rounding alone, and by dropout's draws.
    random_state : int, RandomState instance or None, default=None
        Draws the first weights, the order of the rows and dropout. None is another draw each
        time; NumPy's global generator is neither read nor moved.
    verbose : {0, 1, 2}, default=0
        Nothing, a progress bar, or a line an epoch.

    Attributes
    ----------
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
        Lags and series of a window.
    n_outputs_ : int
        Number of outputs.
    seed_ : int
        The seed drawn from `random_state`.
    n_features_in_ : int
        Number of columns of X; of time steps, where X has three dimensions.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X had string names.

    See Also
    --------
    LookbackWindower : Makes the windows.
    make_supervised : Makes X and y of a series.

    Notes
    -----
    A row with a missing lag (NaN) is left out of training. Prediction answers for every row:
    there a missing lag is filled from the earliest known one of the same window, and only a
    window of which nothing is known gives NaN.

    The network is ``keras.layers.LSTM`` (Hochreiter and Schmidhuber, 1997; with the forget
    gate of Gers, Schmidhuber and Cummins, 2000) with Keras's defaults, and a
    ``keras.layers.Dense`` on the last step. A fitted estimator holds arrays alone, so it
    pickles small, and predicting needs no Keras.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> from skl_lstm import LSTMForecaster, LookbackWindower, make_supervised
    >>> from skl_lstm.datasets import load_airline_passengers
    >>> X, y = make_supervised(load_airline_passengers() / 1000)
    >>> forecaster = LSTMForecaster(units=4, epochs=2, random_state=0)
    >>> model = make_pipeline(MinMaxScaler(), LookbackWindower(look_back=3), forecaster)
    >>> model.fit(X, y).predict(X).shape
    (143,)
    """

    _learnt = ("_y_ndim",)

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> LSTMForecaster:
        """Train on windows and what follows each.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_lags * features_per_step) or \
                (n_samples, n_steps, n_features)
            Windows, in order of time, oldest value first. Three-dimensional windows are taken
            as they are, whatever `reshape_mode`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            What follows each window.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts in the loss.

        Returns
        -------
        self : LSTMForecaster
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is not allowed, X or y is not numeric and finite (NaN in X
            excepted), their lengths differ, or no complete window is left to train on. An
            earlier fit then stays as it was, as it does when training is interrupted.
        """
        resume = self.warm_start and hasattr(self, "weights_")
        self._train(X, self._targets(y), sample_weight, resume=resume)
        return self

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> LSTMForecaster:
        """Train one more epoch, on these rows, from where training stands.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_lags * features_per_step) or \
                (n_samples, n_steps, n_features)
            Windows; the shape of a window must be that of the first call.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            What follows each window.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts in the loss.

        Returns
        -------
        self : LSTMForecaster
            The estimator, trained further. `validation_split` and `early_stopping` play no
            part here.
        """
        resume = hasattr(self, "weights_")
        self._train(X, self._targets(y), sample_weight, resume=resume, **ONE_EPOCH)
        return self

    def predict(self, X: ArrayLike, *, initial_state: str = "zeros") -> NDArray:
        """Forecast what follows each window.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_lags * features_per_step) or \
                (n_samples, n_steps, n_features)
            Windows, as in :meth:`fit`. Those of a stateful network are taken one after the
            other.
        initial_state : {"zeros", "fit"}, default="zeros"
            What the first window of a stateful network starts from: zero states, or the states
            after the last training row, which the rows of X then have to follow.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            As y was in :meth:`fit`; of float32 where X is, else of float64.
        """
        return self._decode(self._outputs(X, initial_state))

    def _targets(self, y: ArrayLike) -> Targets:
        require_y(self, y)
        values = check_array(y, ensure_2d=False, dtype=np.float32, input_name="y")
        return Targets(values.reshape(len(values), -1), {"_y_ndim": values.ndim})

    def _check_learnt(self, learnt: dict[str, Any], n_outputs: int) -> None:
        if learnt["_y_ndim"] not in ((1, 2) if n_outputs == 1 else (2,)):
            raise ValueError(
                f"a network of {n_outputs} outputs cannot predict y of {learnt['_y_ndim']!r} "
                "dimensions"
            )

    def _learnt_from_keras(self, n_outputs: int) -> dict[str, Any]:
        return {"_y_ndim": 1 if n_outputs == 1 else 2}

    def _objective(self, n_outputs: int) -> tuple[Any, str]:
        return self.loss, self.output_activation

    def _decode(self, outputs: NDArray) -> NDArray:
        return outputs[:, 0] if self._y_ndim == 1 else outputs

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
