"""Training stops at the epoch at which Keras would, and keeps the weights that Keras would."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from skl_lstm.training.early_stopping import BestEpoch, warn_of_divergence

NAN = float("nan")
INF = float("inf")


def run(losses, patience):
    """Tell the last epoch and the one that is kept; the parameters are the epoch's number."""
    best = BestEpoch(patience)
    for epoch, loss in enumerate(losses):
        if best.is_over(loss, epoch, np.array([epoch], dtype=np.float32)):
            break
    return epoch, int(best.parameters[0])


class Weights:
    """What Keras's callback asks of a model, of which the weights are the epoch's number."""

    stop_training = False

    def get_weights(self):
        return self.epoch

    def set_weights(self, weights):
        self.epoch = weights


def run_by_keras(losses, patience):
    keras = pytest.importorskip("keras")
    callback = keras.callbacks.EarlyStopping(
        "loss", patience=patience, mode="min", restore_best_weights=True
    )
    model = Weights()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        model.epoch = epoch
        callback.on_epoch_end(epoch, {"loss": loss})
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch, model.epoch


SEQUENCES = {
    "falls to the end": ([3.0, 2.0, 1.0], 1, (2, 2)),
    "rises for as long as is waited": ([3.0, 2.0, 1.0, 2.0, 3.0, 0.0], 2, (4, 2)),
    "falls again in time": ([3.0, 2.0, 4.0, 1.0, 2.0, 2.0], 2, (5, 3)),
    "rises for less than is waited": ([1.0, 2.0, 3.0], 5, (2, 0)),
    "stays the same": ([1.0, 1.0, 1.0, 1.0], 2, (2, 0)),
    "is not waited for": ([3.0, 2.0, 2.5, 1.0], 0, (2, 1)),
    "is no number at first": ([NAN, 2.0, 3.0, 3.0], 2, (3, 1)),
    "is never a number": ([NAN, NAN, NAN], 1, (1, 0)),
    "is infinite": ([INF, INF, INF], 2, (1, 0)),
}


@pytest.mark.parametrize(("losses", "patience", "expected"), SEQUENCES.values(), ids=SEQUENCES)
def test_the_last_epoch_and_the_best_are_those_counted_by_hand(losses, patience, expected):
    assert run(losses, patience) == expected


@pytest.mark.parametrize("patience", [0, 1, 2, 5])
def test_the_epochs_are_those_that_keras_chooses(patience):
    rng = np.random.default_rng(patience)
    for _ in range(50):
        losses = rng.integers(0, 8, size=12).astype(float).tolist()
        assert run(losses, patience) == run_by_keras(losses, patience)


def test_what_training_does_to_the_parameters_later_changes_nothing_kept():
    parameters = np.ones(3, dtype=np.float32)
    best = BestEpoch(patience=5)
    best.is_over(1.0, 0, parameters)
    parameters[:] = 7.0
    best.is_over(2.0, 1, parameters)
    assert_array_equal(best.parameters, np.ones(3))


def test_a_loss_that_is_no_number_is_warned_of_by_the_epoch_counted_from_one():
    with pytest.warns(ConvergenceWarning, match="^the training loss is not finite in epoch 3; "):
        warn_of_divergence(2)
