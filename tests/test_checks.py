"""What is wrong is answered with what would be right."""

import inspect
import re

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array, csc_matrix, csr_array
from sklearn.base import BaseEstimator
from sklearn.utils import check_array

from skl_lstm.checks import (
    check_dense,
    compare_columns,
    did_you_mean,
    is_finite_array,
    keep_columns,
    naming_the_nearest,
)


class Base:
    @naming_the_nearest
    def __init__(self, size=1, *, color="red"):
        """Make one."""
        self.size, self.color = size, color


class Derived(Base):
    """It has no ``__init__`` of its own."""


@pytest.mark.parametrize(
    ("name", "known", "end"),
    [
        ("unit", ["units", "epochs"], "; did you mean 'units'?"),
        ("UNITS", ["epochs", "Units"], "; did you mean 'Units'?"),
        ("depth", ["units", "epochs"], ""),
        ("unit", [], ""),
    ],
)
def test_the_nearest_name_is_asked_for_if_one_is_near(name, known, end):
    assert did_you_mean(name, known) == end


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        (
            Base,
            "colour",
            "Base() got an unexpected keyword argument 'colour'; did you mean 'color'?",
        ),
        (Derived, "colour", "Derived() got an unexpected keyword argument 'colour'; did you mean"),
        (Derived, "weight", "Derived() got an unexpected keyword argument 'weight'"),
        (Base, "self", "Base() got an unexpected keyword argument 'self'"),
    ],
)
def test_an_unknown_parameter_is_refused_by_the_class_that_was_called(kind, name, message):
    with pytest.raises(TypeError, match=f"^{re.escape(message)}"):
        kind(**{name: 1})


def test_known_parameters_and_the_signature_are_as_before():
    made = Derived(2, color="blue")
    assert (made.size, made.color) == (2, "blue")
    assert str(inspect.signature(Derived)) == "(size=1, *, color='red')"
    assert Derived.__init__.__doc__ == "Make one."


@pytest.mark.parametrize("kind", [csr_array, csc_matrix, coo_array])
def test_sparse_data_is_refused_with_what_makes_it_dense(kind):
    message = (
        "X must be dense, got sparse data: set sparse_output=False in the OneHotEncoder before, "
        "or pass X.toarray()"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        check_dense(kind(np.eye(3)))


@pytest.mark.parametrize("X", [np.eye(3), [[1.0]], pd.DataFrame({"toarray": [1.0]}), None])
def test_all_else_counts_as_dense(X):
    check_dense(X)


@pytest.mark.parametrize(
    ("X", "finite"),
    [
        (np.eye(2), True),
        (np.eye(2, dtype=np.float32), True),
        (np.array([[np.nan, 1.0]]), False),
        (np.array([[-np.inf, 1.0]]), False),
        (np.eye(2, dtype=np.float16), False),
        (np.eye(2, dtype=int), False),
        (np.ma.masked_array(np.eye(2)), False),
        (np.empty((0, 2)), False),
        ([[1.0]], False),
    ],
)
def test_only_finite_floats_of_numpy_need_no_further_check(X, finite):
    assert is_finite_array(X) == finite
    if finite:
        assert check_array(X) is X


def test_columns_are_compared_as_scikit_learn_does():
    frame = pd.DataFrame({"a": [1.0], "b": [2.0]})
    nameless, named = BaseEstimator(), BaseEstimator()
    keep_columns(nameless, frame.to_numpy())
    keep_columns(named, frame)
    compare_columns(nameless, frame.to_numpy())
    compare_columns(named, frame)
    with pytest.raises(ValueError, match="X has 1 features, but BaseEstimator is expecting 2"):
        compare_columns(nameless, frame.to_numpy()[:, :1])
    with pytest.warns(UserWarning, match="X has feature names, but BaseEstimator was fitted"):
        compare_columns(nameless, frame)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        compare_columns(named, frame.to_numpy())
    keep_columns(named, frame.to_numpy())
    assert vars(named) == {"n_features_in_": 2}
