"""A saved estimator is what it was, trains on and opens anywhere."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal, assert_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skl_lstm import LSTMClassifier, LSTMForecaster, ModelFileError
from skl_lstm.files import model_file
from skl_lstm.network.forward import Stack

HERE = Path(__file__).parent
FILES = HERE / "model_files"
X = np.random.default_rng(0).normal(size=(24, 6))
Y = np.tanh(X[:, :2])


def forecaster(**parameters):
    settings = {"units": 3, "features_per_step": 2, "epochs": 2, "random_state": 0}
    return LSTMForecaster(**{**settings, **parameters})


def saved(model, folder):
    model.save(folder / "model.h5")
    return type(model).load(folder / "model.h5")


def assert_same(loaded, model):
    assert_equal(loaded.get_params(), model.get_params())
    assert set(vars(loaded)) == set(vars(model))
    for name, value in vars(model).items():
        assert_equal(getattr(loaded, name), value, err_msg=name)


KERAS = pytest.mark.needs("keras")


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"units": (3, 2), "dropout": 0.1, "recurrent_dropout": 0.2},
        {"units": [3, 2], "reshape_mode": "features"},
        {"stateful": True, "batch_size": 2, "units": (3, 2)},
        {"optimizer": "sgd", "optimizer_kwargs": {"momentum": 0.9, "nesterov": True}},
        {"loss": "pinball", "quantile": 0.9, "metrics": ("mae",), "validation_split": 0.25},
        {"loss": "pinball", "quantile": [0.1, 0.5, 0.9]},
        {"loss": "pinball", "quantile": (0.5,), "window_scaling": "last", "target": [0, 1]},
        {"learning_rate": 0.02, "early_stopping": True, "warm_start": True, "verbose": False},
        {"output_activation": "tanh", "engine": "native", "shuffle": False, "random_state": None},
        pytest.param({"dense_units": 4}, marks=KERAS),
        pytest.param({"dense_units": [4, 2], "dense_activation": "tanh"}, marks=KERAS),
        {"window_scaling": "last", "target": (1, 0)},
        {"window_scaling": "standard", "target": 0, "reshape_mode": "features"},
        {"window_scaling": "mean", "target": -1},
    ],
)
def test_all_of_a_forecaster_comes_back(parameters, tmp_path):
    model = forecaster(**parameters).fit(X, Y)
    loaded = saved(model, tmp_path)
    assert_same(loaded, model)
    assert_array_equal(loaded.predict(X), model.predict(X))


def test_y_of_one_dimension_windows_of_three_and_names_come_back(tmp_path):
    for windows, y in (
        (X, Y[:, 0]),
        (X.reshape(24, 3, 2), Y),
        (pd.DataFrame(X).add_prefix("x"), Y),
    ):
        model = forecaster().fit(windows, y)
        loaded = saved(model, tmp_path)
        assert_same(loaded, model)
        assert_array_equal(loaded.predict(windows), model.predict(windows))


@pytest.mark.parametrize(
    "labels",
    [[1, 2], [3, 1, 2], [False, True], [1.0, 2.0], ["no", "yes"], np.array(["a", "bc"], object)],
)
def test_a_classifier_comes_back_with_labels_of_their_type(labels, tmp_path):
    y = np.resize(np.asarray(labels), len(X))
    model = LSTMClassifier(units=3, epochs=2, class_weight={labels[0]: 2.0}, random_state=0)
    loaded = saved(model.fit(X, y), tmp_path)
    assert_same(loaded, model)
    assert loaded.classes_.dtype == model.classes_.dtype
    assert_array_equal(loaded.predict(X), model.predict(X))
    assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_numbers_of_numpy_are_plain_ones_when_they_come_back(tmp_path):
    model = forecaster(units=np.array([3, 2]), dropout=np.float64(0.5), epochs=np.int64(1))
    loaded = saved(model.fit(X, Y), tmp_path)
    assert loaded.units == [3, 2]
    assert type(loaded.dropout) is float
    assert type(loaded.epochs) is int


def test_a_random_state_comes_back_as_the_seed_drawn_from_it(tmp_path):
    model = forecaster(random_state=np.random.RandomState(3)).fit(X, Y)
    assert saved(model, tmp_path).random_state == model.seed_


def test_a_history_with_gaps_comes_back(tmp_path):
    model = forecaster(warm_start=True).fit(X, Y)
    model.set_params(metrics=["mae"]).fit(X, Y)
    assert np.isnan(model.history_["mae"][:2]).all()
    assert_equal(saved(model, tmp_path).history_, model.history_)


def test_parameters_changed_after_the_fit_do_not_change_the_network(tmp_path):
    model = forecaster().fit(X, Y).set_params(units=7, reshape_mode="features")
    loaded = saved(model, tmp_path)
    assert_same(loaded, model)
    assert_array_equal(loaded.predict(X), model.predict(X))


def test_a_loaded_estimator_is_one_of_scikit_learn(tmp_path):
    loaded = saved(forecaster(units=(3, 2)).fit(X, Y), tmp_path)
    assert clone(loaded).get_params() == loaded.get_params()
    assert loaded.fit(X, Y).score(X, Y) < 1


@pytest.mark.slow
def test_keras_objects_come_back_as_plain_values_that_train_alike(tmp_path):
    keras = pytest.importorskip("keras")

    schedule = keras.optimizers.schedules.ExponentialDecay(0.05, 4, 0.5)
    model = forecaster(
        loss=keras.losses.Huber(0.01),
        optimizer=keras.optimizers.Adam(schedule, beta_1=0.8),
        metrics=[keras.metrics.MeanAbsoluteError(name="off"), keras.metrics.mean_squared_error],
    ).fit(X, Y)
    loaded = saved(model, tmp_path)
    assert loaded.loss["class_name"] == "Huber"
    assert loaded.loss["config"]["delta"] == 0.01
    assert loaded.optimizer["config"]["learning_rate"]["class_name"] == "ExponentialDecay"
    assert loaded.metrics[1] == "mean_squared_error"
    again = clone(loaded).fit(X, Y)
    assert_array_equal(again.predict(X), model.predict(X))
    assert set(again.history_) == set(model.history_) >= {"loss", "off"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["class", "instance"])
def test_keras_objects_of_the_defaults_come_back_as_names(kind, tmp_path):
    keras = pytest.importorskip("keras")

    loss, optimizer = keras.losses.MeanAbsoluteError, keras.optimizers.RMSprop
    model = forecaster(loss=loss if kind == "class" else loss(), optimizer=optimizer).fit(X, Y)
    loaded = saved(model, tmp_path)
    assert (loaded.loss, loaded.optimizer) == ("MeanAbsoluteError", "RMSprop")


def mean_error(y_true, y_pred):
    return abs(y_true - y_pred)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": mean_error}, "loss cannot be saved: .*mean_error.* is not one of Keras's own"),
        ({"metrics": ["mae", mean_error]}, "metrics cannot be saved: .* not one of Keras's own"),
        (
            {"optimizer_kwargs": {"clipnorm": mean_error}},
            "optimizer_kwargs cannot be saved: a file",
        ),
    ],
)
def test_what_is_the_users_own_is_refused_by_name_before_anything_is_written(
    parameters, message, tmp_path
):
    model = forecaster().fit(X, Y).set_params(**parameters)
    with pytest.raises(ModelFileError, match=message):
        model.save(tmp_path / "model.h5")
    assert not list(tmp_path.iterdir())


def test_numbers_of_numpy_in_optimizer_kwargs_are_saved(tmp_path):
    X, y = np.eye(6, dtype=np.float32), np.arange(6.0)
    model = LSTMForecaster(units=2, epochs=1, optimizer_kwargs={"clipnorm": np.float32(1.0)})
    model.fit(X, y).save(tmp_path / "model.h5")
    assert LSTMForecaster.load(tmp_path / "model.h5").optimizer_kwargs == {"clipnorm": 1.0}


def test_a_parameter_that_is_not_finite_is_not_saved(tmp_path):
    model = LSTMForecaster(units=2, epochs=1).fit(np.eye(6), np.arange(6.0))
    model.set_params(optimizer_kwargs={"clipnorm": float("inf")})
    with pytest.raises(ModelFileError, match=r"optimizer_kwargs cannot be saved: .* finite"):
        model.save(tmp_path / "model.h5")


def test_labels_that_are_neither_numbers_nor_texts_are_not_saved(tmp_path):
    days = np.array(["2024-01-01", "2024-01-02"] * 3, dtype="M8[D]")
    model = LSTMClassifier(units=2, epochs=1).fit(np.eye(6), days)
    with pytest.raises(ModelFileError, match="classes_ must be numbers or strings to be saved"):
        model.save(tmp_path / "model.h5")


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    model = forecaster().fit(X, Y)
    model.weights_[0][0] = np.nan
    with pytest.raises(ModelFileError, match="lstm_cell/kernel holds a value that is not finite"):
        model.save(tmp_path / "model.h5")
    assert not list(tmp_path.iterdir())


def test_callbacks_are_left_out_with_a_warning(tmp_path):
    model = forecaster().fit(X, Y).set_params(callbacks=[mean_error])
    with pytest.warns(UserWarning, match="callbacks are not part of a model and are not saved"):
        assert saved(model, tmp_path).callbacks is None


def test_what_is_not_fitted_is_not_saved(tmp_path):
    with pytest.raises(NotFittedError):
        forecaster().save(tmp_path / "model.h5")
    assert not list(tmp_path.iterdir())


def test_a_name_under_which_keras_expects_another_format_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    message = (
        "path must not end in .keras, because the file is HDF5: end it in .h5, or write a .keras "
        f"file with to_keras().save; got {str(path)!r}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        forecaster().fit(X, Y).save(path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04", "; load_model reads files of save_model, and from_keras those of Keras"),
        (b"\x89HDF\r\n\x1a\n", "; from_keras reads files of Keras"),
        (b"Buy milk", ""),
    ],
)
@pytest.mark.parametrize("kind", [LSTMForecaster, LSTMClassifier])
def test_a_file_of_another_kind_is_refused_with_what_reads_it(kind, content, message, tmp_path):
    path = tmp_path / "model"
    path.write_bytes(content + bytes(100))
    with pytest.raises(
        ModelFileError, match=f"written by save.*: its header is missing{message}$"
    ):
        kind.load(path)


def test_a_file_tells_whose_it_is(tmp_path):
    forecaster().fit(X, Y).save(tmp_path / "model.h5")
    message = "an estimator of the class 'LSTMForecaster', not of the class 'LSTMClassifier'"
    with pytest.raises(ModelFileError, match=message):
        LSTMClassifier.load(tmp_path / "model.h5")


def test_the_file_of_the_airline_model_is_small(airline, tmp_path):
    windows = np.lib.stride_tricks.sliding_window_view(airline[1].to_numpy(), 3)[:-1]
    model = LSTMForecaster(units=4, epochs=100, batch_size=8).fit(windows, airline[1][3:])
    model.save(tmp_path / "model.h5")
    assert (tmp_path / "model.h5").stat().st_size < 30_000


NO_KERAS = """
import sys
absent = {"tensorflow", "keras", "scikeras", "numba", "pandas", "matplotlib", "skops"}
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ImportError(f"{name} is not to be imported here")
sys.meta_path.insert(0, Blocker())
"""


@pytest.mark.slow
def test_a_process_without_tensorflow_predicts_to_the_last_bit(tmp_path, monkeypatch):
    models = {
        "LSTMForecaster": forecaster(units=(3, 2), stateful=True, batch_size=2).fit(X, Y),
        "LSTMClassifier": LSTMClassifier(units=3, epochs=2).fit(X, Y[:, 0] > 0),
    }
    np.save(tmp_path / "X.npy", X)
    program = NO_KERAS + "import numpy as np, skl_lstm\nX = np.load('X.npy')\n"
    for name, model in models.items():
        model.save(tmp_path / f"{name}.h5")
        program += (
            f"model = skl_lstm.{name}.load('{name}.h5')\n"
            f"np.save('{name}.npy', model.predict(X))\n"
            f"model.save('{name}_again.h5')\n"
        )
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
    # Nor is the kernel there, so that NumPy has to predict here as well.
    monkeypatch.setattr("skl_lstm.engines.native.engine.stack_type", lambda network: Stack)
    for name, model in models.items():
        assert_array_equal(np.load(tmp_path / f"{name}.npy"), model.predict(X))
        assert_same(type(model).load(tmp_path / f"{name}_again.h5"), model)


TURNS = [("native", "keras"), ("keras", "native")]
OPTIMIZERS = {
    "adam": ({}, [*TURNS, ("native", "native"), ("keras", "keras")]),
    "sgd": ({"momentum": 0.9}, TURNS),
    "rmsprop": ({}, TURNS),
    "adamw": ({"weight_decay": 0.01}, TURNS),
    "nadam": ({}, [("keras", "keras")]),
    "adafactor": ({}, [("keras", "keras")]),
}


@pytest.mark.slow
def test_training_goes_on_in_another_process_where_it_stood(tmp_path):
    shared = {"shuffle": False, "batch_size": 8, "epochs": 20, "warm_start": True}
    once = {}
    for optimizer, (kwargs, engines) in OPTIMIZERS.items():
        settings = {**shared, "optimizer": optimizer, "optimizer_kwargs": kwargs}
        once[optimizer] = forecaster(**{**settings, "epochs": 40}).fit(X, Y).weights_
        for first, second in engines:
            begun = forecaster(**settings, engine=first).fit(X, Y)
            begun.save(tmp_path / f"{optimizer}_{first}_{second}.h5")
    program = (
        "import pathlib, numpy as np\n"
        "from skl_lstm import LSTMForecaster\n"
        "X, Y = np.load('X.npy'), np.load('Y.npy')\n"
        "for path in pathlib.Path().glob('*.h5'):\n"
        "    model = LSTMForecaster.load(path).set_params(engine=path.stem.split('_')[2])\n"
        "    model.fit(X, Y)\n"
        "    assert model.n_iter_ == 40, model.n_iter_\n"
        "    np.savez(path.stem, *model.weights_)\n"
    )
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "Y.npy", Y)
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
    ended = sorted(tmp_path.glob("*.npz"))
    assert len(ended) == 12
    for path in ended:
        with np.load(path) as parts:
            for number, expected in enumerate(once[path.stem.split("_")[0]]):
                assert_allclose(parts[f"arr_{number}"], expected, atol=1e-5, err_msg=path.stem)


def test_partial_fit_goes_on_after_loading(tmp_path):
    model = forecaster().fit(X, Y)
    loaded = saved(model, tmp_path)
    assert_same(loaded.partial_fit(X, Y), model.partial_fit(X, Y))


def test_a_stateful_network_goes_on_from_the_state_after_training(tmp_path):
    model = forecaster(stateful=True, batch_size=1).fit(X, Y)
    loaded = saved(model, tmp_path)
    first = loaded.stream(initial_state="fit").predict_next(X[0])
    assert_array_equal(first, model.predict(X[:1], initial_state="fit")[0])


@pytest.mark.parametrize("path", sorted(FILES.glob("*_[0-9]*.h5")), ids=lambda path: path.stem)
def test_files_of_every_format_still_load_and_predict_what_they_did(path):
    kind = LSTMClassifier if path.stem.startswith("classifier") else LSTMForecaster
    sys.path.insert(0, str(FILES))
    try:
        from make import rows
    finally:
        sys.path.remove(str(FILES))
    windows, _, _ = rows()
    model = kind.load(path)
    expected = json.loads(path.with_suffix(".json").read_text())
    windows = windows if hasattr(model, "feature_names_in_") else windows.to_numpy()
    predicted = model.predict(windows)
    if kind is LSTMForecaster:
        assert_allclose(predicted, expected["predictions"], atol=1e-6)
    else:
        assert_array_equal(predicted, expected["predictions"])
    assert model.history_["loss"] == expected["loss"]


def test_there_are_files_of_every_format():
    assert {path.stem.rpartition("_")[2] for path in FILES.glob("*_[0-9]*.h5")} == {
        str(number) for number in model_file.READERS
    }
