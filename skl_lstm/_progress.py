"""What a native fit shows while it runs."""

from __future__ import annotations

import sys
import time

BAR_WIDTH = 30
REDRAW_SECONDS = 0.1


class Progress:
    """Show epochs as they pass: nothing, one bar, or a line each.

    Parameters
    ----------
    first_epoch, n_epochs : int
        Epochs before these, and how many there are to be.
    verbose : {0, 1, 2}
        Nothing, a bar that is drawn anew in place, or a line an epoch. Where the output is
        no terminal, the bar is drawn once, at the end.
    """

    def __init__(self, first_epoch: int, n_epochs: int, verbose: int) -> None:
        self.first_epoch = first_epoch
        self.n_epochs = n_epochs
        self.verbose = verbose
        self.started = time.perf_counter()
        self.drawn = 0.0
        self.line = ""

    def update(self, epoch: int, logs: dict[str, float]) -> None:
        """Show that an epoch has ended with this loss and these metrics."""
        if not self.verbose:
            return
        now = time.perf_counter()
        done = epoch - self.first_epoch + 1
        values = "".join(f" - {name}: {value:.4g}" for name, value in logs.items())
        last = self.first_epoch + self.n_epochs
        if self.verbose == 2:
            print(f"Epoch {epoch + 1}/{last}{values}")
            return
        full = BAR_WIDTH * done // self.n_epochs
        left = (now - self.started) / done * (self.n_epochs - done)
        bar = "█" * full + "░" * (BAR_WIDTH - full)
        self.line = f"Epoch {epoch + 1}/{last} {bar}{values} - {left:.0f} s left"
        if sys.stdout.isatty() and now - self.drawn > REDRAW_SECONDS:
            self.drawn = now
            print(f"\r\x1b[K{self.line}", end="", flush=True)

    def close(self) -> None:
        """End the bar."""
        if self.line:
            start = "\r\x1b[K" if sys.stdout.isatty() else ""
            print(f"{start}{self.line}")
