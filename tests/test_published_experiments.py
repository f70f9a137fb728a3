"""The published experiments, each in a few lines: they land where plain Keras lands.

Numbers are those that benchmarks/published_experiments.py prints, which runs all of this
against plain Keras from several seeds. Here a short training is held to plain Keras weight for
weight, and the full one to what the experiment is about.
"""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_digits
from sklearn.metrics import mean_absolute_error, mean_squared_error, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import (
    LookbackWindower,
    LSTMClassifier,
    LSTMForecaster,
    forecast,
    load_airline_passengers,
    load_kernel,
    make_supervised,
)
from skl_lstm.training.state import TrainingState

pytestmark = pytest.mark.slow

AIRLINE = {
    1: (1, LSTMForecaster(units=4, batch_size=1, reshape_mode="features")),
    2: (3, LSTMForecaster(units=4, batch_size=1, reshape_mode="features")),
    3: (3, LSTMForecaster(units=4, batch_size=1)),
    4: (3, LSTMForecaster(units=4, batch_size=1, stateful=True)),
    5: (3, LSTMForecaster(units=(4, 4), batch_size=1, stateful=True)),
}
# RMSE of training and later rows by plain Keras: mean and standard deviation over seeds.
BY_KERAS = {
    1: ((22.86, 49.55), (0.084, 1.9)),
    2: ((23.04, 59.6), (2.6, 4.1)),
    3: ((25.33, 61.34), (1.8, 10.0)),
    4: ((23.52, 66.22), (1.3, 19.0)),
    5: ((26.4, 117.0), (5.2, 70.0)),
}
SEQUENCE = LSTMForecaster(units=10, batch_size=9, epochs=1000)
PAIRS = LSTMForecaster(units=10, shuffle=False, epochs=300)
SINE = LSTMForecaster(units=(5, 20), batch_size=512, validation_split=0.05, epochs=500)
TWO_CLASSES = LSTMClassifier(units=10, learning_rate=0.01, epochs=20)
THREE_CLASSES = LSTMClassifier(units=10, learning_rate=0.01, epochs=20)
DIGITS = LSTMClassifier(units=64, features_per_step=8, learning_rate=0.005, epochs=30)
OPTIMIZERS = {
    "sgd": LSTMForecaster(
        units=10,
        batch_size=10,
        optimizer="sgd",
        learning_rate=0.1,
        optimizer_kwargs={"momentum": 0.3},
        metrics=["mae"],
    ),
    "rmsprop": LSTMForecaster(units=10, batch_size=10, optimizer="rmsprop", metrics=["mae"]),
    "adam": LSTMForecaster(units=10, batch_size=10, optimizer="adam", metrics=["mae"]),
}


def published_airline_rows(look_back):
    """Scaled as a whole, cut at 67 %, the last possible row of each part left out."""
    series = load_airline_passengers().to_numpy(float).reshape(-1, 1)
    scaler = MinMaxScaler().fit(series)
    scaled = scaler.transform(series)[:, 0]
    train, test = (windows(part, look_back) for part in np.split(scaled, [int(144 * 0.67)]))
    return (train[0][:-1], train[1][:-1]), (test[0][:-1], test[1][:-1]), scaler.data_range_[0]


def windows(series, look_back):
    return np.lib.stride_tricks.sliding_window_view(series, look_back)[:-1], series[look_back:]


def pairs(n):
    values = np.arange(n + 1) / 10
    return values[:-1, np.newaxis], values[1:]


def sine():
    return windows(np.sin(np.arange(-50.0, 50.0)), 50)


def made_sequences(*periods):
    """Noisy waves; the class is the period."""
    random = np.random.default_rng(0)
    labels = np.arange(600) % len(periods)
    phase = random.uniform(0.0, 2.0 * np.pi, (600, 1))
    waves = np.sin(2.0 * np.pi * np.arange(24) / np.array(periods)[labels][:, None] + phase)
    return waves + random.normal(scale=0.8, size=waves.shape), labels


def digit_rows():
    """8 rows of 8 pixels: train and held-out rows."""
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16.0, y, test_size=0.25, stratify=y, random_state=0)


# 1 to 5: the airline series -------------------------------------------------------------------


def airline_errors(number, n_seeds=10, **changes):
    """RMSE of training and later rows from each seed, and of the last value for the next."""
    look_back, model = AIRLINE[number]
    train, test, scale = published_airline_rows(look_back)

    def errors(predict):
        return [root_mean_squared_error(y, predict(X)) * scale for X, y in (train, test)]

    models = [clone(model).set_params(random_state=k, **changes) for k in range(n_seeds)]
    by_seed = np.array([errors(model.fit(*train).predict) for model in models])
    return by_seed, errors(lambda X: X[:, -1])


@pytest.mark.parametrize("number", AIRLINE)
def test_airline_errors_lie_within_the_spread_of_plain_keras(number):
    by_seed, _ = airline_errors(number)
    mean, spread = BY_KERAS[number]
    assert (np.abs(np.median(by_seed, axis=0) - mean) < spread).all()


