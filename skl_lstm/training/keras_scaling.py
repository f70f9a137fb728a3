"""The normalization of windows as layers of Keras that have no weights.

A model of these layers opens with Keras alone, from either of its file formats. Keras has no
layer for a reciprocal or a standard deviation; UnitNormalization, which divides a vector by its
length, gives both.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from skl_lstm.network.network import Network
from skl_lstm.network.scaling import WindowScaling

# First and last layer of the network itself.
WINDOWS, DENSE = "windows", "dense"

# The first component of (SMALL, r), made a unit vector, is SMALL / r to the precision of float32
# for each r of at least one.
SMALL = 2.0**-12

# Units between these leave room for reciprocals and products in float32.
SMALLEST, LARGEST = 1e-30, 1e30


class Layer(NamedTuple):
    """A layer of a functional model.

    Parameters
    ----------
    kind : str
        Name of its class in ``keras.layers``.
    options : dict of str to object
        Its arguments, the name among them.
    inputs : tuple of str
        Names of the layers before it.
    """

    kind: str
    options: dict[str, Any]
    inputs: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the layer."""
        return self.options["name"]


def scaling_layers(
    network: Network, window_shape: tuple[int, int], scaling: WindowScaling
) -> tuple[list[Layer], list[Layer]]:
    """Return the layers between the windows and the network, and those after it.

    Parameters
    ----------
    network : Network
        The network; its input is called `WINDOWS` and its last layer `DENSE`.
    window_shape : tuple of int
        Number of lags and of series in a window.
    scaling : WindowScaling
        How to normalize the windows.

    Returns
    -------
    before, after : list of Layer
        The last of each has the result.
    """
    graph = _Graph(network, window_shape, scaling)
    return graph.before, graph.after


class _Graph:
    """The layers, in the order in which they are added.

    Along the time axis of a window, location and scale are of shape (1, n_series). The scale is
    in units of ``scaling.unit`` and at least one; columns not to normalize have location zero
    and scale one.
    """

    def __init__(
        self, network: Network, window_shape: tuple[int, int], scaling: WindowScaling
    ) -> None:
        self.layers: list[Layer] = []
        if not all(SMALLEST < unit < LARGEST for unit in scaling.unit):
            raise ValueError(
                "the values of the windows are too small or too large for a Keras model in "
                f"float32: they are scaled by {scaling.unit}"
            )
        self.n_lags, self.n_series = window_shape
        self.scaling = scaling
        self.chosen = [float(column in scaling.columns) for column in range(self.n_series)]
        units = dict(zip(scaling.columns, scaling.unit, strict=True))
        in_units = [1.0 / units.get(column, 1.0) for column in range(self.n_series)]
        steps = self.add("Reshape", "steps", WINDOWS, target_shape=list(window_shape))
        location = self.location(steps)
        deviations = self.add("Subtract", "deviations", steps, location) if location else steps
        # Before anything is squared, which would soon under- or overflow in float32.
        deviations = self.rescale("deviations_in_units", deviations, in_units)
        scale = self.scale(deviations)
        inputs = self.divided(deviations, scale)
        shape = [network.n_steps, network.n_features]
        self.add("Reshape", "normalized", inputs, target_shape=shape)
        self.before, self.layers = self.layers, []
        if scaling.restores:
            self.restore(network.n_outputs // len(scaling.columns), location, scale)
        self.after = self.layers

    def rescale(self, name: str, layer: str, scale: Any, offset: Any = 0.0) -> str:
        return self.add("Rescaling", name, layer, scale=scale, offset=offset)

    def add(self, kind: str, name: str, *inputs: str, **options: Any) -> str:
        self.layers.append(Layer(kind, {"name": name, **options}, inputs))
        return name

    def location(self, steps: str) -> str | None:
        if self.scaling.method == "mean":
            return None
        found = (
            self.add("Cropping1D", "last", steps, cropping=[self.n_lags - 1, 0])
            if self.scaling.method == "last"
            else self.add("GlobalAveragePooling1D", "mean", steps, keepdims=True)
        )
        return self.rescale("location", found, self.chosen)

    def scale(self, deviations: str) -> str | None:
        if self.scaling.method == "last":
            return None
        if self.scaling.method == "mean":
            opposite = self.rescale("opposite", deviations, -1.0)
            sizes = self.add("Maximum", "sizes", deviations, opposite)
            spread = self.add("GlobalAveragePooling1D", "spread", sizes, keepdims=True)
        else:
            # The mean of these products is the length of the deviations over n_lags.
            direction = self.add("UnitNormalization", "direction", deviations, axis=1)
            sizes = self.add("Multiply", "sizes", deviations, direction)
            size = self.add("GlobalAveragePooling1D", "size", sizes, keepdims=True)
            spread = self.rescale("spread", size, math.sqrt(self.n_lags))
        one = self.rescale("one", spread, 0.0, 1.0)
        floored = self.add("Maximum", "floored", spread, one)
        others = [1.0 - each for each in self.chosen]
        return self.rescale("scale", floored, self.chosen, others)

    def divided(self, deviations: str, scale: str | None) -> str:
        if scale is None:
            return deviations
        small = self.rescale("small", scale, 0.0, SMALL)
        pair = self.add("Concatenate", "pair", small, scale, axis=1)
        unit_vector = self.add("UnitNormalization", "unit_vector", pair, axis=1)
        first = self.add("Cropping1D", "first", unit_vector, cropping=[0, 1])
        reciprocal = self.rescale("reciprocal", first, 1.0 / SMALL)
        return self.add("Multiply", "divided", deviations, reciprocal)

    def restore(self, n_ahead: int, location: str | None, scale: str | None) -> None:
        units = list(self.scaling.unit) * n_ahead
        outputs = self.rescale("in_units", DENSE, units)
        if scale is not None:
            scales = self.of_outputs("scale_of_outputs", scale, n_ahead)
            outputs = self.add("Multiply", "scaled", outputs, scales)
        if location is not None:
            locations = self.of_outputs("location_of_outputs", location, n_ahead)
            self.add("Add", "forecast", outputs, locations)

    def of_outputs(self, name: str, measured: str, n_ahead: int) -> str:
        """Select the values of the columns to normalize, and repeat them for each step ahead."""
        by_column = self.add("Permute", f"{name}_by_column", measured, dims=[2, 1])
        values = [
            self.add(
                "Cropping1D",
                f"{name}_{column}",
                by_column,
                cropping=[column, self.n_series - 1 - column],
            )
            for column in self.scaling.columns
        ]
        if len(values) > 1:
            values = [self.add("Concatenate", f"{name}_joined", *values, axis=1)]
        flat = self.add("Flatten", f"{name}_flat", *values)
        repeated = self.add("RepeatVector", f"{name}_repeated", flat, n=n_ahead)
        return self.add("Flatten", name, repeated)
