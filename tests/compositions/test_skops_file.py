"""Whole models go through one file without pickle, and nothing but them does."""

import importlib
import io
import os
import re
import subprocess
import sys
import zipfile

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

import skl_lstm
from skl_lstm import (
    LookbackWindower,
    LSTMClassifier,
    LSTMForecaster,
    ModelFileError,
    load_model,
    save_model,
)

pytestmark = pytest.mark.needs("skops")


def composed(**parameters):
    forecaster = LSTMForecaster(**{"units": 3, "epochs": 2, "random_state": 0, **parameters})
    return TransformedTargetRegressor(
        make_pipeline(MinMaxScaler(), LookbackWindower(look_back=3), forecaster),
        transformer=make_pipeline(FunctionTransformer(np.log, np.exp), MinMaxScaler()),
    )


@pytest.fixture
def data(airline):
    X, y = airline
    return X[:60], y[:60]


def loaded(model, folder):
    save_model(model, folder / "model.skops")
    return load_model(folder / "model.skops")


@pytest.mark.parametrize(
    "model",
    [
        composed(),
        composed(stateful=True, batch_size=1),
        composed().regressor,
        make_pipeline(FunctionTransformer(np.log, np.exp), composed(units=(3, 2)).regressor),
        make_pipeline(
            LookbackWindower(look_back=3),
            LSTMForecaster(units=3, epochs=2, window_scaling="standard", random_state=0),
        ),
        LSTMForecaster(units=3, epochs=2, metrics=["mae"], warm_start=True),
        LookbackWindower(look_back=3),
    ],
    ids=["target scaled", "stateful", "pipeline", "nested", "scaling", "forecaster", "windower"],
)
def test_a_composed_model_is_what_it_was(model, data, tmp_path):
    X, y = data
    model.fit(X, y)
    again = loaded(model, tmp_path)
    answer = "predict" if hasattr(model, "predict") else "transform"
    assert_array_equal(getattr(again, answer)(X), getattr(model, answer)(X))
    assert repr(again) == repr(model)
    if answer == "predict":
        assert_array_equal(again.fit(X, y).predict(X).shape, y.shape)


def test_a_searchs_best_estimator_is_saved_and_the_search_refused(data, tmp_path):
    grid = {"regressor__lookbackwindower__look_back": [1, 3]}
    search = GridSearchCV(composed(), grid, cv=TimeSeriesSplit(2)).fit(*data)
    again = loaded(search.best_estimator_, tmp_path)
    assert_array_equal(again.predict(data[0]), search.predict(data[0]))
    with pytest.raises(
        ModelFileError, match=r"cannot be saved: it holds .*_split\.TimeSeriesSplit"
    ):
        save_model(search, tmp_path / "search.skops")
    assert not (tmp_path / "search.skops").exists()


def test_a_classifier_is_what_it_was(data, tmp_path):
    X, y = data
    labels = np.where(y > y.median(), "many", "few")
    model = make_pipeline(LookbackWindower(3), LSTMClassifier(units=3, epochs=2)).fit(X, labels)
    assert_array_equal(loaded(model, tmp_path).predict_proba(X), model.predict_proba(X))


def test_it_trains_on_where_it_stood(data, tmp_path):
    X, y = data
    model = composed(warm_start=True).fit(X, y).regressor_[-1]
    again = loaded(model, tmp_path)
    windows, target = np.random.default_rng(0).normal(size=(20, 3)), np.zeros(20)
    expected = model.partial_fit(windows, target).weights_
    for part, other in zip(again.partial_fit(windows, target).weights_, expected, strict=True):
        assert_array_equal(part, other)


@pytest.mark.slow
def test_a_process_without_tensorflow_loads_it(data, tmp_path):
    X, y = data
    model = composed().fit(X, y)
    save_model(model, tmp_path / "model.skops")
    joblib.dump(X, tmp_path / "X.joblib")
    program = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'scikeras'): sys.modules[name] = None\n"
        "import joblib, skl_lstm\n"
        "skl_lstm.load_kernel()\n"
        "model = skl_lstm.load_model('model.skops')\n"
        "joblib.dump(model.predict(joblib.load('X.joblib')), 'y.joblib')\n"
    )
    path = os.path.dirname(os.path.dirname(skl_lstm.__file__))
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
    assert_array_equal(joblib.load(tmp_path / "y.joblib"), model.predict(X))


def shifted(values):
    return values + 1


def test_what_would_not_load_again_is_not_saved(data, tmp_path):
    X, y = data
    for model in (
        make_pipeline(FunctionTransformer(shifted)).fit(X),
        LSTMForecaster(units=2, epochs=1).fit(X, y).set_params(loss=shifted),
    ):
        with pytest.raises(ModelFileError, match=r"not trusted: test_skops_file\.shifted$"):
            save_model(model, tmp_path / "model.skops")
    diverged = LSTMForecaster(units=2, epochs=1).fit(X, y)
    diverged.weights_[0][:] = np.nan
    with pytest.raises(ModelFileError, match=r"cannot be saved: .*lstm_cell/kernel holds a value"):
        save_model(make_pipeline(diverged), tmp_path / "model.skops")
    assert not list(tmp_path.iterdir())


