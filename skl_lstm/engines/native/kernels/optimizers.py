"""Use of a gradient: sum over lanes, clipping, weight decay, and the update of each optimizer.

The parameters, their parts, and the slots of an optimizer are whole numbers of vectors.
"""

import numpy as np

from skl_lstm.engines.native.kernels.compiling import FIRST, ONE, U, compactly, jit, stage
from skl_lstm.engines.native.kernels.products import V
from skl_lstm.engines.native.kernels.tables import ADAM, LANES, RMSPROP, SGD
from skl_lstm.engines.native.kernels.vectors import (
    at_least,
    at_most,
    load,
    magnitude,
    square_root,
    store,
)

# An epsilon of zero would make 0 / 0 of the zeros between the parameters.
TINY = np.finfo(np.float32).tiny


@jit
def _squared_norm(gradient, start, stop):
    compactly()
    total = 0.0
    for j in range(stop - start):
        total += gradient[U(start + j)] * gradient[U(start + j)]
    return np.float32(total)


@jit
def _scale(gradient, start, stop, factor):
    compactly()
    for j in range(start, stop, V):
        store(gradient, j, load(gradient, j) * factor)


@jit
def _clip(optimizer, gradient, bounds):
    """Clip a gradient as Keras's optimizers do: only the first limit that is set applies."""
    compactly()
    n = gradient.size
    if optimizer.clipnorm > 0.0:
        limit = np.float32(optimizer.clipnorm)
        for part in range(bounds.size - 1):
            start, stop = bounds[part], bounds[part + 1]
            norm = np.sqrt(_squared_norm(gradient, start, stop))
            # Written so that a norm that is NaN makes the gradient NaN.
            _scale(gradient, start, stop, ONE if norm <= limit else limit / norm)
    elif optimizer.global_clipnorm > 0.0:
        limit = np.float32(optimizer.global_clipnorm)
        norm = np.sqrt(_squared_norm(gradient, FIRST, n))
        # An infinite norm makes the gradient NaN, as in Keras.
        _scale(gradient, FIRST, n, ONE if norm <= limit else limit / norm + (norm - norm))
    elif optimizer.clipvalue > 0.0:
        limit = np.float32(optimizer.clipvalue)
        for j in range(0, n, V):
            store(gradient, j, at_least(at_most(load(gradient, j), limit), -limit))


@jit
def _sgd(optimizer, theta, gradient, slots):
    """Do v = mu v - lr g; theta += v, with Nesterov's momentum theta += mu v - lr g."""
    compactly()
    n = theta.size
    rate = np.float32(optimizer.learning_rate)
    mu = np.float32(optimizer.momentum)
    for j in range(0, n, V):
        change = rate * load(gradient, j)
        if optimizer.momentum == 0.0:
            store(theta, j, load(theta, j) - change)
            continue
        v = mu * load(slots, j) - change
        store(slots, j, v)
        store(theta, j, load(theta, j) + (mu * v - change if optimizer.variant else v))


@jit
def _rmsprop(optimizer, theta, gradient, slots):
    """Do v = rho v + (1 - rho) g^2; theta -= lr g / sqrt(v + eps).

    If centered, the square of the running mean of g is first subtracted from v; with momentum,
    the new change is added to mu times the previous one. Slots: v, then the change if there is
    momentum, then the mean if centered.
    """
    compactly()
    n = theta.size
    rate = np.float32(optimizer.learning_rate)
    mu = np.float32(optimizer.momentum)
    rho = np.float32(optimizer.decay)
    rest = np.float32(1.0 - optimizer.decay)
    epsilon = max(np.float32(optimizer.epsilon), TINY)
    change_at = n
    mean_at = 2 * n if optimizer.momentum > 0.0 else n
    for j in range(0, n, V):
        g = load(gradient, j)
        v = rho * load(slots, j) + rest * g * g
        store(slots, j, v)
        if optimizer.variant:
            mean = rho * load(slots, mean_at + j) + rest * g
            store(slots, mean_at + j, mean)
            v = v - mean * mean
        change = rate * g / square_root(v + epsilon)
        if optimizer.momentum > 0.0:
            change = change + mu * load(slots, change_at + j)
            store(slots, change_at + j, change)
        store(theta, j, load(theta, j) - change)


