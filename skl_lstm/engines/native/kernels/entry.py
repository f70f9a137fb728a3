"""The function that Python calls: the batches of some epochs, one after the other.

Everything in this folder works on flat one-dimensional arrays whose sizes are known only at run
time, so one compilation serves every network. Nothing allocates memory, and the GIL is released.
"""

import hashlib
from pathlib import Path

import numpy as np

from skl_lstm.engines.native.kernels.cache import cached
from skl_lstm.engines.native.kernels.compiling import U
from skl_lstm.engines.native.kernels.optimizers import apply_gradient
from skl_lstm.engines.native.kernels.passes import arrange_weights, run_lanes
from skl_lstm.engines.native.kernels.tables import GRADIENTS, UPDATE


def _digest_of_sources() -> int:
    """Return a digest of all files of this folder.

    Numba's cache checks only the file of the entry. With this number in the entry's closure,
    which the cache does check, a change in any file makes a new function.
    """
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return int.from_bytes(digest.digest()[:7], "big")


def _closing_over(digest):
    """Define the entry, which closes over a number that changes with the sources."""

    def run_batches(
        net,
        optimizer,
        layers,
        theta,
        arranged,
        work,
        data,
        order,
        first,
        stop,
        states,
        gradients,
        losses,
        slots,
        bounds,
        iteration,
        training,
        phases,
        first_lane,
        lane_step,
        epoch_losses,
    ):
        """Run the batches of ``order[first:stop]`` one after the other, epoch after epoch.

        The next epoch takes the next ``stop - first`` positions. Stores the sum of losses of
        each epoch in `epoch_losses`, whose size is the number of epochs, and returns the number
        of epochs run: training stops after an epoch whose losses are not finite.

        `phases` is the sum of `GRADIENTS`, to compute those of the lanes `first_lane`,
        `first_lane + lane_step`, ..., and of `UPDATE`, to update the parameters with them. A
        single thread does both in one call; several threads divide the lanes of a batch, and
        when all are done one of them updates. If `training` is false, nothing is updated.
        """
        _ = digest  # is in the closure only if it is used
        if not training and phases & GRADIENTS:
            arrange_weights(net, layers, theta, arranged, training)
        for epoch in range(epoch_losses.size):
            total = 0.0
            start_of_epoch = first + epoch * (stop - first)
            stop_of_epoch = start_of_epoch + (stop - first)
            for start in range(start_of_epoch, stop_of_epoch, net.batch_size):
                n_batch = min(net.batch_size, stop_of_epoch - start)
                if phases & GRADIENTS:
                    run_lanes(
                        net,
                        layers,
                        theta,
                        arranged,
                        work,
                        data,
                        order,
                        start,
                        n_batch,
                        first_lane,
                        lane_step,
                        states,
                        gradients,
                        losses,
                        iteration,
                        training,
                    )
                if phases & UPDATE:
                    for shard in range((n_batch + net.shard_rows - 1) // net.shard_rows):
                        total += losses[U(shard)]
                    if training:
                        apply_gradient(
                            net, optimizer, theta, gradients, slots, bounds, n_batch, iteration
                        )
                iteration += 1
            epoch_losses[epoch] = total
            if not np.isfinite(total):
                return epoch + 1
        return epoch_losses.size

    return run_batches


run_batches = cached(_closing_over(_digest_of_sources()))
