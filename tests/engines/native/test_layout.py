"""The kernel's layout of the parameters is the plain one, extended to whole vectors by zeros."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from problems import N_ROWS, network_of, problem, trainer_of

from skl_lstm.engines.native.layout import Layout
from skl_lstm.network.network import Network

ADAPTIVE = ["rmsprop", "adam", "adamax"]
NETWORKS = [((1,), 1), ((4,), 2), ((17, 3), 1), ((8, 16, 5), 9)]


@pytest.mark.parametrize(("units", "n_outputs"), NETWORKS)
def test_vectors_come_back_as_they_were(units, n_outputs):
    network = Network(3, 2, units, n_outputs)
    layout = Layout.of(network, 4, 8)
    vectors = np.arange(1.0, 2 * network.size + 1, dtype=np.float32).reshape(2, -1)
    laid_out = layout.to_kernel(vectors)
    assert laid_out.shape == (2, layout.n_parameters)
    assert (laid_out != 0).sum() == vectors.size
    assert_array_equal(layout.from_kernel(laid_out), vectors)


@pytest.mark.parametrize(("units", "n_outputs"), NETWORKS)
def test_each_part_starts_where_the_table_says(units, n_outputs):
    network = Network(3, 2, units, n_outputs)
    layout = Layout.of(network, 4, 8)
    parts = network.views(np.arange(1.0, network.size + 1, dtype=np.float32))
    laid_out = layout.to_kernel(network.flatten(parts)[np.newaxis])[0]
    assert_array_equal(laid_out[layout.bounds[:-1]], [part.flat[0] for part in parts])


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [("sgd", {}), *((name, {"epsilon": e}) for name in ADAPTIVE for e in (0.0, 1e-7))],
)
@pytest.mark.parametrize("rate", [0.0, 0.2])
def test_the_zeros_between_the_parameters_stay_zero(optimizer, options, rate):
    dropouts = {"dropout": rate, "recurrent_dropout": rate}
    arguments = problem((5, 3), 2, optimizer=optimizer, optimizer_args=options, **dropouts)
    trainer = trainer_of(arguments)
    for _ in range(3):
        trainer.epoch(np.arange(N_ROWS))
    kernel = trainer._kernel
    layout = Layout.of(network_of(arguments), 8, 8)
    vectors = np.vstack([kernel._theta, kernel._slots])
    assert_array_equal(layout.to_kernel(layout.from_kernel(vectors)), vectors)