@jit
def _power(base, exponent):
    """Return the power of a float32, rounded to float32, as Keras does."""
    return np.float32(np.float64(np.float32(base)) ** exponent)


@jit
def _adam(optimizer, theta, gradient, slots, step):
    """Do m += (1 - b1) (g - m); v += (1 - b2) (g^2 - v); theta -= a m / (sqrt(v) + eps).

    Here a = lr sqrt(1 - b2^t) / (1 - b1^t); AMSGrad uses the largest v so far, the third slot.
    """
    n = theta.size
    rest_1 = np.float32(1.0 - optimizer.momentum)
    rest_2 = np.float32(1.0 - optimizer.decay)
    epsilon = max(np.float32(optimizer.epsilon), TINY)
    left_1 = ONE - _power(optimizer.momentum, step)
    left_2 = ONE - _power(optimizer.decay, step)
    alpha = np.float32(optimizer.learning_rate) * np.sqrt(left_2) / left_1
    for j in range(0, n, V):
        g = load(gradient, j)
        m = load(slots, j)
        v = load(slots, n + j)
        m = m + (g - m) * rest_1
        v = v + (g * g - v) * rest_2
        store(slots, j, m)
        store(slots, n + j, v)
        if optimizer.variant:
            v = at_least(v, load(slots, 2 * n + j))
            store(slots, 2 * n + j, v)
        store(theta, j, load(theta, j) - m * alpha / (square_root(v) + epsilon))


@jit
def _adamax(optimizer, theta, gradient, slots, step):
    """Do m += (1 - b1) (g - m); u = max(b2 u, |g|); theta -= lr m / ((1 - b1^t) (u + eps))."""
    n = theta.size
    rest_1 = np.float32(1.0 - optimizer.momentum)
    beta_2 = np.float32(optimizer.decay)
    epsilon = max(np.float32(optimizer.epsilon), TINY)
    rate = np.float32(optimizer.learning_rate)
    left_1 = ONE - _power(optimizer.momentum, step)
    for j in range(0, n, V):
        g = load(gradient, j)
        m = load(slots, j)
        m = m + (g - m) * rest_1
        u = at_least(magnitude(g), beta_2 * load(slots, n + j))
        store(slots, j, m)
        store(slots, n + j, u)
        store(theta, j, load(theta, j) - rate * m / (left_1 * (u + epsilon)))


@stage
def apply_gradient(net, optimizer, theta, gradients, slots, bounds, n_batch, iteration):
    """Sum the gradients of a batch's lanes in order, clip, decay, and update the parameters."""
    n = net.n_parameters
    gradient = gradients[:n]
    n_shards = (n_batch + net.shard_rows - 1) // net.shard_rows
    for lane in range(1, min(n_shards, LANES)):
        for j in range(0, n, V):
            store(gradient, j, load(gradient, j) + load(gradients, lane * n + j))
    _clip(optimizer, gradient, bounds)
    if optimizer.weight_decay > 0.0:
        decay = np.float32(optimizer.weight_decay)
        rate = np.float32(optimizer.learning_rate)
        for j in range(0, n, V):
            x = load(theta, j)
            store(theta, j, x - x * decay * rate)
    if optimizer.kind == SGD:
        _sgd(optimizer, theta, gradient, slots)
    elif optimizer.kind == RMSPROP:
        _rmsprop(optimizer, theta, gradient, slots)
    elif optimizer.kind == ADAM:
        _adam(optimizer, theta, gradient, slots, iteration + 1)
    else:
        _adamax(optimizer, theta, gradient, slots, iteration + 1)
