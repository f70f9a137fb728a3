"""The gradient is that of finite differences."""

import numpy as np
import pytest
from problems import COVERED, N_ROWS, QUANTILES, problem, trainer_of


def gradient_and_loss(arguments):
    """The gradient of one batch, read off a step of plain gradient descent, and its loss."""
    theta = arguments["theta"].copy()
    trainer = trainer_of(
        {
            **arguments,
            "theta": theta,
            "optimizer": "sgd",
            "optimizer_args": {"learning_rate": 1.0},
            "slots": np.zeros((0, theta.size)),
        }
    )
    loss = trainer.epoch(np.arange(N_ROWS))
    return arguments["theta"] - theta, loss


def assert_gradient_is_right(arguments):
    gradient, _ = gradient_and_loss(arguments)
    numeric = np.zeros_like(gradient)
    step = 1e-4
    for j in range(gradient.size):
        sides = []
        for sign in (1, -1):
            theta = arguments["theta"].copy()
            theta[j] += sign * step
            trainer = trainer_of({**arguments, "theta": theta})
            sides.append(trainer.epoch(np.arange(N_ROWS)))
        numeric[j] = (sides[0] - sides[1]) / (2 * step)
    np.testing.assert_allclose(gradient, numeric, rtol=2e-4, atol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "activation"), COVERED)
@pytest.mark.parametrize("units", [(3,), (3, 2)])
def test_gradient_is_that_of_finite_differences(loss, activation, units):
    n_outputs = 2
    arguments = problem(
        units, n_outputs, loss, True, np.float64, output_activation=activation, batch_size=N_ROWS
    )
    assert_gradient_is_right(arguments)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["linear", "softmax", "tanh"])
def test_gradient_is_right_for_outputs_of_several_quantiles(activation):
    n_targets, n_outputs = 2, 2 * len(QUANTILES)
    arguments = problem(
        (3,), n_outputs, "pinball", True, np.float64, output_activation=activation,
        batch_size=N_ROWS, loss_args={"quantile": QUANTILES},
    )  # fmt: skip
    assert_gradient_is_right({**arguments, "y": arguments["y"][:, :n_targets]})


@pytest.mark.slow
@pytest.mark.parametrize("rates", [(0.4, 0.0), (0.0, 0.4), (0.3, 0.3)])
def test_gradient_is_right_through_dropout(rates):
    arguments = problem((3, 2), dtype=np.float64, batch_size=N_ROWS)
    arguments |= {"dropout": rates[0], "recurrent_dropout": rates[1]}
    assert_gradient_is_right(arguments)