@pytest.mark.parametrize("number", [1, 2])
def test_airline_networks_of_one_step_learn_more_than_to_repeat_the_last_value(number):
    by_seed, last_value = airline_errors(number)
    assert (by_seed[:, 0] < last_value[0]).mean() >= 0.8


@pytest.mark.parametrize("number", [4, 5])
def test_airline_networks_learn_more_with_the_state_of_the_rows_before(number):
    stateful, _ = airline_errors(number)
    stateless, _ = airline_errors(number, stateful=False)
    assert np.median(stateful[:, 0]) < np.median(stateless[:, 0]) - 0.5


@pytest.mark.parametrize("number", AIRLINE)
def test_airline_without_the_leaks_of_the_published_protocol_is_near_plain_keras(number):
    look_back, model = AIRLINE[number]
    series = load_airline_passengers()
    X, y = make_supervised(series)
    X_changed, _ = make_supervised(series.where(np.arange(len(series)) < 120, 2 * series))
    onwards = {"initial_state": "fit"} if model.stateful else {}
    errors = []
    for seed in range(5):
        network = clone(model).set_params(random_state=seed)
        composed = TransformedTargetRegressor(
            make_pipeline(MinMaxScaler(), LookbackWindower(look_back), network),
            transformer=MinMaxScaler(),
        ).fit(X.iloc[:95], y.iloc[:95])
        fitted = composed.predict(X.iloc[:95])
        later = composed.predict(X.iloc[95:], **onwards)
        errors.append(
            [
                root_mean_squared_error(y.iloc[:95], fitted),
                root_mean_squared_error(y.iloc[95:], later),
            ]
        )
        changed = composed.predict(X_changed.iloc[95:], **onwards)
        assert_allclose(changed[:25], later[:25], rtol=1e-5)
        assert not np.isclose(changed[25], later[25])
    mean, spread = np.array(BY_KERAS[number])
    assert (np.abs(np.median(errors, axis=0) - mean) < 2 * spread).all()


def test_a_stateful_experiment_goes_on_row_by_row():
    train, (X, _), _ = published_airline_rows(3)
    model = clone(AIRLINE[5][1]).set_params(random_state=0).fit(*train)
    stream = model.stream(initial_state="fit")
    row_by_row = [stream.predict_next(x) for x in X]
    assert_allclose(row_by_row, model.predict(X, initial_state="fit"), atol=1e-5)


# 6 and 7: small sequences ---------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_each_value_of_the_sequence_predicts_the_next(seed):
    X, y = pairs(9)
    predicted = clone(SEQUENCE).set_params(random_state=seed).fit(X, y).predict(X)
    assert mean_squared_error(y, predicted) < 5e-4
    assert_array_equal(np.round(predicted, 1), np.round(y, 1))


