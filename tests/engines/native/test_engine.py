"""The native engine covers what it says, agrees with Keras, and steps aside for it elsewhere."""

import os
import re
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from skl_lstm import LSTMForecaster
from skl_lstm.engines.native import engine as native
from skl_lstm.engines.native.threads import VARIABLES

X = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
Y = np.tanh(X[:, 0]).astype(np.float32)


def forecaster(**parameters):
    settings = {"units": 3, "epochs": 2, "batch_size": 8, "random_state": 0}
    return LSTMForecaster(**{**settings, **parameters})


def only_keras():
    keras = pytest.importorskip("keras")

    return [
        ("callbacks", {"callbacks": [keras.callbacks.TerminateOnNaN()]}),
        ("metrics=['cosine_similarity']", {"metrics": ["cosine_similarity"]}),
        ("loss='mape'", {"loss": "mape"}),
        ("loss=<", {"loss": keras.losses.Huber(delta=2.0)}),
        ("loss='binary_crossentropy' after output", {"loss": "binary_crossentropy"}),
        ("optimizer='nadam'", {"optimizer": "nadam"}),
        (
            "learning_rate=",
            {
                "optimizer": keras.optimizers.Adam(
                    keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
                )
            },
        ),
        ("use_ema=True", {"optimizer_kwargs": {"use_ema": True}}),
    ]


@pytest.mark.parametrize(
    "case", [0, *(pytest.param(case, marks=pytest.mark.slow) for case in range(1, 8))]
)
def test_what_only_keras_covers_is_named_and_given_to_keras(case, capsys):
    reason, parameters = only_keras()[case]
    message = f"engine='native' does not cover {reason}"
    with pytest.raises(ValueError, match=re.escape(message)):
        forecaster(engine="native", **parameters).fit(X, Y)
    model = forecaster(engine="auto", verbose=2, **parameters).fit(X, Y)
    assert model.engine_ == "keras"
    assert f"the native engine does not cover {reason}" in capsys.readouterr().out


def covered():
    keras = pytest.importorskip("keras")

    return [
        {"optimizer": keras.optimizers.SGD(0.1, momentum=0.5)},
        {"optimizer": keras.optimizers.RMSprop},
        {"optimizer": "Adam", "optimizer_kwargs": {"clipnorm": 0.1, "beta_1": 0.8}},
        {"optimizer": "adamw", "optimizer_kwargs": {"weight_decay": 0.1}},
        {"optimizer": "adamax"},
        {"loss": keras.losses.MeanAbsoluteError},
        {"loss": "huber"},
        {"loss": "log_cosh"},
        {"loss": "pinball", "quantile": 0.9},
        {"loss": "binary_crossentropy", "output_activation": "sigmoid"},
        {"metrics": ["mae", "mse", "mape", "root_mean_squared_error"]},
        {"units": (3, 2, 2)},
        {"validation_split": 0.2, "early_stopping": True},
        {"loss": "pinball", "quantile": [0.1, 0.5, 0.9]},
        {
            "loss": "pinball",
            "quantile": [0.2, 0.5],
            "metrics": ["mae", "mape"],
            "validation_split": 0.2,
            "units": (3, 2),
            "output_activation": "tanh",
        },
    ]


@pytest.mark.slow
@pytest.mark.parametrize("case", range(15))
def test_the_engines_agree(case):
    parameters = covered()[case]
    target = (Y > 0).astype(np.float32) if "output_activation" in parameters else Y
    ours, theirs = (
        forecaster(engine=engine, epochs=3, **parameters).fit(X, target)
        for engine in ("auto", "keras")
    )
    assert ours.engine_ == "native"
    for our_part, their_part in zip(ours.weights_, theirs.weights_, strict=True):
        assert_allclose(our_part, their_part, atol=1e-5)
    assert set(ours.history_) == set(theirs.history_)
    for name in ours.history_:
        assert_allclose(ours.history_[name], theirs.history_[name], rtol=1e-3)


