"""y comes back from the outputs that it was turned into, and what it cannot be is named."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skl_lstm.estimators.targets import Labels, Values

TWO = np.array(["no", "yes", "yes", "no"])
THREE = np.array(["low", "high", "middle", "low", "high"])


@pytest.mark.parametrize("shape", [(6,), (6, 1), (2, 3)])
def test_values_come_back_in_the_shape_they_had(shape):
    y = np.arange(6.0).reshape(shape)
    values, outputs = Values.encode(y)
    assert outputs.shape == (len(y), y.size // len(y))
    assert outputs.dtype == y.dtype
    assert_array_equal(values.decode(outputs), y)
    assert values.decode(outputs).shape == shape


@pytest.mark.parametrize(("y", "n_outputs"), [(TWO, 1), (THREE, 3)], ids=["two", "three"])
def test_labels_of_text_come_back(y, n_outputs):
    labels, outputs = Labels.encode(y)
    assert_array_equal(labels.classes, np.unique(y))
    assert outputs.shape == (len(y), n_outputs)
    assert outputs.dtype == np.float32
    assert_array_equal(labels.decode(outputs), y)
    assert labels.decode(outputs).dtype == y.dtype


def test_the_most_probable_label_is_predicted():
    labels, _ = Labels.encode(TWO)
    assert_array_equal(labels.decode(np.array([[0.49], [0.51]])), ["no", "yes"])
    labels, _ = Labels.encode(THREE)
    assert_array_equal(labels.decode(np.array([[0.3, 0.3, 0.4]])), ["middle"])


def test_classes_that_may_come_later_have_an_output_too():
    labels, outputs = Labels.encode(TWO, classes=np.array(["maybe", "no", "yes"]))
    assert_array_equal(outputs, [[0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 1, 0]])
    assert_array_equal(labels.decode(outputs), TWO)


@pytest.mark.parametrize(("kind", "y"), [(Values, TWO == "yes"), (Labels, THREE)])
def test_the_fitted_attributes_make_it_again(kind, y):
    target, outputs = kind.encode(y)
    learned = target.learned()
    assert tuple(learned) == kind.attributes
    again = kind(*learned.values())
    assert_array_equal(again.decode(outputs), target.decode(outputs))


def test_one_class_is_refused():
    message = "^y must hold at least two classes, got one class: yes$"
    with pytest.raises(ValueError, match=message):
        Labels.encode(["yes", "yes"])


def test_no_label_at_all_is_refused():
    with pytest.raises(ValueError, match=r"^y must hold a label for each row of X, got none$"):
        Labels.encode([])


def test_a_label_that_is_not_among_the_classes_is_named():
    with pytest.raises(ValueError) as refused:
        Labels.encode(THREE, classes=np.array(["high", "low"]))
    assert str(refused.value) == (
        "y holds the labels ['middle'], which are not among the classes learned from the first "
        "rows, ['high' 'low']"
    )


def test_labels_that_cannot_be_sorted_are_refused_by_type():
    with pytest.raises(TypeError, match=r"^y must hold labels that can be sorted: "):
        Labels.encode(np.array(["a", 1], dtype=object))


@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
def test_a_row_of_which_nothing_is_known_gets_no_label(y):
    labels, outputs = Labels.encode(y)
    outputs[1:3, 0] = np.nan
    with pytest.raises(ValueError) as refused:
        labels.decode(outputs)
    assert str(refused.value) == (
        "X has 2 rows with no known value, the first is row 1: they have no class, and "
        "predict_proba gives NaN for them"
    )


@pytest.mark.parametrize("kind", [Values, Labels])
@pytest.mark.parametrize("n_outputs", [1, 2, 3])
def test_what_a_network_trained_elsewhere_predicts_can_be_predicted(kind, n_outputs):
    target = kind.of_outputs(n_outputs)
    target.check(n_outputs)
    assert len(target.decode(np.zeros((4, n_outputs)))) == 4


@pytest.mark.parametrize(("n_dimensions", "n_outputs"), [(1, 2), (3, 1), (0, 1), (3, 4)])
def test_values_that_a_network_cannot_predict_are_named(n_dimensions, n_outputs):
    with pytest.raises(ValueError) as refused:
        Values(n_dimensions).check(n_outputs)
    assert str(refused.value) == (
        f"a network of {n_outputs} outputs cannot predict y of {n_dimensions} dimensions"
    )


@pytest.mark.parametrize(
    ("classes", "n_outputs", "n_classes"),
    [
        (["a", "b", "c"], 1, 2),
        (["a", "b"], 3, 3),
        (["b", "a"], 1, 2),
        (["a", "a"], 1, 2),
        (["a", "b", "b"], 3, 3),
    ],
    ids=["too many", "too few", "unsorted", "repeated", "repeated among three"],
)
def test_labels_that_a_network_cannot_predict_are_named(classes, n_outputs, n_classes):
    with pytest.raises(ValueError) as refused:
        Labels(np.array(classes)).check(n_outputs)
    assert str(refused.value) == (
        f"classes_ must hold {n_classes} sorted labels for a network of {n_outputs} outputs, "
        f"got {np.array(classes)}"
    )
