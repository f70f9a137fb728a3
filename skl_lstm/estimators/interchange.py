"""Fitted attributes, and their conversion to and from files and Keras models."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skl_lstm.checks import check_keras
from skl_lstm.estimators.parameters import LSTMParameters
from skl_lstm.estimators.targets import Targets
from skl_lstm.files.whole_files import MISFITS, ModelFileError, read_whole, write_whole
from skl_lstm.network.forward import States
from skl_lstm.network.network import Network
from skl_lstm.network.scaling import WindowScaling
from skl_lstm.training.settings import Settings
from skl_lstm.training.state import Trained, TrainingState
from skl_lstm.warn import warn

if TYPE_CHECKING:
    from typing import Self

    from skl_lstm.files.contents import Contents

# Maximum length of an error message, which quotes the rejected content.
MAX_MESSAGE = 500


class Interchange(LSTMParameters):
    """Fitted attributes, and their conversion to and from files and Keras models."""

    network_: Network
    # None also for an estimator that an earlier version pickled.
    window_scaling_: WindowScaling | None = None
    window_shape_: tuple[int, int]
    n_outputs_: int
    weights_: list[NDArray[np.float32]]
    states_: States
    optimizer_state_: dict[str, NDArray]
    history_: dict[str, list[float]]
    n_iter_: int
    engine_: str
    seed_: int

    def to_keras(self) -> Any:
        """Return the fitted network as a compiled Keras model.

        Returns
        -------
        model : keras.Model
            Model with the weights and the optimizer state of this estimator. It takes windows of
            shape ``(n, n_steps, n_features)`` without missing values. The model of a stateful
            network takes one row at a time (``batch_size=1``).

        Raises
        ------
        ImportError
            If Keras is not installed: ``pip install "skl-lstm[keras]"``.

        Notes
        -----
        This imports TensorFlow. The model is independent of the estimator afterwards.

        With `window_scaling`, the model takes windows and returns forecasts in the units of y:
        the normalization is part of it, in plain layers of Keras, and its values are those of
        :meth:`predict` to the precision of float32. Its loss is in these units too, and so its
        optimizer starts from a fresh state.

        The outputs of several quantiles stand quantile by quantile, and within each of them as
        y does; unlike those of :meth:`LSTMForecaster.predict_quantiles`, they may cross.
        """
        check_is_fitted(self)
        check_keras("to_keras()")
        from skl_lstm.engines.keras.model import to_model

        return to_model(self._trained(), self._settings_of_fit())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the fitted estimator to one HDF5 file, without pickle.

        Parameters
        ----------
        path : str or path-like
            Path of the file; with a name that ends in ``.h5`` or ``.hdf5``, Keras can open it
            too. An existing file is replaced in one step, or stays intact if that fails.

        Raises
        ------
        ValueError
            If the name ends in ``.keras``: Keras expects another format under it.
        ModelFileError
            If the model cannot be expressed in plain values: a loss, an optimizer or a metric is
            user-defined, or a weight is not finite. Nothing is written then.
        OSError
            If the file cannot be written.

        See Also
        --------
        load : Loads the file.
        save_model : Saves a whole pipeline.

        Notes
        -----
        The file holds everything that :meth:`load` needs to make the same predictions and to
        continue training: parameters, fitted attributes, weights, optimizer state, history,
        column names, and the versions of the packages. A loss, an optimizer or a metric that is
        one of Keras's own objects is loaded as a name, or as ``{"class_name": …, "config": …}``,
        which :meth:`fit` accepts in place of the object; a ``RandomState`` is loaded as the seed
        drawn from it. Callbacks are left out, with a warning.

        ``keras.models.load_model`` opens the same file. The model is compiled, unless its loss
        is ``"pinball"``, which is not part of Keras. Its optimizer starts from a fresh state,
        since Keras does not restore the state from HDF5. The model of a stateful network takes
        one row at a time.

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
        check_is_fitted(self)
        if Path(path).suffix == ".keras":
            raise ValueError(
                "path must not end in .keras, because the file is HDF5: end it in .h5, or write "
                f"a .keras file with to_keras().save; got {os.fspath(path)!r}"
            )
        try:
            content = save_to_bytes(self)
        except ModelFileError:
            raise
        except ValueError as error:
            raise ModelFileError(f"the model cannot be saved: {error}") from error
        write_whole(path, content)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load an estimator from a file written by :meth:`save`.

        Parameters
        ----------
        path : str or path-like
            Path of the file. It is safe to load files from untrusted sources: nothing in them is
            executed, they cannot cause other files to be read, and data is read only after its
            size and type have been checked.

        Returns
        -------
        estimator : object of this class
            The fitted estimator. It makes the same predictions as the saved one, and
            ``partial_fit``, or ``fit`` with ``warm_start=True``, continues its training.

        Raises
        ------
        ModelFileError
            If the file is damaged, was not written by :meth:`save`, holds an estimator of
            another class, or has a format newer than this version of skl_lstm.
        OSError
            If the file cannot be read.

        Notes
        -----
        This imports neither TensorFlow nor Keras.
        """
        return load_from_bytes(cls, read_whole(path), path)

    @classmethod
    def from_keras(cls, model: Any, **parameters: Any) -> Self:
        """Create a fitted estimator from a Keras model of LSTM layers and Dense layers.

        Parameters
        ----------
        model : keras.Model, str or path-like
            A ``Sequential`` or functional model, or the path of one that Keras saved as
            ``.keras`` or ``.h5``: LSTM or GRU layers with Keras's defaults, or with another
            `activation` that `hidden_activation` can be, all of one kind, stateful or not, each
            in Bidirectional or none, and one or more Dense layers at the end, of which those
            before the last have one activation; a Flatten layer may stand between them, Dropout
            layers anywhere, and BatchNormalization layers before any other.
        **parameters : dict
            Further parameters of the estimator, for training it further. Those that the network
            itself defines (`units`, `stateful` and the like) cannot be given; `dropout` and
            `recurrent_dropout` must be given if its layers have different rates.

        Returns
        -------
        estimator : object of this class
            The fitted estimator. It makes the same predictions as the Keras model, for windows
            of shape ``(n, n_steps * n_features)``, and continues training with the optimizer and
            its state. The labels of a classifier are 0, 1, ….

        Raises
        ------
        ModelFileError
            If the file is not a Keras file, or is damaged.
        ValueError
            If the network contains anything else; the message names the layer. A file is checked
            before anything is built from it, and nothing in it is ever executed: a Lambda layer
            is refused.
        OSError
            If the file cannot be read.

        Notes
        -----
        A loss, an optimizer or metrics that are neither Keras's own nor from :meth:`to_keras` are
        left out, with a warning, unless they are given as `parameters`; so are regularizers,
        constraints, and dropout elsewhere than after an LSTM layer, on which predictions do not
        depend. A BatchNormalization layer is merged into the weights of the layer after it.
        Restoring the optimizer state imports TensorFlow; where Keras is not installed, it is left
        out with a warning.
        """
        from skl_lstm.estimators.keras_import import contents_of

        cls(**parameters)  # reject unknown parameters before anything is read
        return cls._from_contents(contents_of(cls, model, parameters))

    def _store(self, trained: Trained, targets: Targets) -> None:
        """Set the fitted attributes."""
        for name, value in targets.learned().items():
            setattr(self, name, value)
        self.network_ = trained.network
        self.window_scaling_ = trained.scaling
        self.window_shape_ = trained.window_shape
        self.n_outputs_ = trained.network.n_outputs
        self.seed_ = trained.seed
        self.engine_ = trained.engine
        self.weights_ = trained.network.views(trained.state.parameters)
        self.states_ = trained.states
        self.optimizer_state_ = trained.state.optimizer
        self.history_ = trained.state.history
        self.n_iter_ = trained.state.n_epochs

    def _settings_of_fit(self) -> Settings:
        """Return the settings with which Keras compiles the fitted network."""
        settings = self._settings(self.network_, self.seed_)
        learned = getattr(self._targets(), "quantiles", ())
        if len(learned) > 1:  # to the outputs of which no other loss fits
            settings = replace(settings, loss="pinball", quantiles=learned)
        return settings

    def _targets(self) -> Targets:
        """Return how y was encoded in the fit."""
        kind = self._targets_class
        return kind(*(getattr(self, name) for name in kind.attributes))

    def _state(self) -> TrainingState:
        """Return the state of training."""
        return TrainingState(
            self.network_.flatten(self.weights_),
            self.optimizer_state_,
            self.n_iter_,
            self.history_,
        )

    def _trained(self) -> Trained:
        """Return the trained network."""
        return Trained(
            self.network_,
            self.window_shape_,
            self.seed_,
            self.engine_,
            self._state(),
            list(self.states_),
            self.window_scaling_,
        )

    def _contents(self) -> Contents:
        """Return what a file stores of the fitted estimator."""
        from skl_lstm.files.contents import Contents

        parameters = self.get_params(deep=False)
        if parameters["callbacks"] is not None:
            warn("callbacks are not part of a model and are not saved")
            parameters["callbacks"] = None
        if isinstance(parameters["random_state"], np.random.RandomState):
            parameters["random_state"] = self.seed_
        names = getattr(self, "feature_names_in_", None)
        return Contents(
            type(self).__name__,
            parameters,
            self._trained(),
            self._targets().stored(self._quantiles()),
            int(self.n_features_in_),
            None if names is None else names.tolist(),
        )

    @classmethod
    def _from_contents(cls, contents: Contents) -> Self:
        """Build a fitted estimator from the contents of a file, if they fit the class."""
        if contents.kind != cls.__name__:
            raise ValueError(
                f"it holds an estimator of the class {contents.kind!r:.80}, not of the class "
                f"{cls.__name__!r}"
            )
        if unknown := sorted(set(contents.parameters) - set(cls().get_params(deep=False))):
            raise ValueError(f"{cls.__name__} has no parameter {', '.join(unknown)}")
        estimator = cls(**contents.parameters)
        estimator._check_parameters()
        targets = cls._targets_class.from_stored(contents.learned, estimator._quantiles())
        network, scaling = contents.trained.network, contents.trained.scaling
        targets.check(network.n_outputs)
        if scaling is not None:
            scaling.check_targets(network.n_outputs // targets.n_for_each)
            if scaling.restores != targets.in_units_of_X:
                raise ValueError(f"restores must be {targets.in_units_of_X} for {cls.__name__}")
        estimator._store(contents.trained, targets)
        estimator.n_features_in_ = contents.n_features_in
        if contents.feature_names_in is not None:
            estimator.feature_names_in_ = np.array(contents.feature_names_in, dtype=object)
        return estimator


def save_to_bytes(estimator: Interchange) -> bytes:
    """Serialize a fitted estimator, and check that the result can be loaded again.

    It is better to find out now than months later.
    """
    from skl_lstm.files import model_file

    content = model_file.to_bytes(estimator._contents(), estimator._settings_of_fit())
    load_from_bytes(type(estimator), content, "the model")
    return content


def load_from_bytes(kind: type[Interchange], content: bytes, path: str | os.PathLike[str]) -> Any:
    """Deserialize an estimator of a class; `path` names the file in error messages."""
    from skl_lstm.files import model_file

    try:
        return kind._from_contents(model_file.from_bytes(content))
    except MISFITS as error:
        raise ModelFileError(f"{os.fspath(path)}: {str(error)[:MAX_MESSAGE]}") from error
