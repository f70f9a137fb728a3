"""One seed, one result, in any process; and the user's own generators stay where they were."""

import os
import random
import subprocess
import sys

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skl_lstm import LSTMForecaster

X = np.random.default_rng(0).normal(size=(30, 3))
Y = X[:, 0]


def train(engine="auto", **parameters):
    settings = {"units": 3, "epochs": 2, "batch_size": 8, "random_state": 7}
    model = LSTMForecaster(**{**settings, **parameters}, engine=engine)
    return model.fit(X, Y).weights_


def assert_same(weights, others):
    for part, other in zip(weights, others, strict=True):
        assert_array_equal(part, other)


def test_the_same_seed_gives_the_same_weights(engine):
    assert_same(train(engine), train(engine))


def test_epochs_that_go_in_one_call_are_those_that_go_one_by_one():
    # So large that a batch is shared out over the cores, where there are several.
    settings = {"units": 64, "batch_size": 32, "epochs": 12, "random_state": 0}
    X = np.random.default_rng(0).normal(size=(96, 12))
    together = LSTMForecaster(**settings).fit(X, X[:, 0]).weights_
    one_by_one = LSTMForecaster(**settings, metrics=["mae"]).fit(X, X[:, 0]).weights_
    assert_same(together, one_by_one)


def test_another_seed_gives_other_weights(engine):
    assert not np.array_equal(train(engine)[0], train(engine, random_state=8)[0])


def test_no_seed_gives_other_weights_each_time(engine):
    assert not np.array_equal(
        train(engine, random_state=None)[0], train(engine, random_state=None)[0]
    )


def test_a_generator_moves_on_as_scikit_learn_moves_it():
    generator = np.random.RandomState(7)
    first, second = train(random_state=generator), train(random_state=generator)
    assert not np.array_equal(first[0], second[0])
    assert_same(first, train(random_state=np.random.RandomState(7)))


@pytest.mark.slow
def test_worker_processes_give_the_same_weights(engine):
    for weights in joblib.Parallel(n_jobs=2)(joblib.delayed(train)(engine) for _ in range(2)):
        assert_same(weights, train(engine))


def restart_keras_generator():
    keras = pytest.importorskip("keras")

    keras.backend.clear_session()
    keras.utils.set_random_seed(3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_global_generators_stay_where_they_were(engine):
    keras = pytest.importorskip("keras")

    train(engine)  # whatever the first import moves
    restart_keras_generator()
    expected = keras.random.normal((2,))
    restart_keras_generator()
    python, numpy = random.getstate(), np.random.get_state()
    for random_state in (7, None):
        train(engine, random_state=random_state, dropout=0.2, recurrent_dropout=0.2)
    LSTMForecaster(units=2, epochs=1, engine=engine).fit(X, Y).to_keras()
    assert random.getstate() == python
    for now, before in zip(np.random.get_state(), numpy, strict=True):
        assert_array_equal(now, before)
    assert_array_equal(keras.random.normal((2,)), expected)


PROGRAM = """
import os, sys, warnings, logging, random
if sys.argv[2] == "imported":  # what TensorFlow does to a process is its own affair
    import tensorflow, keras, scikeras.wrappers
import numpy as np
from skl_lstm import LSTMForecaster
before = dict(os.environ), list(warnings.filters), logging.root.level
generator = random.getstate()
X = np.random.default_rng(0).normal(size=(9, 3))
model = LSTMForecaster(units=2, epochs=1, engine=sys.argv[1]).fit(X, X[:, 0])
model.predict(X)
assert generator == random.getstate(), "random"
if sys.argv[2] == "imported":
    assert before == (dict(os.environ), list(warnings.filters), logging.root.level)
"""


def run(engine, imports):
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, engine, imports],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )


@pytest.mark.slow
def test_a_fit_leaves_the_process_as_it_was(engine):
    run(engine, "imported")


@pytest.mark.slow
def test_a_fit_prints_nothing_whatever(engine):
    done = run(engine, "fresh")
    assert (done.stdout, done.stderr) == ("", "")


EACH_ONE = """
import hashlib, sys, numpy as np
from skl_lstm import LSTMForecaster
X = np.random.default_rng(0).normal(size=(60, 6))
LINEAR = np.abs(np.tanh(X[:, 0]))
optimizers = [
    ("sgd", {}),
    ("sgd", {"momentum": 0.9}),
    ("sgd", {"momentum": 0.9, "nesterov": True}),
    ("sgd", {"weight_decay": 0.1}),
    ("sgd", {"clipnorm": 0.1}),
    ("sgd", {"global_clipnorm": 0.1}),
    ("sgd", {"clipvalue": 0.01}),
    ("rmsprop", {}),
    ("rmsprop", {"momentum": 0.5}),
    ("rmsprop", {"centered": True}),
    ("rmsprop", {"centered": True, "momentum": 0.5}),
    ("adam", {}),
    ("adam", {"amsgrad": True}),
    ("adamw", {}),
    ("adamax", {}),
]
settings = [{"optimizer": name, "optimizer_kwargs": kwargs} for name, kwargs in optimizers]
settings += [{"loss": name} for name in ("mae", "huber", "log_cosh", "pinball")]
settings += [{"loss": "pinball", "quantile": [0.1, 0.5, 0.9]}]
settings += [{"output_activation": name} for name in ("relu", "sigmoid", "softmax", "tanh")]
settings += [
    {"loss": "binary_crossentropy", "output_activation": "sigmoid"},
    {"loss": "categorical_crossentropy", "output_activation": "softmax"},
    {"dropout": 0.3},
    {"recurrent_dropout": 0.3},
    {"units": (5, 3)},
    {"stateful": True, "batch_size": 4},
    {"batch_size": 60, "units": 33},
    {"batch_size": 1},
]
for each in settings:
    y = LINEAR if "crossentropy" not in each.get("loss", "") else (LINEAR > 0.5).astype(float)
    if each.get("output_activation") == "softmax":
        y = np.column_stack([y, 1 - y])
    basic = {"units": 5, "features_per_step": 2, "epochs": 4, "batch_size": 8, "random_state": 7}
    model = LSTMForecaster(**{**basic, **each}, engine="native").fit(X, y)
    weights = b"".join(part.tobytes() for part in model.weights_)
    print(each, hashlib.sha256(weights).hexdigest())
"""


@pytest.mark.slow
def test_every_loss_and_optimizer_rounds_alike_compiled_and_from_the_cache(tmp_path):
    def trained(cache):
        done = subprocess.run(
            [sys.executable, "-c", EACH_ONE],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
        )
        return done.stdout.splitlines()

    compiled = trained(tmp_path)
    assert len(compiled) == 32
    assert trained(tmp_path) == compiled
