"""A network of Keras's becomes an estimator, and what cannot become one is refused."""

import io
import struct
import warnings
import zipfile

import h5py
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skl_lstm import LSTMClassifier, LSTMForecaster, ModelFileError

keras = pytest.importorskip("keras")

X = np.random.default_rng(0).normal(size=(24, 6)).astype(np.float32)
WINDOWS = X.reshape(24, 3, 2)
Y = np.tanh(X[:, 0])
LAYERS = keras.layers


def stacked():
    rates = {"recurrent_dropout": 0.2}
    return keras.Sequential(
        [
            keras.Input((3, 2)),
            LAYERS.LSTM(3, return_sequences=True, **rates),
            LAYERS.Dropout(0.1),
            LAYERS.LSTM(2, **rates),
            LAYERS.Dropout(0.1),
            LAYERS.Dense(1),
        ]
    )


def functional():
    inputs = keras.Input((3, 2))
    hidden = LAYERS.LSTM(3, return_sequences=True, name="below")(inputs)
    outputs = LAYERS.Dense(1, activation="tanh")(LAYERS.LSTM(4, name="above")(hidden))
    return keras.Model(inputs, outputs)


def built_late():
    model = keras.Sequential([LAYERS.LSTM(3), LAYERS.Dense(1)])
    model.build((None, 3, 2))
    return model


def trained(make, folder, **compiled):
    """Give a Keras model that has trained, and all that from_keras may take it from."""
    model = make()
    model.compile(**{"loss": "mse", "optimizer": "adam", **compiled})
    model.fit(WINDOWS, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return model, sources(model, folder)


def sources(model, folder):
    """Save a model in both formats of Keras."""
    paths = [folder / "model.keras", folder / "model.h5"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in paths:
            model.save(path)
    return [model, *paths]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(stacked, marks=pytest.mark.slow),
        functional,
        pytest.param(built_late, marks=pytest.mark.slow),
    ],
)
def test_a_network_of_keras_predicts_the_same_as_an_estimator(make, tmp_path):
    model, forms = trained(make, tmp_path)
    expected = model.predict(WINDOWS, verbose=0)[:, 0]
    for source in forms:
        ours = LSTMForecaster.from_keras(source, random_state=0)
        assert_allclose(ours.predict(X), expected, atol=1e-5)
        assert (ours.window_shape_, ours.n_features_in_) == ((3, 2), 6)
        assert (ours.loss, ours.optimizer["class_name"]) == ("mse", "Adam")
        ours.save(tmp_path / "ours.h5")
        assert_array_equal(LSTMForecaster.load(tmp_path / "ours.h5").predict(X), ours.predict(X))


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "sgd", "nadam"])
def test_a_network_of_keras_trains_on_as_keras_would(optimizer, tmp_path):
    kwargs = {"momentum": 0.9} if optimizer == "sgd" else {}
    made = type(keras.optimizers.get(optimizer))(0.05, **kwargs)
    model, forms = trained(built_late, tmp_path, optimizer=made)
    settings = {"epochs": 2, "batch_size": 8, "shuffle": False, "warm_start": True}
    if optimizer == "nadam":
        with pytest.warns(UserWarning, match="state of the Keras model's optimizer is left out"):
            LSTMForecaster.from_keras(forms.pop(), **settings)
    fitted = [LSTMForecaster.from_keras(source, **settings).fit(X, Y) for source in forms]
    model.fit(WINDOWS, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for ours in fitted:
        assert ours.engine_ == ("keras" if optimizer == "nadam" else "native")
        for part, expected in zip(ours.weights_, model.get_weights(), strict=True):
            assert_allclose(part, expected, atol=1e-5)


@pytest.mark.slow
def test_a_stateful_network_of_keras_is_taken_over(tmp_path):
    def make():
        layers = [keras.Input(batch_shape=(8, 3, 2)), LAYERS.LSTM(3, stateful=True)]
        return keras.Sequential([*layers, LAYERS.Dense(1)])

    model, forms = trained(make, tmp_path)
    model.layers[0].reset_states()
    expected = [
        model.predict_on_batch(np.repeat(window[np.newaxis], 8, axis=0))[0, 0]
        for window in WINDOWS
    ]
    for source in forms:
        ours = LSTMForecaster.from_keras(source)
        assert (ours.stateful, ours.batch_size) == (True, 8)
        assert_allclose(ours.predict(X), expected, atol=1e-5)
        assert ours.stream().predict_next(X[0]) == ours.predict(X)[0]
        assert ours.partial_fit(X, Y).n_iter_ == 1


@pytest.mark.slow
def test_a_classifier_of_keras_has_numbers_for_labels():
    layers = [keras.Input((3, 2)), LAYERS.LSTM(3), LAYERS.Dense(3, activation="softmax")]
    model = keras.Sequential(layers)
    ours = LSTMClassifier.from_keras(model)
    assert_array_equal(ours.predict(X), model.predict(WINDOWS, verbose=0).argmax(axis=1))
    message = "LSTMClassifier of 1 outputs cannot have the activation 'linear'"
    with pytest.raises(ValueError, match=message):
        LSTMClassifier.from_keras(stacked())


@pytest.mark.slow
def test_what_is_given_stands_in_for_what_keras_compiled(tmp_path):
    _, (_, source, _) = trained(stacked, tmp_path, metrics=["mae"])
    ours = LSTMForecaster.from_keras(source, loss="mae", optimizer="sgd", dropout=0.3, epochs=7)
    assert (ours.loss, ours.optimizer, ours.dropout, ours.epochs) == ("mae", "sgd", 0.3, 7)
    assert ours.metrics == ["mae"]
    assert ours.optimizer_state_ == {}
    with pytest.raises(ValueError, match="units follows from the Keras network and cannot be"):
        LSTMForecaster.from_keras(source, units=3)
    with pytest.raises(TypeError, match="depth"):
        LSTMForecaster.from_keras(source, depth=3)


@pytest.mark.parametrize(
    "parameter", [{"window_scaling": "last"}, {"target": 0}, {"mirror": True}]
)
def test_a_network_trained_without_normalization_cannot_be_given_one(parameter, tmp_path):
    model = keras.Sequential([keras.Input((3, 1)), keras.layers.LSTM(2), keras.layers.Dense(1)])
    (name,) = parameter
    with pytest.raises(ValueError, match=f"{name} follows from the Keras network and cannot be"):
        LSTMForecaster.from_keras(model, **parameter)


@keras.saving.register_keras_serializable("test_keras_reader")
def shifted_error(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred - 0.1), axis=-1)


