"""Epochs of the native engine: on rows that the kernel gets all at once, or by portions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skl_lstm.engines.native.metrics import METRICS
from skl_lstm.network.network import Network
from skl_lstm.network.quantiles import predicted
from skl_lstm.training.orders import epoch_order, epoch_orders, time_order, time_order_parts
from skl_lstm.training.rows import Rows
from skl_lstm.training.settings import Settings

if TYPE_CHECKING:
    from skl_lstm.engines.native.trainer import NativeTrainer

# About the maximum time of one call of the kernel that runs several epochs.
CALL_SECONDS = 0.1

# Multiply-adds that the kernel does in a second at least: it is several times as fast. Before the
# first call, only this tells how many epochs it can take.
OPERATIONS_PER_SECOND = 1e9

# Number of rows up to which all are handed to the kernel at once, and otherwise that of a portion.
AT_ONCE = 2**18


def are_at_once(n_rows: int, batch_size: int) -> bool:
    """Return whether so many rows are handed to the kernel all at once."""
    return n_rows <= max(AT_ONCE, batch_size)


def epochs_of(training: Training) -> Iterator[dict[str, float]]:
    """Train epoch by epoch; yield the loss and the metrics of each.

    If nothing has to be done between epochs, several run in one call, which releases the GIL;
    few enough to respond to Ctrl-C quickly.
    """
    network, settings = training.network, training.settings
    watched = (
        len(training.validation)
        or settings.metrics
        or settings.early_stopping
        or settings.verbose
        or network.stateful
    )
    operations = 3 * settings.rows_per_epoch(len(training.rows)) * network.n_steps * network.size
    seconds = operations / OPERATIONS_PER_SECOND
    n_left = settings.epochs
    while n_left:
        n_together = 1 if watched else min(n_left, 1 + int(CALL_SECONDS / seconds))
        started = time.perf_counter()
        all_logs = training.epochs(n_together)
        seconds = (time.perf_counter() - started) / len(all_logs)
        n_left -= len(all_logs)
        for logs in all_logs:
            if len(training.validation):
                judged = training.judge()
                logs |= {f"val_{name}": value for name, value in judged.items()}
            yield logs


@dataclass
class Training:
    """Training of one network on some rows, of which `n_epochs` are done."""

    trainer: NativeTrainer
    rows: Rows
    validation: Rows
    n_epochs: int
    network: Network
    settings: Settings

    def epochs(self, n_epochs: int) -> list[dict[str, float]]:
        """Train up to so many epochs; return the loss and the metrics of each."""
        raise NotImplementedError

    def judge(self) -> dict[str, float]:
        """Evaluate on the validation rows."""
        raise NotImplementedError


@dataclass
class AtOnce(Training):
    """Training on rows that are handed to the kernel once, all of them."""

    def __post_init__(self) -> None:
        network, settings, n_rows = self.network, self.settings, len(self.rows)
        self.orders = epoch_orders(n_rows, self.n_epochs, network, settings)
        self.judged = n_rows + time_order(len(self.validation), network, settings)

    def epochs(self, n_epochs: int) -> list[dict[str, float]]:
        """Train some epochs, in which nothing is measured if they are several."""
        self.trainer.states[:] = 0.0
        orders = [next(self.orders) for _ in range(n_epochs)]
        losses = self.trainer.epochs(orders)
        targets = self.rows.targets
        return [{"loss": loss, **self._measured(orders[0], targets, 0)} for loss in losses]

    def judge(self) -> dict[str, float]:
        """Evaluate on the validation rows."""
        self.trainer.states[:] = 0.0
        loss, targets = self.trainer.evaluate(self.judged), self.validation.targets
        return {"loss": loss, **self._measured(self.judged, targets, len(self.rows))}

    def _measured(
        self, positions: NDArray[np.int64], targets: NDArray, first: int
    ) -> dict[str, float]:
        if not self.settings.metrics:
            return {}
        outputs = self.trainer.outputs[positions]
        return _measured(targets[positions - first], outputs, self.settings)


@dataclass
class ByPortions(Training):
    """Training on rows that are handed to the kernel a portion at a time, in their order.

    So what a row takes apart from the series, such as its position, is needed for a portion only.
    """

    def __post_init__(self) -> None:
        batch_size = self.trainer.batch_size
        self.portion = max(AT_ONCE // batch_size, 1) * batch_size

    def epochs(self, n_epochs: int) -> list[dict[str, float]]:
        """Train one epoch, however many are left."""
        order = epoch_order(
            len(self.rows), self.n_epochs, self.network, self.settings, self.portion
        )
        self.n_epochs += 1
        return [self._run(self.rows, order, self.trainer.epoch)]

    def judge(self) -> dict[str, float]:
        """Evaluate on the validation rows."""
        n_rows = len(self.validation)
        order = time_order_parts(n_rows, self.network, self.settings, self.portion)
        return self._run(self.validation, order, self.trainer.evaluate)

    def _run(
        self,
        rows: Rows,
        order: Iterator[NDArray[np.int64]],
        run: Callable[[NDArray[np.int64]], float],
    ) -> dict[str, float]:
        self.trainer.states[:] = 0.0
        total, n_rows = 0.0, 0
        said: list[tuple[NDArray, NDArray]] = []
        for positions in order:
            portion = rows[positions]
            self.trainer.take(portion)
            total += run(np.arange(len(portion))) * len(portion)
            n_rows += len(portion)
            if self.settings.metrics:
                said.append((portion.targets, self.trainer.outputs))
            if not np.isfinite(total):
                break
        logs = {"loss": total / n_rows}
        if said:
            targets, outputs = (np.concatenate(each) for each in zip(*said, strict=True))
            logs |= _measured(targets, outputs, self.settings)
        return logs


def _measured(targets: NDArray, outputs: NDArray, settings: Settings) -> dict[str, float]:
    """Return the metrics of what is predicted."""
    outputs = predicted(outputs, settings.quantiles)
    return {name: float(METRICS[name](targets, outputs)) for name in settings.metrics}
