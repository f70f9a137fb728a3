"""What is public is exported at the root, documented, and cheap to import."""

import inspect
import pickle
import pickletools
import subprocess
import sys

import numpy as np
import pytest

import skl_lstm


def test_all_names_the_public_names():
    public = {
        name
        for name, value in vars(skl_lstm).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert set(skl_lstm.__all__) == public


@pytest.mark.parametrize("name", skl_lstm.__all__)
def test_every_public_name_has_an_example(name):
    assert ">>>" in getattr(skl_lstm, name).__doc__


@pytest.mark.parametrize("name", ["LSTMClassifier", "LSTMForecaster", "LookbackWindower"])
def test_every_parameter_is_documented_with_its_default(name):
    documented = getattr(skl_lstm, name).__doc__
    for parameter in inspect.signature(getattr(skl_lstm, name)).parameters.values():
        default = repr(parameter.default).replace("'", '"')
        assert f"{parameter.name} : " in documented
        line = documented.split(f"{parameter.name} : ")[1].split("\n")[0]
        assert f"default={default}" in line


@pytest.mark.parametrize("name", skl_lstm.__all__)
def test_every_public_name_says_that_it_is_of_the_package_itself(name):
    assert getattr(skl_lstm, name).__module__ == "skl_lstm"


def modules_named(content):
    texts = {argument for _, argument, _ in pickletools.genops(content)}
    return {text for text in texts if isinstance(text, str) and text.startswith("skl_lstm")}


def test_a_pickle_names_the_package_and_no_module_in_it():
    X = np.random.default_rng(0).normal(size=(12, 2))
    stateful = skl_lstm.LSTMForecaster(units=2, stateful=True, batch_size=2, epochs=1)
    stateful.fit(X, X[:, 0])
    labels = X[:, 0] > 0
    for thing in (
        stateful,
        stateful.stream(),
        skl_lstm.LSTMClassifier(units=2, epochs=1).fit(X, labels),
        skl_lstm.LookbackWindower(2).fit(X),
        skl_lstm.ModelFileError("broken"),
        skl_lstm.Backtest(None, None),
    ):
        assert modules_named(pickle.dumps(thing, protocol=4)) == {"skl_lstm"}


@pytest.mark.slow
def test_importing_the_package_imports_nothing_heavy():
    program = (
        "import sys, skl_lstm\n"
        "heavy = {'tensorflow', 'keras', 'scikeras', 'matplotlib', 'numba', 'h5py', 'skops'}\n"
        "assert not heavy & set(sys.modules), 'imported'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_version_is_that_of_the_distribution():
    from importlib.metadata import version

    assert skl_lstm.__version__ == version("skl-lstm")
