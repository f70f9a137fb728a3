"""Training is Keras's own, weight for weight, and goes on where it stopped."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skl_lstm import LookbackWindower, LSTMForecaster
from skl_lstm.training.state import TrainingState

# Two hundred updates in float32, summed in another order.
TOLERANCE = 1e-5
EPOCHS = 20


@pytest.fixture(scope="module")
def rows():
    """23 windows of 3 lags, a target each: a multiple of no batch size used here."""
    series = np.sin(np.arange(25.0) * 0.7)[:, np.newaxis]
    windows = LookbackWindower(3).fit_transform(series)[2:].astype(np.float32)
    return windows, np.roll(series[2:, 0], -1).astype(np.float32)


def forecaster(**parameters):
    settings = {"units": 3, "epochs": EPOCHS, "batch_size": 5, "shuffle": False, "random_state": 0}
    return LSTMForecaster(**{**settings, **parameters})


def plain_keras_fit(fitted, X, y, optimizer, sample_weight=None, loss="mse"):
    """The same network from the same start, in plain Keras."""
    keras = pytest.importorskip("keras")

    units = fitted.network_.units
    model = keras.Sequential([keras.Input((3, 1))])
    for n_units in units[:-1]:
        model.add(keras.layers.LSTM(n_units, return_sequences=True))
    model.add(keras.layers.LSTM(units[-1]))
    model.add(keras.layers.Dense(1))
    start = TrainingState.fresh(fitted.network_, fitted.seed_)
    model.set_weights(fitted.network_.views(start.parameters))
    model.compile(optimizer=optimizer, loss=loss)
    model.fit(
        X[..., np.newaxis],
        y,
        sample_weight=sample_weight,
        batch_size=fitted.batch_size,
        epochs=fitted.epochs,
        shuffle=False,
        verbose=0,
    )
    return model


@pytest.mark.slow
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("units", [3, (4, 3)], ids=["one layer", "two layers"])
@pytest.mark.parametrize(
    ("optimizer", "parameters"),
    [
        ("Adam", {"learning_rate": 0.01}),
        ("SGD", {"learning_rate": 0.05, "momentum": 0.9}),
        ("RMSprop", {"learning_rate": 0.003}),
    ],
)
def test_weights_end_where_plain_keras_ends(optimizer, parameters, units, weighted, rows, engine):
    keras = pytest.importorskip("keras")

    X, y = rows
    weight = np.linspace(0.1, 2.0, len(X)) if weighted else None
    kwargs = {name: value for name, value in parameters.items() if name != "learning_rate"}
    ours = forecaster(
        engine=engine,
        units=units,
        optimizer=optimizer.lower(),
        learning_rate=parameters["learning_rate"],
        optimizer_kwargs=kwargs,
    ).fit(X, y, sample_weight=weight)
    theirs = plain_keras_fit(
        ours, X, y, getattr(keras.optimizers, optimizer)(**parameters), weight
    )
    for our_part, their_part in zip(ours.weights_, theirs.get_weights(), strict=True):
        assert_allclose(our_part, their_part, atol=TOLERANCE)
    assert_allclose(ours.history_["loss"], theirs.history.history["loss"], rtol=1e-4)
    assert ours.engine_ == engine


@pytest.mark.slow
def test_the_model_given_back_predicts_the_same_and_is_compiled(rows, engine):
    X, y = rows
    ours = forecaster(engine=engine, units=(4, 3), epochs=2).fit(X, y)
    model = ours.to_keras()
    assert_allclose(model.predict(X[..., np.newaxis], verbose=0)[:, 0], ours.predict(X), atol=1e-5)
    loss = np.mean((ours.predict(X) - y) ** 2)
    assert_allclose(model.evaluate(X[..., np.newaxis], y, verbose=0), loss, rtol=1e-4)
    assert int(model.optimizer.iterations) == 2 * 5


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "adamw"])
@pytest.mark.parametrize("shuffle", [False, True])
def test_training_goes_on_as_if_never_stopped(optimizer, shuffle, rows, engine):
    X, y = rows
    model = forecaster(engine=engine, optimizer=optimizer, shuffle=shuffle, epochs=4)
    if optimizer == "sgd":
        model.set_params(optimizer_kwargs={"momentum": 0.9})
    once = clone(model).fit(X, y)
    twice = clone(model).set_params(epochs=2, warm_start=True).fit(X, y).fit(X, y)
    by_epoch = clone(model)
    for _ in range(4):
        by_epoch.partial_fit(X, y)
    for other in (twice, by_epoch):
        for part, expected in zip(other.weights_, once.weights_, strict=True):
            assert_allclose(part, expected, atol=1e-6)
        assert_allclose(other.history_["loss"], once.history_["loss"], rtol=1e-5)
        assert other.n_iter_ == once.n_iter_ == 4


def test_without_warm_start_a_fit_starts_anew(rows, engine):
    X, y = rows
    model = forecaster(engine=engine, epochs=2).fit(X, y)
    first = model.weights_
    assert_array_equal(model.fit(X, y).weights_[0], first[0])
    assert model.n_iter_ == 2


def test_validation_is_on_the_last_rows_in_time(rows, engine):
    X, y = rows
    model = forecaster(engine=engine, epochs=3, validation_split=0.2).fit(X, y)
    n_train = 18  # floor(23 * 0.8), as Keras has it
    alone = forecaster(engine=engine, epochs=3).fit(X[:n_train], y[:n_train])
    assert_allclose(model.weights_[0], alone.weights_[0], atol=1e-6)
    expected = np.mean((model.predict(X[n_train:]) - y[n_train:]) ** 2)
    assert_allclose(model.history_["val_loss"][-1], expected, rtol=1e-4)


def test_early_stopping_keeps_the_best_epoch(rows, engine):
    X, y = rows
    model = forecaster(
        engine=engine,
        epochs=60,
        learning_rate=0.3,
        validation_split=0.3,
        early_stopping=True,
        patience=3,
    ).fit(X, y)
    losses = model.history_["val_loss"]
    assert model.n_iter_ == len(losses) == np.argmin(losses) + 1 + 3 < 60
    validation = slice(int(len(X) * 0.7), None)
    kept = np.mean((model.predict(X[validation]) - y[validation]) ** 2)
    assert_allclose(kept, min(losses), rtol=1e-4)


def test_early_stopping_without_validation_rows_watches_the_training_loss(rows, engine):
    X, y = rows
    model = forecaster(engine=engine, learning_rate=1.0, early_stopping=True, patience=2).fit(X, y)
    losses = model.history_["loss"]
    assert model.n_iter_ == np.argmin(losses) + 1 + 2 < EPOCHS


def test_metrics_stand_in_the_history(rows, engine):
    X, y = rows
    model = forecaster(engine=engine, epochs=2, metrics=["mae"], validation_split=0.2).fit(X, y)
    assert set(model.history_) == {"loss", "mae", "val_loss", "val_mae"}
    expected = np.mean(np.abs(model.predict(X[18:]) - y[18:]))
    assert_allclose(model.history_["val_mae"][-1], expected, rtol=1e-4)


@pytest.mark.slow
def test_a_metric_said_in_plain_values_keeps_its_arguments(rows):
    X, y = rows
    by_axis = [
        forecaster(
            epochs=1, metrics=[{"class_name": "CosineSimilarity", "config": {"axis": axis}}]
        )
        .fit(X, np.column_stack([y, X[:, 0]]))
        .history_["cosine_similarity"][0]
        for axis in (0, -1)
    ]
    assert not np.isclose(*by_axis)


def test_a_loss_that_is_no_longer_a_number_stops_training(rows, engine):
    X, y = rows
    model = forecaster(engine=engine, optimizer="sgd", learning_rate=1e30)
    with pytest.warns(ConvergenceWarning, match=r"the training loss is not finite in epoch \d+"):
        model.fit(X, y)
    assert model.n_iter_ < EPOCHS


def test_dropout_changes_training_and_not_prediction(rows, engine):
    X, y = rows
    plain = forecaster(engine=engine, epochs=2).fit(X, y)
    for name in ("dropout", "recurrent_dropout"):
        model = forecaster(engine=engine, epochs=2, **{name: 0.5}).fit(X, y)
        assert not np.allclose(model.weights_[0], plain.weights_[0])
        assert_array_equal(model.predict(X), model.predict(X))
        again = forecaster(engine=engine, epochs=2, **{name: 0.5}).fit(X, y)
        assert_array_equal(model.weights_[0], again.weights_[0])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:stateful=True cuts")
@pytest.mark.parametrize("batch_size", [1, 4])
def test_stateful_training_is_keras_with_states_reset_each_epoch(batch_size, rows, engine):
    keras = pytest.importorskip("keras")

    X, y = rows
    ours = forecaster(
        engine=engine, units=(4, 3), stateful=True, shuffle="auto", batch_size=batch_size
    ).fit(X, y)

    model = keras.Sequential([keras.Input(batch_shape=(batch_size, 3, 1))])
    model.add(keras.layers.LSTM(4, stateful=True, return_sequences=True))
    model.add(keras.layers.LSTM(3, stateful=True))
    model.add(keras.layers.Dense(1))
    start = TrainingState.fresh(ours.network_, ours.seed_)
    model.set_weights(ours.network_.views(start.parameters))
    model.compile(optimizer=keras.optimizers.Adam(), loss="mse")
    n_left_over = len(X) % batch_size
    streams = np.arange(n_left_over, len(X)).reshape(batch_size, -1).T.ravel()
    for _ in range(EPOCHS):
        model.fit(
            X[streams][..., np.newaxis],
            y[streams],
            batch_size=batch_size,
            shuffle=False,
            verbose=0,
        )
        for layer in model.layers[:2]:
            layer.reset_state()
    for our_part, their_part in zip(ours.weights_, model.get_weights(), strict=True):
        assert_allclose(our_part, their_part, atol=1e-4)


def test_streams_of_unequal_length_are_named_in_a_warning(rows, engine):
    X, y = rows
    model = forecaster(engine=engine, stateful=True, shuffle="auto", batch_size=4, epochs=1)
    with pytest.warns(UserWarning, match=r"23 training rows .* the oldest 3 are left out"):
        model.fit(X, y)