@pytest.mark.slow
def test_a_loss_that_is_not_of_keras_is_left_out_of_a_file_and_kept_of_a_model(tmp_path):
    _, (model, source, _) = trained(built_late, tmp_path, loss=shifted_error)
    with pytest.warns(
        UserWarning, match="the loss of the Keras model is left out: '.*shifted_error"
    ):
        assert LSTMForecaster.from_keras(source).loss == "mse"
    ours = LSTMForecaster.from_keras(model, epochs=1, warm_start=True)
    assert ours.loss is shifted_error
    assert ours.fit(X, Y).engine_ == "keras"


def options(kind=LAYERS.LSTM, units=3, **given):
    return lambda: keras.Sequential([keras.Input((3, 2)), kind(units, **given), LAYERS.Dense(1)])


def layers(*given, shape=(3, 2)):
    return lambda: keras.Sequential([keras.Input(shape), *given])


@keras.saving.register_keras_serializable("test_keras_reader")
class OwnLSTM(LAYERS.LSTM):
    pass


def two_inputs():
    first, second = keras.Input((3, 2)), keras.Input((3, 2))
    hidden = LAYERS.LSTM(3)(LAYERS.Add()([first, second]))
    return keras.Model([first, second], LAYERS.Dense(1)(hidden))


def given_a_state():
    inputs = keras.Input((3, 2))
    below, *state = LAYERS.LSTM(3, return_sequences=True, return_state=True)(inputs)
    return keras.Model(inputs, LAYERS.Dense(1)(LAYERS.LSTM(3)(below, initial_state=state)))


