"""Dropout masks, drawn by hashing, so that no draw depends on another."""

import numpy as np

from skl_lstm.engines.native.kernels.compiling import ONE, ZERO, jit


@jit
def mask_stream(seed, iteration, layer, row):
    """Return the number from which to draw a row's mask in a layer and a training step."""
    x = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
    for part in (iteration, layer, row):
        # The finalizer of splitmix64 (Steele, Lea and Flood, 2014).
        x = x + np.uint64(part) + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return np.uint32(x)


@jit
def mask_element(stream, index, rate):
    """Draw an element of an inverted dropout mask: 0, or 1 / (1 - rate).

    It is a hash of the element's number, not the output of a stateful generator, so that the
    mask does not depend on the order or the thread in which it is computed; it is not stored for
    the backward pass but drawn again. The constants are those of Wellons's "lowbias32".
    """
    x = np.uint32(stream + np.uint32(index) * np.uint32(0x9E3779B9))
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D))
    x = np.uint32((x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B))
    x = np.uint32(x ^ (x >> np.uint32(16)))
    uniform = np.float32(np.int32(x >> np.uint32(8))) * np.float32(2.0**-24)
    return ZERO if uniform < rate else ONE / (ONE - rate)