@pytest.mark.parametrize(
    "optimizer",
    [
        pytest.param("sgd", marks=pytest.mark.slow),
        pytest.param("rmsprop", marks=pytest.mark.slow),
        "adam",
        pytest.param("adamax", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("first", ["native", "keras"])
@pytest.mark.needs("keras")
def test_one_engine_goes_on_where_the_other_stopped(first, optimizer):
    second = {"native": "keras", "keras": "native"}[first]
    kwargs = {"momentum": 0.9} if optimizer == "sgd" else {}
    settings = {"optimizer": optimizer, "optimizer_kwargs": kwargs, "warm_start": True}
    turns = forecaster(engine=first, **settings).fit(X, Y)
    turns.set_params(engine=second).fit(X, Y)
    once = forecaster(engine="native", optimizer=optimizer, optimizer_kwargs=kwargs, epochs=4)
    once.fit(X, Y)
    for part, expected in zip(turns.weights_, once.weights_, strict=True):
        assert_allclose(part, expected, atol=1e-6)
    assert set(turns.optimizer_state_) == set(once.optimizer_state_)


def test_float64_and_float32_teach_the_same():
    once = forecaster(engine="native").fit(X, Y).weights_
    again = forecaster(engine="native").fit(X.astype(np.float64), Y.astype(np.float64)).weights_
    for part, expected in zip(again, once, strict=True):
        assert_array_equal(part, expected)


def test_another_optimizer_starts_from_a_state_of_its_own():
    model = forecaster(warm_start=True).fit(X, Y).set_params(optimizer="sgd").fit(X, Y)
    assert set(model.optimizer_state_) == {"iteration"}
    assert int(model.optimizer_state_["iteration"]) == 2 * 4


def test_fits_side_by_side_in_threads_give_what_they_give_alone():
    search = GridSearchCV(
        forecaster(), {"units": [2, 3, (2, 2)], "batch_size": [4, 30]}, cv=TimeSeriesSplit(3)
    )
    alone = search.fit(X, Y).cv_results_
    with joblib.parallel_config(backend="threading", n_jobs=2):
        together = search.fit(X, Y).cv_results_
    for fold in range(3):
        assert_array_equal(together[f"split{fold}_test_score"], alone[f"split{fold}_test_score"])


def test_large_batches_are_shared_out_without_a_change_in_the_result(monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 3)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    windows = np.random.default_rng(1).normal(size=(300, 24)).astype(np.float32)
    model = forecaster(units=48, batch_size=256, engine="native")
    shared = model.fit(windows, windows[:, 0]).weights_
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    alone = model.fit(windows, windows[:, 0]).weights_
    for part, expected in zip(shared, alone, strict=True):
        assert_array_equal(part, expected)


@pytest.mark.slow
def test_without_numba_keras_trains_with_one_warning(monkeypatch):
    def fail(*arguments):
        raise ImportError("no numba here")

    native.kernel_failure.cache_clear()
    native.warn_if_kernel_failed.cache_clear()
    monkeypatch.setattr(native, "fit", fail)
    try:
        with pytest.warns(RuntimeWarning, match=r"no numba here\); Keras trains instead"):
            assert forecaster().fit(X, Y).engine_ == "keras"
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            assert forecaster().fit(X, Y).engine_ == "keras"
        with pytest.raises(ValueError, match="engine='native' does not cover this platform"):
            forecaster(engine="native").fit(X, Y)
    finally:
        native.kernel_failure.cache_clear()


PROGRAM = """
import sys, numpy as np
from skl_lstm import LSTMForecaster
X = np.random.default_rng(0).normal(size=(9, 3))
model = LSTMForecaster(units=2, epochs=1, random_state=0).fit(X, X[:, 0])
model.predict(X)
assert model.engine_ == "native"
loaded = {"tensorflow", "keras", "scikeras"} & set(sys.modules)
assert not loaded, loaded
print(model.weights_[0].tobytes().hex())
"""


def start(environment):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def result(process):
    weights, errors = process.communicate()
    assert process.returncode == 0, errors
    return weights


def run(environment):
    return result(start(environment))


@pytest.mark.slow
def test_a_native_fit_imports_no_tensorflow():
    run({})


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    folder = tmp_path / "cache"
    folder.write_text("a file where a folder is wanted")
    assert run({"NUMBA_CACHE_DIR": str(folder)}) == run({})


@pytest.mark.slow
def test_fits_give_the_same_if_they_compile_at_once_and_with_a_whole_or_a_torn_cache(tmp_path):
    environment = {"NUMBA_CACHE_DIR": str(tmp_path)}
    first, second = start(environment), start(environment)
    weights, told = first.communicate()
    assert "loads its training kernel" in told  # and takes more than two seconds
    assert weights == result(second) == run(environment) == run({})
    sizes = {path: path.stat().st_size for path in tmp_path.rglob("*.nbc")}
    for path, size in sizes.items():
        os.truncate(path, size // 2)
    assert run(environment) == run({})
    assert any(path.stat().st_size > size // 2 for path, size in sizes.items())


def test_a_verbose_fit_says_what_it_does(capsys):
    forecaster(verbose=2).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"Epoch 1/2 - loss: 0\.\d+", lines[-2])
    assert lines[-1].startswith("Epoch 2/2 - loss:")
    forecaster(verbose=1, validation_split=0.2).fit(X, Y)
    (bar,) = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"Epoch 2/2 █+ in [\d.]+ s - loss: [\d.e-]+ - val_loss: [\d.e-]+", bar)