def test_a_type_that_is_not_trusted_is_named_and_never_made(tmp_path):
    import skops.io

    path = tmp_path / "model.skops"
    skops.io.dump(make_pipeline(FunctionTransformer(os.system)), path)
    with pytest.raises(ModelFileError, match=r"not trusted: (posix|nt)\.system"):
        load_model(path)


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archived(parts, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_broken_files_are_refused(data, tmp_path):
    path = tmp_path / "model.skops"
    save_model(composed().fit(*data), path)
    whole, parts = path.read_bytes(), members(path)
    array = next(name for name in parts if name.endswith(".npy"))
    claim = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        claim, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    )
    text = parts["schema.json"].decode()
    broken = {
        "empty": b"",
        "text": b"epoch,loss\n",
        "no schema": archived({}),
        "other JSON": archived({**parts, "schema.json": b"[1]"}),
        "deep JSON": archived({**parts, "schema.json": b"[" * 100_000}),
        "no array": archived({name: part for name, part in parts.items() if name != array}),
        "claimed array": archived({**parts, array: claim.getvalue()}),
        "cut array": archived({**parts, array: parts[array][:-4]}),
        "archive in it": archived({**parts, "sparse.npz": archived({"data.npy": bytes(9)})}),
        "array by another name": archived({**parts, "array.bin": claim.getvalue()}),
        "inflated": archived({**parts, "more": bytes(10**8)}, zipfile.ZIP_DEFLATED),
        "another class": archived(
            {**parts, "schema.json": text.replace("LSTMForecaster", "LSTMSomething").encode()}
        ),
        "another function": archived(
            {
                **parts,
                "schema.json": text.replace('"__class__": "exp"', '"__class__": "x"').encode(),
            }
        ),
        **{f"cut at {tenth}": whole[: len(whole) * tenth // 10] for tenth in range(1, 10)},
    }
    for content in broken.values():
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match=re.escape(f"{path}: ")):
            load_model(path)


def test_a_file_of_save_is_refused_with_what_reads_it(data, tmp_path):
    path = tmp_path / "model.h5"
    LSTMForecaster(units=2, epochs=1).fit(*data).save(path)
    message = r"it was written by save\(\): LSTMForecaster\.load or LSTMClassifier\.load reads it"
    with pytest.raises(ModelFileError, match=f"^{re.escape(str(path))}: {message}$"):
        load_model(path)


def test_a_model_file_of_skops_is_refused_by_load_with_what_reads_it(data, tmp_path):
    save_model(composed().fit(*data), tmp_path / "model.skops")
    with pytest.raises(ModelFileError, match="load_model reads files of save_model"):
        LSTMForecaster.load(tmp_path / "model.skops")


def test_a_changed_byte_is_found_or_changes_nothing(data, tmp_path):
    X, y = data
    path = tmp_path / "model.skops"
    model = composed().fit(X, y)
    save_model(model, path)
    whole, expected = path.read_bytes(), model.predict(X)
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        content = bytearray(whole)
        content[rng.integers(len(content))] ^= rng.integers(1, 256)
        path.write_bytes(content)
        try:
            assert_array_equal(load_model(path).predict(X), expected)
        except ModelFileError:
            refused += 1
    assert refused > 40


def test_weights_that_do_not_fit_the_network_are_refused(data, tmp_path):
    import skops.io

    X, y = data
    model = LSTMForecaster(units=3, epochs=1).fit(X, y)
    model.weights_ = [part[..., :1] for part in model.weights_]
    skops.io.dump(make_pipeline(model), tmp_path / "model.skops")
    with pytest.raises(ModelFileError, match="weights must be of the shapes"):
        load_model(tmp_path / "model.skops")


def test_the_systems_errors_of_a_path_stay(tmp_path):
    model = LookbackWindower()
    with pytest.raises(FileNotFoundError):
        save_model(model, tmp_path / "none" / "model.skops")
    with pytest.raises(OSError, match=re.escape(str(tmp_path))):
        load_model(tmp_path)


def test_without_skops_the_error_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    message = ' needs skops: pip install "skl-lstm[skops]"'
    with pytest.raises(ImportError, match=re.escape("save_model" + message)):
        save_model(LookbackWindower(), tmp_path / "model.skops")
    with pytest.raises(ImportError, match=re.escape("load_model" + message)):
        load_model(tmp_path / "model.skops")


def test_only_this_packages_types_are_trusted():
    from skl_lstm.compositions.skops_file import TRUSTED

    for name in TRUSTED:
        module, _, kind = name.rpartition(".")
        assert getattr(importlib.import_module(module), kind).__module__ == "skl_lstm"
    kinds = {
        "KnownRowsRegressor",
        "LSTMClassifier",
        "LSTMForecaster",
        "LookbackWindower",
        "Network",
        "SeriesScaledRegressor",
        "WindowScaling",
    }
    assert {name.rpartition(".")[2] for name in TRUSTED} == kinds


def test_the_file_names_no_inner_module(data, tmp_path):
    save_model(composed().fit(*data), tmp_path / "model.skops")
    names = re.findall(rb"skl_lstm\.[\w.]+", members(tmp_path / "model.skops")["schema.json"])
    assert not names


def test_a_search_is_refused_with_what_to_save_instead(data, tmp_path):
    search = GridSearchCV(composed(), {}, cv=TimeSeriesSplit(2)).fit(*data)
    with pytest.raises(ModelFileError, match=r"not trusted: .*; save its best_estimator_$"):
        save_model(search, tmp_path / "search.skops")
    save_model(search.best_estimator_, tmp_path / "search.skops")