def test_a_saved_model_predicts_the_same_in_another_process(tmp_path, engine):
    X, y = pairs(5)
    model = clone(PAIRS).set_params(engine=engine, random_state=0)
    if engine == "keras":
        model.set_params(epochs=3)
    path = tmp_path / "lstm_model.h5"
    model.fit(X, y).save(path)
    load_kernel()
    elsewhere = subprocess.run(
        [
            sys.executable,
            "-c",
            "from skl_lstm import LSTMForecaster, load_kernel\n"
            "load_kernel()\n"
            f"model = LSTMForecaster.load({str(path)!r})\n"
            "print(model.predict([[0.0], [0.1], [0.2], [0.3], [0.4]]).tolist())",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    assert elsewhere.stdout == f"{model.predict(X).tolist()}\n"


# 8: the sine ----------------------------------------------------------------------------------


def test_the_sine_is_followed_point_by_point_and_as_a_whole_sequence():
    wave = np.sin(np.arange(-50.0, 50.0))
    X, y = make_supervised(wave)
    network = clone(SINE).set_params(random_state=0)
    model = make_pipeline(LookbackWindower(look_back=50), network).fit(X, y)
    point_by_point = model.predict(X)[49:]
    whole_sequence = forecast(model, wave[:50], steps=50)
    assert root_mean_squared_error(wave[50:], point_by_point) < 0.02
    assert root_mean_squared_error(wave[50:], whole_sequence) < 0.02


# 9: classes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "periods", "names"),
    [(TWO_CLASSES, (6, 9), ["fast", "slow"]), (THREE_CLASSES, (5, 7, 10), ["a", "b", "c"])],
    ids=["two", "several"],
)
def test_sequences_are_told_apart(model, periods, names):
    X, labels = made_sequences(*periods)
    y = np.array(names)[labels]
    fitted = clone(model).set_params(random_state=0).fit(X[:300], y[:300])
    probabilities = fitted.predict_proba(X[300:])
    assert probabilities.shape == (300, len(names))
    assert_allclose(probabilities.sum(axis=1), 1.0)
    assert_array_equal(fitted.predict(X[300:]), fitted.classes_[probabilities.argmax(axis=1)])
    assert fitted.score(X[300:], y[300:]) > 0.85


def test_digits_are_read_row_by_row():
    X_train, X_test, y_train, y_test = digit_rows()
    fitted = clone(DIGITS).set_params(random_state=0).fit(X_train, y_train)
    assert fitted.score(X_test, y_test) >= 0.95


# 10: optimizers, metrics, verbose, evaluation -------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_regression_is_followed_by_its_metrics_and_judged_on_held_out_rows(optimizer):
    train, test, _ = published_airline_rows(3)
    model = clone(OPTIMIZERS[optimizer]).set_params(random_state=0).fit(*train)
    assert [len(values) for values in model.history_.values()] == [100, 100]
    assert set(model.history_) == {"loss", "mae"}
    assert model.history_["mae"][-1] < 0.5 * model.history_["mae"][0]

    X_test, y_test = test
    evaluated = model.to_keras().evaluate(X_test[..., np.newaxis], y_test, verbose=0)
    predicted = model.predict(X_test)
    expected = mean_squared_error(y_test, predicted), mean_absolute_error(y_test, predicted)
    assert_allclose(evaluated, expected, rtol=1e-3)
    assert expected[0] < 0.02


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_verbose_shows_nothing_or_how_the_loss_falls(verbose, capfd):
    train, _, _ = published_airline_rows(3)
    model = clone(OPTIMIZERS["adam"]).set_params(epochs=3, verbose=verbose)
    model.fit(*train)
    shown = capfd.readouterr().out
    assert bool(shown) == bool(verbose)
    if verbose == 1:
        assert "loss: " in shown.splitlines()[-1]
    if verbose == 2:
        assert sum("loss: " in line for line in shown.splitlines()) == 3


# A short training is plain Keras's, weight for weight ------------------------------------------

SHORT = {
    **{f"airline {n}": (AIRLINE[n][1], published_airline_rows(AIRLINE[n][0])[0]) for n in AIRLINE},
    "sequence": (SEQUENCE, pairs(9)),
    "sine": (SINE, sine()),
    "two classes": (TWO_CLASSES, made_sequences(6, 9)),
    "three classes": (THREE_CLASSES, made_sequences(5, 7, 10)),
    "digits": (DIGITS, digit_rows()[::2]),
    **{name: (model, published_airline_rows(3)[0]) for name, model in OPTIMIZERS.items()},
}
SHORT_EPOCHS = 2


def plain_keras(fitted):
    """Build what a tutorial writes for one of our networks, with the same first weights."""
    keras = pytest.importorskip("keras")

    network = fitted.network_
    stateful = network.stateful
    *lower, last = network.units
    shape = (1 if stateful else None, network.n_steps, network.n_features)
    model = keras.Sequential([keras.Input(batch_shape=shape)])
    for n_units in lower:
        model.add(keras.layers.LSTM(n_units, stateful=stateful, return_sequences=True))
    model.add(keras.layers.LSTM(last, stateful=stateful))
    model.add(keras.layers.Dense(network.n_outputs, activation=network.output_activation))
    model.set_weights(network.views(TrainingState.fresh(network, fitted.seed_).parameters))

    optimizer = {
        "sgd": keras.optimizers.SGD(learning_rate=0.1, momentum=0.3),
        "rmsprop": keras.optimizers.RMSprop(),
        "adam": keras.optimizers.Adam(fitted.learning_rate or 0.001),
    }[fitted.optimizer]
    loss = {"sigmoid": "binary_crossentropy", "softmax": "sparse_categorical_crossentropy"}
    model.compile(optimizer, loss.get(network.output_activation, "mse"), metrics=fitted.metrics)
    return model


@pytest.mark.parametrize("name", SHORT)
def test_a_short_training_is_plain_keras_weight_for_weight(name):
    model, (X, y) = SHORT[name]
    model = clone(model).set_params(epochs=SHORT_EPOCHS, shuffle=False, random_state=0)
    by_engine = {
        engine: clone(model).set_params(engine=engine).fit(X, y) for engine in ("native", "keras")
    }
    theirs = plain_keras(by_engine["native"])
    inputs = X.reshape(len(X), *theirs.input_shape[1:])
    history = {}
    for _ in range(SHORT_EPOCHS):
        epoch = theirs.fit(
            inputs,
            y,
            batch_size=model.batch_size,
            shuffle=False,
            validation_split=model.validation_split,
            verbose=0,
        )
        for layer in theirs.layers[:-1]:
            layer.reset_state()
        for measure, (value,) in epoch.history.items():
            history.setdefault(measure, []).append(value)
    outputs = theirs.predict(inputs, batch_size=1 if model.stateful else None, verbose=0)

    for engine, ours in by_engine.items():
        assert ours.engine_ == engine
        for our_part, their_part in zip(ours.weights_, theirs.get_weights(), strict=True):
            assert_allclose(our_part, their_part, atol=1e-4, err_msg=engine)
        assert ours.history_.keys() == history.keys()
        for measure, values in ours.history_.items():
            assert_allclose(values, history[measure], rtol=1e-3, err_msg=f"{engine} {measure}")
        if is_classifier(ours):
            # One sigmoid output is the probability of the second class.
            given = ours.predict_proba(X)[:, -outputs.shape[1] :]
        else:
            given = ours.predict(X)[:, np.newaxis]
        assert_allclose(given, outputs, atol=1e-4, err_msg=engine)
