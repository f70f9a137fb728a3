"""The forecaster's parameters, inputs and outputs; what it refuses and what it then keeps."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError

from skl_lstm import LookbackWindower, LSTMForecaster

QUICK = {"units": 3, "epochs": 1, "random_state": 0}
X = np.random.default_rng(0).normal(size=(20, 4))
Y = X.sum(axis=1)


@pytest.fixture(scope="module")
def fitted():
    return LSTMForecaster(**QUICK).fit(pd.DataFrame(X, columns=list("abcd")), Y)


def test_fitted_attributes(fitted):
    assert [part.shape for part in fitted.weights_] == [(1, 12), (3, 12), (12,), (3, 1), (1,)]
    assert {part.dtype for part in fitted.weights_} == {np.dtype(np.float32)}
    assert fitted.n_iter_ == 1
    assert list(fitted.history_) == ["loss"]
    assert fitted.n_features_in_ == 4
    assert list(fitted.feature_names_in_) == list("abcd")
    assert fitted.n_outputs_ == 1


def test_a_fitted_forecaster_pickles_small_and_holds_arrays_alone(fitted):
    assert len(pickle.dumps(fitted)) < 5_000
    assert not [name for name in vars(fitted) if "keras" in type(vars(fitted)[name]).__module__]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameters", "shape"),
    [
        ({}, (4, 1)),
        ({"reshape_mode": "features"}, (1, 4)),
        ({"features_per_step": 2}, (2, 2)),
        ({"features_per_step": 2, "reshape_mode": "features"}, (1, 4)),
    ],
)
def test_reshape_mode_says_how_the_network_takes_a_window(parameters, shape):
    model = LSTMForecaster(**QUICK, **parameters).fit(X, Y)
    assert model.to_keras().input_shape == (None, *shape)
    windows = X.reshape(-1, *shape).astype(np.float32)
    assert_allclose(
        model.predict(X), model.to_keras().predict(windows, verbose=0)[:, 0], atol=1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameters", "y"),
    [
        ({"stateful": True, "batch_size": 1}, Y),
        ({"stateful": True, "batch_size": 1, "units": (3, 2), "reshape_mode": "features"}, Y),
        ({"units": (4, 3, 2), "dropout": 0.3, "recurrent_dropout": 0.3}, X[:, :3]),
        ({"output_activation": "softmax"}, X[:, :2]),
        ({"output_activation": "relu"}, Y),
    ],
)
def test_the_keras_model_predicts_the_same(parameters, y, engine):
    model = LSTMForecaster(**{**QUICK, **parameters}, engine=engine).fit(X, y)
    theirs = model.to_keras()
    windows = X.reshape(20, *theirs.input_shape[1:]).astype(np.float32)
    batch_size = 1 if model.stateful else None
    expected = theirs.predict(windows, batch_size=batch_size, verbose=0)
    assert_allclose(model.predict(X).reshape(20, -1), expected, atol=1e-5)


def test_three_dimensional_windows_are_taken_as_they_are():
    flat = LSTMForecaster(features_per_step=2, **QUICK).fit(X, Y)
    deep = LSTMForecaster(reshape_mode="features", **QUICK).fit(X.reshape(20, 2, 2), Y)
    assert_array_equal(deep.predict(X.reshape(20, 2, 2)), flat.predict(X))


@pytest.mark.parametrize("units", [2, (2,), [3, 2], np.int64(2), (4, 3, 2)])
def test_units_are_of_one_layer_or_of_several(units):
    model = LSTMForecaster(**{**QUICK, "units": units}).fit(X, Y)
    assert model.network_.units == tuple(np.atleast_1d(units))
    assert model.predict(X).shape == (20,)


@pytest.mark.parametrize(("y", "shape"), [(Y, (20,)), (Y[:, None], (20, 1)), (X[:, :3], (20, 3))])
def test_predictions_have_the_shape_of_y(y, shape):
    assert LSTMForecaster(**QUICK).fit(X, y).predict(X).shape == shape


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predictions_have_the_precision_of_X(dtype):
    assert LSTMForecaster(**QUICK).fit(X, Y).predict(X.astype(dtype)).dtype == dtype


def test_several_steps_ahead_are_learned_at_once(airline):
    series = airline[0].to_numpy()
    windows = LookbackWindower(12).fit_transform(series)[:-3]
    targets = np.concatenate([series[k : len(series) - 3 + k] for k in (1, 2, 3)], axis=1)
    model = LSTMForecaster(units=8, epochs=40, learning_rate=0.02, random_state=0)
    assert model.fit(windows, targets).score(windows, targets) > 0.5


def test_rows_with_a_missing_lag_teach_nothing_and_are_answered_all_the_same(engine):
    series = np.sin(np.arange(30.0)).reshape(-1, 1)
    windows = LookbackWindower(3).fit_transform(series)
    gap = windows.copy()
    gap[10, 1] = np.nan
    without = np.delete(windows, [0, 1, 10], axis=0)
    target = np.arange(30.0)
    ours = LSTMForecaster(engine=engine, **QUICK).fit(gap, target)
    same = LSTMForecaster(engine=engine, **QUICK).fit(without, np.delete(target, [0, 1, 10]))
    assert_array_equal(ours.weights_[0], same.weights_[0])
    assert np.isfinite(ours.predict(gap)).all()


def test_batches_larger_than_the_data_are_one_batch(engine):
    big, exact = (
        LSTMForecaster(engine=engine, batch_size=size, **QUICK).fit(X, Y) for size in (999, 20)
    )
    assert_array_equal(big.weights_[0], exact.weights_[0])


def test_a_weight_of_zero_leaves_a_row_unlearned(engine):
    weight = np.ones(20)
    weight[3] = 0.0
    other = Y.copy()
    other[3] = 99.0
    ours, same = (
        LSTMForecaster(engine=engine, **QUICK).fit(X, y, sample_weight=weight) for y in (Y, other)
    )
    assert_array_equal(ours.weights_[0], same.weights_[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    "optimizer",
    ["rmsprop", "RMSprop", "class", "instance"],
)
def test_an_optimizer_is_a_name_a_class_or_a_template(optimizer):
    keras = pytest.importorskip("keras")

    choices = {
        "class": keras.optimizers.RMSprop,
        "instance": keras.optimizers.RMSprop(learning_rate=0.5),
    }
    template = choices.get(optimizer, optimizer)
    settings = {"optimizer": template, "learning_rate": 0.01, "optimizer_kwargs": {"rho": 0.8}}
    model = LSTMForecaster(engine="keras", **settings, **QUICK).fit(X, Y)
    compiled = model.to_keras().optimizer
    assert type(compiled) is keras.optimizers.RMSprop
    assert_allclose(float(compiled.learning_rate), 0.01)
    assert compiled.rho == 0.8
    if optimizer == "instance":
        assert not template.built
        assert float(template.learning_rate) == 0.5


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["mae", "MeanAbsoluteError", "class", "instance", "function"])
def test_a_loss_is_a_name_a_class_an_instance_or_a_function(loss):
    keras = pytest.importorskip("keras")

    choices = {
        "class": keras.losses.MeanAbsoluteError,
        "instance": keras.losses.MeanAbsoluteError(),
        "function": keras.losses.mean_absolute_error,
    }
    model = LSTMForecaster(engine="keras", loss=choices.get(loss, loss), **QUICK).fit(X, Y)
    expected = LSTMForecaster(engine="keras", loss="mae", **QUICK).fit(X, Y)
    assert_allclose(model.weights_[0], expected.weights_[0], atol=1e-6)


@pytest.mark.slow
def test_callbacks_are_copied_before_each_fit():
    keras = pytest.importorskip("keras")

    class Counter(keras.callbacks.Callback):
        epochs = 0

        def on_epoch_end(self, epoch, logs=None):
            self.epochs += 1
            self.model.stop_training = self.epochs == 2

    counter = Counter()
    model = LSTMForecaster(**{**QUICK, "epochs": 9}, callbacks=[counter]).fit(X, Y)
    assert model.n_iter_ == 2
    assert counter.epochs == 0
    assert model.fit(X, Y).n_iter_ == 2
    assert model.engine_ == "keras"


KERAS = pytest.mark.needs("keras")

BAD_PARAMETERS = [
    ({"units": 0}, "units must be a positive integer, got 0"),
    ({"units": ()}, "units must be a positive integer or a sequence of them, got ()"),
    ({"units": (4, 2.5)}, "units must be a positive integer, got 2.5"),
    ({"units": "4"}, "units must be a positive integer or a sequence of them, got '4'"),
    ({"reshape_mode": "steps"}, "reshape_mode must be one of ('timesteps', 'features')"),
    ({"features_per_step": 0}, "features_per_step must be a positive integer, got 0"),
    ({"features_per_step": 3}, "X has 4 columns, which is not a multiple of features_per_step=3"),
    ({"dropout": 1.0}, "dropout must be a number in [0, 1), got 1.0"),
    ({"recurrent_dropout": -0.1}, "recurrent_dropout must be a number in [0, 1), got -0.1"),
    ({"output_activation": "swish"}, "output_activation must be one of ("),
    ({"loss": "guess"}, "loss must be one of bce, binary_crossentropy, "),
    pytest.param(
        {"loss": 3},
        "loss must be a Keras loss (name, class, instance or function), got 3",
        marks=KERAS,
    ),
    ({"optimizer": "guess"}, "optimizer must be one of adadelta, adafactor, "),
    pytest.param(
        {"optimizer": 3},
        "optimizer must be a Keras optimizer (name, class or instance), got 3",
        marks=KERAS,
    ),
    ({"learning_rate": 0}, "learning_rate must be a positive number or None, got 0"),
    pytest.param(
        {"optimizer_kwargs": {"speed": 1}},
        "optimizer_kwargs must be parameters of Adam, got",
        marks=KERAS,
    ),
    ({"optimizer_kwargs": 3}, "optimizer_kwargs must be a dict, got 3"),
    ({"metrics": "mae"}, "metrics must be a list, got 'mae'"),
    ({"metrics": ["mae", "guess"]}, "metrics must be one of acc, accuracy, "),
    pytest.param({"metrics": [3]}, "metrics must be Keras metrics, got [3]", marks=KERAS),
    ({"callbacks": 3}, "callbacks must be a list, got 3"),
    pytest.param({"callbacks": [3]}, "callbacks must be Keras callbacks, got [3]", marks=KERAS),
    ({"epochs": 0}, "epochs must be a positive integer, got 0"),
    ({"batch_size": 0}, "batch_size must be a positive integer, got 0"),
    ({"shuffle": "yes"}, "shuffle must be one of (True, False, 'auto'), got 'yes'"),
    ({"stateful": True, "shuffle": np.True_}, "shuffle must be False or 'auto' if stateful"),
    ({"stateful": True, "shuffle": True}, "shuffle must be False or 'auto' if stateful=True"),
    (
        {"stateful": True, "batch_size": 21},
        "batch_size=21 streams of a stateful network need at least as many training rows, got 20",
    ),
    ({"validation_split": 1.0}, "validation_split must be a fraction in [0, 1), or an"),
    ({"validation_split": -1}, "or an integer number of rows, got -1"),
    ({"validation_split": True}, "or an integer number of rows, got True"),
    ({"validation_split": 20}, "validation_split=20 leaves none of 20 complete rows"),
    ({"validation_split": 0.99}, "validation_split=0.99 leaves none of 20 complete rows"),
    ({"patience": -1}, "patience must be an integer of at least 0, got -1"),
    ({"engine": "torch"}, "engine must be one of ('auto', 'native', 'keras'), got 'torch'"),
    ({"random_state": "me"}, "'me' cannot be used to seed"),
    ({"verbose": 3}, "verbose must be one of (0, 1, 2, True, False), got 3"),
    ({"verbose": "x"}, "verbose must be one of (0, 1, 2, True, False), got 'x'"),
    ({"stateful": "no"}, "stateful must be one of (True, False), got 'no'"),
    ({"learning_rate": True}, "learning_rate must be a positive number or None, got True"),
    ({"quantile": 0.0}, "quantile must be a number in (0, 1), got 0.0"),
    pytest.param(
        {"optimizer": "sgd", "optimizer_kwargs": {"momentum": 5.0}},
        "optimizer_kwargs must be",
        marks=KERAS,
    ),
    pytest.param(
        {"optimizer_kwargs": {"clipnorm": 1.0, "clipvalue": 1.0}},
        "optimizer_kwargs must be",
        marks=KERAS,
    ),
]


@pytest.mark.parametrize(("parameters", "message"), BAD_PARAMETERS, ids=lambda value: str(value))
def test_a_bad_parameter_is_named_and_the_earlier_fit_stays(parameters, message, fitted):
    model = pickle.loads(pickle.dumps(fitted)).set_params(**parameters)
    before = {name: value for name, value in vars(model).items() if name.endswith("_")}
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(X, Y)
    assert {name: value for name, value in vars(model).items() if name.endswith("_")} == before


def with_value(value):
    changed = X.copy()
    changed[5, 2] = value
    return changed


@pytest.mark.parametrize(
    ("X", "y", "sample_weight", "message"),
    [
        (np.full_like(X, np.nan), Y, None, "X has no complete window with a known"),
        (with_value(np.inf), Y, None, "Input X contains infinity"),
        (with_value(1e300), Y, None, "Input X contains infinity or a value too large"),
        (X.astype(str).astype(object)[:, :1] + "x", Y, None, "could not convert string to float"),
        (csr_array(X), Y, None, "X must be dense, got sparse data: set sparse_output=False"),
        (X[:0], Y[:0], None, r"Found array with 0 sample\(s\)"),
        (X, Y[:-1], None, r"inconsistent numbers of samples: \[20, 19\]"),
        (X, np.full_like(Y, np.nan), None, "X has no complete window with a known target"),
        (X, np.where(Y > 0, Y, np.inf), None, "Input y contains infinity"),
        (X, None, None, "requires y to be passed, but the target y is None"),
        (
            X,
            Y,
            np.ones(3),
            r"sample_weight must be of shape \(20,\), .* got \(3,\)",
        ),
        (
            X,
            Y,
            np.zeros(20),
            "sample_weight must be nonzero for at least one training row, got only zeros",
        ),
        (X.reshape(20, 2, 2, 1), Y, None, "X must have 2 or 3 dimensions, got 4"),
    ],
)
def test_bad_data_is_named_and_the_earlier_fit_stays(X, y, sample_weight, message, fitted):
    model = pickle.loads(pickle.dumps(fitted))
    before = pickle.dumps(model)
    with pytest.raises((ValueError, TypeError), match=message):
        model.fit(X, y, sample_weight=sample_weight)
    assert pickle.dumps(model) == before


def test_predict_wants_the_columns_of_fit(fitted):
    with pytest.raises(ValueError, match="Feature names seen at fit time, yet now missing:\n- d"):
        fitted.predict(pd.DataFrame(X[:, :3], columns=list("abc")))


def test_predict_wants_as_many_columns_as_fit():
    model = LSTMForecaster(**QUICK).fit(X, Y)
    with pytest.raises(ValueError, match="X has 3 features, but LSTMForecaster is expecting 4"):
        model.predict(X[:, :3])


def test_predict_wants_the_window_shape_of_fit():
    model = LSTMForecaster(**QUICK).fit(X.reshape(20, 4, 1), Y)
    with pytest.raises(ValueError, match=r"windows of shape \(4, 2\), but .* shape \(4, 1\)"):
        model.predict(np.zeros((3, 4, 2)))


def test_choices_may_come_from_numpy():
    model = LSTMForecaster(
        **QUICK, reshape_mode=np.str_("features"), shuffle=np.bool_(False), stateful=np.False_
    )
    assert model.fit(X, Y).network_.n_steps == 1


def test_a_fit_is_predicted_from_as_it_was_fitted():
    model = LSTMForecaster(**QUICK).fit(X, Y)
    expected = model.predict(X)
    assert_array_equal(model.set_params(features_per_step=2, units=9).predict(X), expected)


@pytest.mark.parametrize("names", [["a", 0, 1, 2]])
def test_names_of_mixed_types_are_refused_before_training(names, fitted):
    model = pickle.loads(pickle.dumps(fitted))
    before = pickle.dumps(model)
    with pytest.raises(TypeError, match="Feature names are only supported if all input features"):
        model.fit(pd.DataFrame(X, columns=names), Y)
    assert pickle.dumps(model) == before


@pytest.mark.parametrize("shape", [(20, 0, 3), (20, 3, 0)])
def test_windows_without_values_are_refused(shape):
    with pytest.raises(
        ValueError, match=re.escape(f"at least one value per row, got shape {shape}")
    ):
        LSTMForecaster(**QUICK).fit(np.zeros(shape), Y)


def test_an_unknown_row_leaves_the_state_of_a_stateful_network_alone():
    model = LSTMForecaster(stateful=True, batch_size=1, **QUICK).fit(X, Y)
    gap = np.insert(X, 5, np.nan, axis=0)
    predictions = model.predict(gap)
    assert np.isnan(predictions[5])
    assert_array_equal(np.delete(predictions, 5), model.predict(X))


def test_history_of_a_run_that_lacks_a_value_has_nan_there():
    model = LSTMForecaster(**QUICK, warm_start=True).fit(X, Y)
    history = model.set_params(validation_split=0.5).fit(X, Y).history_
    assert len(history["loss"]) == len(history["val_loss"]) == 2
    assert np.isnan(history["val_loss"][0])


@pytest.mark.parametrize("number", [5, np.int64(5)])
def test_a_number_of_rows_to_validate_on_is_that_of_the_last_complete_ones(number):
    y = np.where(np.arange(20) == 17, np.nan, Y)
    settings = {**QUICK, "epochs": 3}
    by_number = LSTMForecaster(**settings, validation_split=number).fit(X, y)
    by_share = LSTMForecaster(**settings, validation_split=5 / 19).fit(X, y)
    assert by_number.history_ == by_share.history_
    alone = LSTMForecaster(**settings).fit(X[:14], Y[:14])
    assert_array_equal(by_number.weights_[0], alone.weights_[0])


def test_training_goes_on_only_with_the_same_network(fitted):
    model = pickle.loads(pickle.dumps(fitted)).set_params(units=5, warm_start=True)
    with pytest.raises(ValueError, match="training must continue with the same network, "):
        model.fit(pd.DataFrame(X, columns=list("abcd")), Y)


@pytest.mark.parametrize("method", ["predict", "to_keras"])
def test_an_unfitted_forecaster_says_so(method):
    with pytest.raises(NotFittedError, match="This LSTMForecaster instance is not fitted yet"):
        getattr(LSTMForecaster(), method)(*([X] if method == "predict" else []))


def test_a_native_fit_interrupted_between_epochs_leaves_the_earlier_one_usable(
    fitted, monkeypatch
):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    model = pickle.loads(pickle.dumps(fitted))
    frame = pd.DataFrame(X, columns=list("abcd"))
    expected = model.predict(frame)
    monkeypatch.setattr("skl_lstm.engines.native.engine.Progress.update", interrupt)
    for refit in (model.fit, model.partial_fit, model.set_params(warm_start=True).fit):
        with pytest.raises(KeyboardInterrupt):
            refit(frame, Y)
    assert_array_equal(model.predict(frame), expected)
    assert model.n_iter_ == 1


@pytest.mark.slow
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_fit_cut_short_leaves_the_earlier_one_usable(error, fitted):
    keras = pytest.importorskip("keras")

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise error("stop")

    model = pickle.loads(pickle.dumps(fitted))
    frame = pd.DataFrame(X, columns=list("abcd"))
    expected = model.predict(frame)
    model.set_params(callbacks=[Interrupt()], units=9, epochs=5)
    with pytest.raises(error, match="stop"):
        model.fit(X[:, :2], Y)
    assert_array_equal(model.predict(frame), expected)
