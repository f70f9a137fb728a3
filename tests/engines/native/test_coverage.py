"""What the native engine does not cover is named."""

import pytest
from problems import N_FEATURES, N_STEPS

from skl_lstm.engines.native.coverage import NotCovered, make_plan
from skl_lstm.network.network import Network
from skl_lstm.training.settings import Settings


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"loss": "poisson"}, "loss='poisson'"),
        ({"optimizer": "lion"}, "optimizer='lion'"),
        ({"loss": "binary_crossentropy"}, "loss='binary_crossentropy' after output_activation"),
        ({"optimizer_kwargs": {"use_ema": True}}, "use_ema=True of optimizer='adam'"),
        ({"optimizer_kwargs": {"learning_rate": len}}, "learning_rate=<built-in function len> of"),
        ({"optimizer_kwargs": {"clipnorm": 1, "clipvalue": 1}}, "clipnorm with clipvalue of"),
        ({"optimizer_kwargs": {"beta_1": 1.0}}, "beta_1=1.0 of optimizer='adam'"),
        ({"metrics": ["auc"]}, r"metrics=\['auc'\]"),
        ({"callbacks": [None]}, "callbacks"),
    ],
)
def test_what_is_not_covered_is_named(settings, reason):
    network = Network(N_STEPS, N_FEATURES, (2,), 1)
    with pytest.raises(NotCovered, match=f"^{reason}"):
        make_plan(network, Settings(**settings))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"dense_units": (3, 2)}, r"dense_units=\(3, 2\)"),
        ({"bidirectional": True}, "bidirectional=True"),
        ({"all_steps": True}, "all_steps=True"),
        ({"l2": 0.1}, "l2=0.1"),
        ({"cell": "gru"}, "cell='gru'"),
        ({"hidden_activation": "relu"}, "hidden_activation='relu'"),
        ({"hidden_activation": "linear"}, "hidden_activation='linear'"),
    ],
)
def test_a_network_that_is_not_covered_is_named_by_its_parameter(options, reason):
    network = Network(N_STEPS, N_FEATURES, (2,), 1, **options)
    with pytest.raises(NotCovered, match=f"^{reason}$"):
        make_plan(network, Settings())
