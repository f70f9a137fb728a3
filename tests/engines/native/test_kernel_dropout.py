"""Dropout keeps its share, scales what it keeps, and is drawn anew at each step."""

import numba
import numpy as np
import pytest
from problems import N_FEATURES, N_ROWS, N_STEPS, problem, shapes, trainer_of, windows

from skl_lstm.engines.native.kernels import dropout


@numba.njit
def masks(seed, iteration, layer, n_rows, n_columns, rate):
    """The masks that the kernels draw, a row each."""
    drawn = np.empty((n_rows, n_columns), np.float32)
    for r in range(n_rows):
        stream = dropout.mask_stream(seed, iteration, layer, r)
        for j in range(n_columns):
            drawn[r, j] = dropout.mask_element(stream, j, np.float32(rate))
    return drawn


@pytest.mark.slow
def test_recurrent_dropout_is_that_of_keras_given_its_masks():
    keras = pytest.importorskip("keras")

    arguments = problem((6,), batch_size=N_ROWS, recurrent_dropout=0.4)
    drawn = masks(0, 0, 1, N_ROWS, 4 * 6, 0.4).reshape(N_ROWS, 4, 6)
    layer = keras.layers.LSTM(6, recurrent_dropout=0.4)
    layer.cell._create_dropout_mask = lambda state, rate: [
        keras.ops.convert_to_tensor(drawn[:, gate]) for gate in range(4)
    ]
    model = keras.Sequential([keras.Input((N_STEPS, N_FEATURES)), layer, keras.layers.Dense(1)])
    theta, parts = arguments["theta"].copy(), []
    for shape in shapes((6,)):
        part, theta = np.split(theta, [np.prod(shape)])
        parts.append(part.reshape(shape))
    model.set_weights(parts)
    trainer = trainer_of(arguments)
    trainer.epoch(np.arange(N_ROWS))
    expected = model(windows(arguments), training=True)
    np.testing.assert_allclose(trainer.outputs, expected, atol=1e-6)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_masks_keep_their_share_at_the_inverse_scale(rate):
    scale = np.float32(1) / (np.float32(1) - np.float32(rate))
    draws = masks(7, 3, 1, 200, 200, rate)
    assert set(np.unique(draws)) <= {np.float32(0), scale}
    kept = draws > 0
    assert kept.mean() == pytest.approx(1 - rate, abs=0.015)
    assert kept.mean(axis=0).std() == pytest.approx(np.sqrt(rate * (1 - rate) / 200), rel=0.25)
    assert abs(np.corrcoef(kept[:, :-1].ravel(), kept[:, 1:].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(kept[:-1].ravel(), kept[1:].ravel())[0, 1]) < 0.02


def test_masks_differ_by_seed_and_step_and_not_by_run():
    results = []
    for seed in (1, 1, 2):
        arguments = problem((4, 3), dropout=0.5, recurrent_dropout=0.5, seed=seed)
        trainer = trainer_of(arguments)
        results.append([trainer.epoch(np.arange(N_ROWS)) for _ in range(2)])
    assert results[0] == results[1]
    assert results[0] != results[2]


def test_dropout_is_off_in_evaluation():
    with_dropout = problem((4, 3), dropout=0.5, recurrent_dropout=0.5)
    without = problem((4, 3))
    losses = [trainer_of(a).evaluate(np.arange(N_ROWS)) for a in (with_dropout, without)]
    assert losses[0] == losses[1]
