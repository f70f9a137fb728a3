"""What is wrong is answered with what would be right."""

import inspect
import re

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array, csc_matrix, csr_array

from skl_lstm.checks import check_dense, did_you_mean, naming_the_nearest


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
