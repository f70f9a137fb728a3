"""What is public is exported at the root, documented, and cheap to import."""

import ast
import inspect
import pickle
import pickletools
import re
import subprocess
import sys
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

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


@pytest.mark.parametrize("name", skl_lstm.__all__)
def test_every_parameter_is_documented_with_its_default(name):
    public = getattr(skl_lstm, name)
    if inspect.isclass(public) and issubclass(public, (Exception, np.ndarray)):
        return
    entries = re.findall(r"^    ([\w, ]+) : (.*(?:\\\n.*)?)$", public.__doc__, re.MULTILINE)
    documented = {name: of for names, of in entries for name in names.split(", ")}
    for parameter in inspect.signature(public).parameters.values():
        assert parameter.name in documented
        if parameter.default is not parameter.empty:
            default = repr(parameter.default).replace("'", '"')
            assert documented[parameter.name].endswith((f"default={default}", "optional"))


def choices(hint):
    """Return the values of the Literals in a type."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return set().union(*(choices(each) for each in get_args(hint)))


ESTIMATORS = {"reshape_mode", "window_scaling", "engine"}
NETWORKS = {"cell", "hidden_activation", "dense_activation"}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("LSTMForecaster", {*ESTIMATORS, *NETWORKS, "output_activation"}),
        ("LSTMClassifier", {*ESTIMATORS, *NETWORKS}),
        ("LookbackWindower", {"padding", "context"}),
        ("SeriesScaledRegressor", {"method"}),
        ("Network", {*NETWORKS, "output_activation"}),
        ("WindowScaling", {"method"}),
    ],
)
def test_every_choice_is_in_the_signature_as_it_is_documented(name, parameters):
    kind = getattr(skl_lstm, name)
    documented = dict(re.findall(r"^    (\w+) : (\{.*?\})", kind.__doc__, re.MULTILINE))
    hints = get_type_hints(kind.__init__)
    for parameter in parameters:
        values = ast.literal_eval(documented[parameter])
        assert choices(hints[parameter]) == values - {None}, parameter


@pytest.mark.parametrize("name", ["LSTMForecaster", "LSTMClassifier"])
def test_choices_among_other_values_are_in_the_signature(name):
    hints = get_type_hints(getattr(skl_lstm, name).__init__)
    assert choices(hints["shuffle"]) == {True, False, "auto"}
    assert choices(hints["verbose"]) == {0, 1, 2}
    for method in ("predict", "stream"):
        hints = get_type_hints(getattr(getattr(skl_lstm, name), method))
        assert choices(hints["initial_state"]) == {"zeros", "fit"}


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
        skl_lstm.backtest(LinearRegression(), np.arange(20.0), cv=2),
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
