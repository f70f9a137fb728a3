"""The forward pass alone gives what a trainer evaluates, to the bit."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from problems import N_ROWS, network_of, problem, trainer_of, windows

from skl_lstm.engines.native.forward import NativeStack
from skl_lstm.engines.native.threads import VARIABLES


@pytest.mark.parametrize("stateful", [False, True])
def test_without_targets_windows_run_forward_only(stateful):
    arguments = problem((4, 3), batch_size=1, stateful=stateful)
    whole = trainer_of(arguments)
    whole.evaluate(np.arange(N_ROWS))
    network = network_of(arguments)
    forward = NativeStack(network, network.views(arguments["theta"]), 1)
    assert_array_equal(forward.in_turn(windows(arguments)), whole.outputs)
    states = [state.ravel() for state in forward.states] if stateful else [[]]
    assert_array_equal(np.concatenate(states), whole.states)


def test_a_row_has_the_same_bits_on_several_threads(monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 3)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    rng = np.random.default_rng(0)
    arguments = problem((64,))
    network = network_of(arguments)
    weights = network.views(arguments["theta"])
    rows = rng.normal(size=(600, network.n_steps, network.n_features)).astype(np.float32)
    together = NativeStack(network, weights, 600)
    outputs = together.run(rows)
    together.close()
    alone = NativeStack(network, weights, 1)
    for row in (0, 7, 16, 599):
        assert_array_equal(alone.run(rows[row : row + 1])[0], outputs[row])