REFUSED = {
    "lambda": (
        layers(LAYERS.LSTM(3), LAYERS.Lambda(lambda x: x, name="evil"), LAYERS.Dense(1)),
        "layer 'evil', of the class Lambda, is not supported",
    ),
    "rnn": (
        options(LAYERS.SimpleRNN, name="simple"),
        "layer 'simple', of the class SimpleRNN, is not supported",
    ),
    "reset before": (options(LAYERS.GRU, reset_after=False), "has reset_after=False"),
    "two kinds": (
        layers(LAYERS.LSTM(3, return_sequences=True), LAYERS.GRU(3, name="g"), LAYERS.Dense(1)),
        "layer 'g', of the class GRU, must be of the class of the first one, LSTM",
    ),
    "own": (options(OwnLSTM, name="mine"), "layer 'mine', of the class .*OwnLSTM, is not"),
    "own, bidirectional": (
        layers(LAYERS.Bidirectional(OwnLSTM(3, name="mine")), LAYERS.Dense(1)),
        "layer 'forward_mine', of the class .*OwnLSTM, is not",
    ),
    "unlike directions": (
        layers(
            LAYERS.Bidirectional(
                LAYERS.LSTM(3), backward_layer=LAYERS.LSTM(2, go_backwards=True), name="b"
            ),
            LAYERS.Dense(1),
        ),
        "layer 'b', .* must have layers that differ only in their direction",
    ),
    "summed": (
        layers(LAYERS.Bidirectional(LAYERS.LSTM(3), merge_mode="sum", name="b"), LAYERS.Dense(1)),
        "layer 'b', .* has merge_mode='sum', which is not supported",
    ),
    "one direction": (
        layers(
            LAYERS.Bidirectional(LAYERS.LSTM(3, return_sequences=True)),
            LAYERS.LSTM(3, name="one"),
            LAYERS.Dense(1),
        ),
        "layer 'one', .* must be of the class of the first one, Bidirectional of LSTM",
    ),
    "activation": (
        options(activation="mish", name="a"),
        "layer 'a', .* has the activation 'mish', not tanh, relu, leaky_relu, elu",
    ),
    "two activations": (
        layers(
            LAYERS.LSTM(3, activation="relu", return_sequences=True),
            LAYERS.LSTM(3, name="second"),
            LAYERS.Dense(1),
        ),
        "layer 'second', .* has activation='tanh', but the first of them has 'relu'",
    ),
    "backwards": (options(go_backwards=True), "has go_backwards=True"),
    "no bias": (options(use_bias=False), "has use_bias=False"),
    "frozen": (options(trainable=False), "has trainable=False"),
    "half precision": (options(dtype="float16"), "has dtype='float16'"),
    "given a state": (given_a_state, "does not follow the layer"),
    "two inputs": (two_inputs, "of the class Add, is not supported"),
    "two dense activations": (
        layers(
            LAYERS.LSTM(3), LAYERS.Dense(2, "relu"), LAYERS.Dense(2, name="d"), LAYERS.Dense(1)
        ),
        "layer 'd', .* has activation='linear', but the first of them has 'relu'",
    ),
    "dense between": (
        layers(LAYERS.LSTM(3, return_sequences=True), LAYERS.Dense(2), LAYERS.LSTM(3)),
        "of the class Dense, is out of place",
    ),
    "normalized output": (
        layers(LAYERS.LSTM(3), LAYERS.Dense(1), LAYERS.BatchNormalization(name="n")),
        "layer 'n', of the class BatchNormalization, is out of place: a Dense layer must follow",
    ),
    "normalized steps": (
        layers(
            LAYERS.LSTM(3, return_sequences=True),
            LAYERS.BatchNormalization(1, name="n"),
            LAYERS.LSTM(2),
            LAYERS.Dense(1),
        ),
        "layer 'n', .* has axis=1, which is not supported",
    ),
    "flat twice": (
        layers(LAYERS.LSTM(3), LAYERS.Flatten(), LAYERS.Flatten(name="f"), LAYERS.Dense(1)),
        "layer 'f', of the class Flatten, is out of place",
    ),
    "hidden activation": (
        layers(LAYERS.LSTM(3), LAYERS.Dense(2, activation="softmax"), LAYERS.Dense(1)),
        "has the activation 'softmax', not linear, relu, sigmoid, tanh",
    ),
    "no lstm": (layers(LAYERS.Dense(1)), "of the class Dense, is out of place"),
    "no dense": (layers(LAYERS.LSTM(3)), "of the class LSTM, is out of place"),
    "sequences": (
        layers(LAYERS.LSTM(3, return_sequences=True, name="all"), LAYERS.Dense(1)),
        "layer 'all', of the class LSTM, must return sequences, unless",
    ),
    "dense activation": (
        layers(LAYERS.LSTM(3), LAYERS.Dense(1, activation="selu")),
        "has the activation 'selu'",
    ),
    "any length": (
        layers(LAYERS.LSTM(3), LAYERS.Dense(1), shape=(None, 2)),
        "windows of a fixed shape",
    ),
    "two rates": (
        layers(
            LAYERS.LSTM(3, return_sequences=True),
            LAYERS.Dropout(0.2),
            LAYERS.LSTM(3),
            LAYERS.Dense(1),
        ),
        r"have the rates \[0.2, 0.0\] of dropout",
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", REFUSED)
def test_any_other_network_is_refused_by_the_name_of_its_layer(case, tmp_path, monkeypatch):
    make, message = REFUSED[case]
    model, *paths = sources(make(), tmp_path)
    with pytest.raises(ValueError, match=message):
        LSTMForecaster.from_keras(model)
    monkeypatch.setattr(keras.models, "load_model", None)  # nothing of a file may be built
    monkeypatch.setattr(keras.saving, "deserialize_keras_object", None)
    for path in paths:
        with pytest.raises(ModelFileError, match=message) as caught:
            LSTMForecaster.from_keras(path)
        assert str(caught.value).startswith(f"{path}: it")


def test_where_rates_differ_the_one_to_train_on_may_be_said():
    make, _ = REFUSED["two rates"]
    assert LSTMForecaster.from_keras(make(), dropout=0.2).dropout == 0.2


def test_what_is_no_model_is_refused():
    with pytest.raises(ValueError, match="must be a Keras model or the path of one, got 3"):
        LSTMForecaster.from_keras(3)

    class Own(keras.Model):
        pass

    with pytest.raises(ValueError, match="a Sequential or functional model, got a Own"):
        LSTMForecaster.from_keras(Own())


def archive(path, change):
    """Write a .keras file again, its members changed."""
    with zipfile.ZipFile(path) as source:
        members = {name: source.read(name) for name in source.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(name, content)


@pytest.mark.slow
def test_broken_files_of_keras_are_refused(tmp_path):
    _, (_, path, _) = trained(built_late, tmp_path)
    whole = path.read_bytes()

    def refused(message):
        with pytest.raises(ModelFileError, match=message):
            LSTMForecaster.from_keras(path)

    for tenth in range(10):
        path.write_bytes(whole[: len(whole) * tenth // 10])
        refused("not a Keras archive|not an HDF5 file")
    path.write_bytes(whole)
    archive(path, lambda members: members.pop("config.json"))
    refused(r"not a Keras archive \(.*config.json")
    path.write_bytes(whole)
    archive(path, lambda members: members.update({"config.json": b"[" * 100_000}))
    refused("nested more than")
    path.write_bytes(whole)
    archive(path, lambda members: members.update({"config.json": b'{"class_name": "Model"}'}))
    refused("config")
    path.write_bytes(whole)
    archive(path, lambda members: members.update({"model.weights.h5": bytes(10**7)}))
    refused("model.weights.h5 claims 10000000 bytes")

    def weights(edit):
        def change(members):
            buffer = io.BytesIO(members["model.weights.h5"])
            with h5py.File(buffer, "r+") as file:
                place = file["layers/dense/vars"]
                del place["0"]
                edit(place)
            members["model.weights.h5"] = buffer.getvalue()

        path.write_bytes(whole)
        archive(path, change)

    for edit, message in [
        (lambda place: None, "layers/dense/vars/0 is missing"),
        (lambda place: place.update({"0": np.zeros((4, 1), "<f4")}), "must be of the shapes"),
        (lambda place: place.update({"0": np.full((3, 1), np.nan, "<f4")}), "not finite"),
        (
            lambda place: place.update({"0": h5py.ExternalLink("other.h5", "x")}),
            "is a link to elsewhere",
        ),
    ]:
        weights(edit)
        refused(message)


def cycle(weights, layer, secret):
    place = weights.create_group(layer)
    place["x"] = place


def outside(weights, layer, secret):
    weights.create_dataset(layer, shape=(1,), dtype="<f4", external=[(str(secret), 0, 4)])


def claimed(weights, layer, secret):
    weights.create_dataset(layer, shape=(10**12,), dtype="<f4")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "message"),
    [(cycle, "nested deeper"), (claimed, "is not a group"), (outside, "is not a group")],
)
def test_what_stands_in_place_of_a_layer_is_not_looked_into(edit, message, tmp_path):
    _, (*_, path) = trained(built_late, tmp_path)
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.float32(1234.5).tobytes())
    with h5py.File(path, "r+") as file:
        weights = file["model_weights"]
        layer = next(name for name in weights if name.startswith("lstm"))
        del weights[layer]
        edit(weights, layer, secret)
    with pytest.raises(ModelFileError, match=message) as raised:
        LSTMForecaster.from_keras(path)
    assert "1234" not in str(raised.value)


def test_heaps_within_heaps_are_gone_through_once(tmp_path):
    heap = b"GCOL\x01\0\0\0" + struct.pack("<QHHIQ", 2**62, 1, 0, 0, 16)
    path = tmp_path / "heaps.h5"
    path.write_bytes(heap * 100_000)
    with pytest.raises(ModelFileError, match="it is not an HDF5 file with the config of one"):
        LSTMForecaster.from_keras(path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the")
def test_a_changed_byte_in_a_file_of_keras_crashes_nothing(tmp_path):
    _, (*_, path) = trained(built_late, tmp_path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = []
    for _ in range(300):
        content = bytearray(whole)
        content[rng.integers(len(content))] = rng.integers(256)
        path.write_bytes(content)
        try:
            LSTMForecaster.from_keras(path)
        except ModelFileError as error:
            refused.append(str(error))
    assert 30 < len(refused) < 270
    assert all(message.startswith(f"{path}: ") for message in refused)
