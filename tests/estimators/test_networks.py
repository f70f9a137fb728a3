"""Every kind of network trains as plain Keras does, predicts, is saved and goes to and fro."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skl_lstm import LookbackWindower, LSTMClassifier, LSTMForecaster
from skl_lstm.training.state import TrainingState

SERIES = np.column_stack([np.sin(np.arange(40.0) * 0.7), np.cos(np.arange(40.0) * 0.3)])
WINDOWS = LookbackWindower(3).fit_transform(SERIES)[2:-1].astype(np.float32)
STEPS = WINDOWS.reshape(-1, 3, 2)
Y = SERIES[3:, 0].astype(np.float32)

NETWORKS = {
    "dense": {"dense_units": 5},
    "dense, stacked": {
        "units": (4, 3),
        "dense_units": (5, 3),
        "dense_activation": "tanh",
        "output_activation": "tanh",
    },
    "relu": {"units": (4, 3), "hidden_activation": "relu"},
    "elu": {"hidden_activation": "elu"},
    "leaky relu, bidirectional": {"hidden_activation": "leaky_relu", "bidirectional": True},
    "gru, softsign": {"cell": "gru", "hidden_activation": "softsign"},
    "gru": {"cell": "gru"},
    "gru, relu, stacked": {"cell": "gru", "units": (4, 3), "hidden_activation": "relu"},
    "bidirectional": {"bidirectional": True},
    "bidirectional gru, stacked": {"bidirectional": True, "cell": "gru", "units": (4, 3)},
    "all steps": {"all_steps": True, "units": (4, 3)},
    "all steps, bidirectional": {"all_steps": True, "bidirectional": True, "dense_units": 3},
    "l2": {"l2": 0.05, "dense_units": 3},
}
each_network = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)


def forecaster(**parameters):
    settings = {"units": 4, "features_per_step": 2, "epochs": 3, "batch_size": 5}
    return LSTMForecaster(**{**settings, "shuffle": False, "random_state": 0, **parameters})


def plain_keras(model):
    """Build the network of a forecaster as a user of Keras would."""
    keras = pytest.importorskip("keras")

    sizes = model.network_
    n_streams = model.batch_size if sizes.stateful else None
    plain = keras.Sequential([keras.Input(batch_shape=(n_streams, 3, 2))])
    layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[sizes.cell]
    shrunk = {"kernel_regularizer": keras.regularizers.L2(sizes.l2)} if sizes.l2 else {}
    for number, n_units in enumerate(sizes.units):
        more = sizes.all_steps or number < len(sizes.units) - 1
        options = {"return_sequences": more, "stateful": sizes.stateful, **shrunk}
        made = layer(n_units, sizes.hidden_activation, **options)
        plain.add(keras.layers.Bidirectional(made) if sizes.bidirectional else made)
    if sizes.all_steps:
        plain.add(keras.layers.Flatten())
    for n_units in sizes.dense_units:
        plain.add(keras.layers.Dense(n_units, sizes.dense_activation, **shrunk))
    plain.add(keras.layers.Dense(1, sizes.output_activation, **shrunk))
    start = TrainingState.fresh(sizes, model.seed_)
    plain.set_weights(sizes.views(start.parameters))
    plain.compile("adam", "mse")
    return plain


@pytest.mark.slow
@each_network
def test_its_weights_end_where_plain_keras_ends(network):
    model = forecaster(**network).fit(WINDOWS, Y)
    theirs = plain_keras(model)
    history = theirs.fit(STEPS, Y, batch_size=5, epochs=3, shuffle=False, verbose=0).history
    for ours, part in zip(model.weights_, theirs.get_weights(), strict=True):
        assert_allclose(ours, part, atol=1e-5)
    assert model.engine_ == "keras"
    assert_allclose(model.history_["loss"], history["loss"], rtol=1e-4)
    assert_allclose(model.predict(WINDOWS), theirs.predict(STEPS, verbose=0)[:, 0], atol=1e-5)


@pytest.mark.slow
@each_network
def test_it_goes_to_keras_and_back(network, tmp_path):
    keras = pytest.importorskip("keras")

    model = forecaster(**network).fit(WINDOWS, Y)
    expected = model.predict(WINDOWS)
    made = model.to_keras()
    model.save(tmp_path / "ours.h5")
    opened = keras.models.load_model(tmp_path / "ours.h5")
    made.save(tmp_path / "theirs.keras")
    for theirs in (made, opened):
        assert_allclose(theirs.predict(STEPS, verbose=0)[:, 0], expected, atol=1e-5)
    for source in (made, opened, tmp_path / "theirs.keras", tmp_path / "ours.h5"):
        if isinstance(source, keras.Model) or source.suffix == ".keras":
            taken = LSTMForecaster.from_keras(source)
            assert taken.network_ == model.network_
            assert_allclose(taken.predict(WINDOWS), expected, atol=1e-6)
    loaded = LSTMForecaster.load(tmp_path / "ours.h5")
    assert loaded.network_ == model.network_
    assert_array_equal(loaded.predict(WINDOWS), expected)


@pytest.mark.slow
@each_network
def test_training_goes_on_where_it_stopped(network, tmp_path):
    once = forecaster(**network, epochs=4).fit(WINDOWS, Y)
    twice = clone(once).set_params(epochs=2, warm_start=True).fit(WINDOWS, Y)
    twice.save(tmp_path / "half.h5")
    for half in (twice, LSTMForecaster.load(tmp_path / "half.h5")):
        for part, expected in zip(half.fit(WINDOWS, Y).weights_, once.weights_, strict=True):
            assert_allclose(part, expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["dense, stacked", "gru", "bidirectional gru, stacked", "all steps"]
)
def test_a_stateful_one_goes_on_row_by_row_and_from_a_file(name, tmp_path):
    model = forecaster(**NETWORKS[name], stateful=True, shuffle="auto", batch_size=1, epochs=2)
    model.fit(WINDOWS[:-3], Y[:-3])
    stream = model.stream()
    predicted = model.predict(WINDOWS)
    assert_array_equal([stream.predict_next(row) for row in WINDOWS], predicted)
    onwards = model.predict(WINDOWS[-3:], initial_state="fit")
    assert_allclose(onwards, predicted[-3:], atol=1e-6)
    model.save(tmp_path / "ours.h5")
    loaded = LSTMForecaster.load(tmp_path / "ours.h5")
    assert_array_equal(loaded.predict(WINDOWS[-3:], initial_state="fit"), onwards)
    theirs = model.to_keras().predict(STEPS, batch_size=1, verbose=0)
    assert_allclose(theirs[:, 0], predicted, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("network", [NETWORKS["dense"]])
def test_it_normalizes_windows_and_mirrors_them(network):
    series = SERIES[:, :1] + 10.0
    X = LookbackWindower(3).fit_transform(series)[2:-1]
    scaled = forecaster(**network, features_per_step=1, window_scaling="last", mirror=True)
    scaled.fit(X, Y + 10.0)
    expected = scaled.predict(X)
    assert_allclose(scaled.predict(X + 5.0), expected + 5.0, atol=1e-4)
    theirs = scaled.to_keras().predict(X[..., np.newaxis], verbose=0)
    assert_allclose(theirs[:, 0], expected, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_what_keras_trained_trains_on_as_keras_would(kind, tmp_path):
    keras = pytest.importorskip("keras")

    layers = keras.layers
    theirs = keras.Sequential([keras.Input((3, 2))])
    made = getattr(layers, kind)(4, kernel_regularizer="l2", return_sequences=True)
    theirs.add(layers.Bidirectional(made))
    theirs.add(layers.Flatten())
    theirs.add(layers.Dense(3, "relu", kernel_regularizer="l2"))
    theirs.add(layers.Dense(1, kernel_regularizer="l2"))
    theirs.compile("adam", "mse")
    settings = {"batch_size": 5, "epochs": 2, "shuffle": False}
    theirs.fit(STEPS, Y, **settings, verbose=0)
    theirs.save(tmp_path / "theirs.keras")
    theirs.save(tmp_path / "theirs.h5")
    sources = (theirs, tmp_path / "theirs.keras", tmp_path / "theirs.h5")
    taken = [LSTMForecaster.from_keras(each, **settings, warm_start=True) for each in sources]
    theirs.fit(STEPS, Y, **settings, verbose=0)
    for model in taken:
        assert model.l2 == 0.01
        for ours, part in zip(model.fit(WINDOWS, Y).weights_, theirs.get_weights(), strict=True):
            assert_allclose(ours, part, atol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the state of the Keras model's optimizer")
def test_a_merged_normalization_is_named_in_a_warning():
    keras = pytest.importorskip("keras")

    layers = [keras.layers.LSTM(3), keras.layers.BatchNormalization(name="batches")]
    theirs = keras.Sequential([keras.Input((3, 2)), *layers, keras.layers.Dense(1)])
    with pytest.warns(UserWarning, match="'batches': the normalization of batches is merged"):
        model = LSTMForecaster.from_keras(theirs)
    assert model.fit(WINDOWS, Y).engine_ == "native"


@pytest.mark.slow
def test_a_classifier_has_such_a_network_too():
    labels = np.digitize(Y, [-0.3, 0.3])
    model = LSTMClassifier(units=3, dense_units=4, features_per_step=2, epochs=2, random_state=0)
    model.fit(WINDOWS, labels)
    theirs = model.to_keras().predict(STEPS, verbose=0)
    assert_allclose(model.predict_proba(WINDOWS), theirs, atol=1e-5)


def test_the_native_engine_names_what_it_does_not_cover():
    message = r"engine='native' does not cover dense_units=\(5,\); engine='keras' may"
    with pytest.raises(ValueError, match=message):
        forecaster(dense_units=5, engine="native").fit(WINDOWS, Y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dense_units": "4"}, "dense_units must be a positive integer or a sequence of them"),
        ({"dense_units": (4, 0)}, "dense_units must be a positive integer, got 0"),
        ({"cell": "rnn"}, r"cell must be one of \('lstm', 'gru'\)"),
        ({"all_steps": 1}, r"all_steps must be one of \(True, False\), got 1"),
        ({"l2": -0.1}, r"l2 must be a number of at least 0, got -0.1"),
        ({"bidirectional": 1}, r"bidirectional must be one of \(True, False\), got 1"),
        ({"hidden_activation": "swish"}, r"hidden_activation must be one of \('tanh', 'relu', "),
        ({"dense_activation": "softmax"}, r"dense_activation must be one of \('linear', 'relu'"),
    ],
)
def test_a_wrong_parameter_of_the_network_is_refused_by_name(parameters, message):
    with pytest.raises(ValueError, match=message):
        forecaster(**parameters).fit(WINDOWS, Y)
