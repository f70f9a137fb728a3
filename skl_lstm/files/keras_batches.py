"""The normalization of batches in a Keras model, merged into the weights of other layers.

In prediction it only scales and shifts what the next layer takes, so the kernel and the bias of
that layer can do it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skl_lstm.files.keras_config import BATCHES, chain, directions, parts_of
from skl_lstm.training.keras_parts import Config


def merged(config: Config, weights: list[NDArray]) -> tuple[list[NDArray], list[str]]:
    """Merge each normalization of batches into the layer after it.

    Returns
    -------
    weights : list of ndarray
        Weights of the other layers.
    names : list of str
        Names of the layers that are merged.
    """
    _, layers = chain(config)
    left = iter(weights)
    found: list[NDArray] = []
    names = []
    scale, shift = np.ones(1), np.zeros(1)
    for layer in layers:
        groups = [{part: next(left) for part in parts_of(each)} for each in directions(layer)]
        if layer["class_name"] == BATCHES:
            names.append(layer["config"]["name"])
            (own,) = groups
            deviation = np.sqrt(own["moving_variance"] + layer["config"].get("epsilon", 1e-3))
            factor = own.get("gamma", 1.0) / deviation
            # Before Flatten, there was one for each feature of a step.
            scale, shift = (np.resize(each, len(factor)) for each in (scale, shift))
            shift = (shift - own["moving_mean"]) * factor + own.get("beta", 0.0)
            scale = scale * factor
        elif names and any(groups):
            for own in groups:
                kernel, bias = own["kernel"], own["bias"].copy()
                # After Flatten, the features of a step are repeated for each step.
                bias.reshape(-1, bias.shape[-1])[0] += np.resize(shift, len(kernel)) @ kernel
                own |= {
                    "kernel": np.resize(scale, len(kernel))[:, np.newaxis] * kernel,
                    "bias": bias,
                }
            scale, shift = np.ones(1), np.zeros(1)
        if layer["class_name"] != BATCHES:
            found += [part for own in groups for part in own.values()]
    return found, names
