"""Progress output of a fit, the same for all engines."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any

BAR_WIDTH = 30
REDRAW_SECONDS = 0.1
LOG_SECONDS = 60.0

_PLAIN = str.maketrans("█░", "#.")


class Progress:
    """Progress output of epochs, or of other work: nothing, one bar, or one line for each.

    In a terminal and in a notebook the bar is redrawn in place, at most ten times per second.
    Elsewhere, as in a log file, it is one line per minute and one at the end.

    Parameters
    ----------
    first_epoch, n_epochs : int
        Number of previous epochs, and number of epochs to run.
    verbose : {0, 1, 2}
        0 prints nothing, 1 a bar, 2 one line per epoch.
    what : str, default="Epoch"
        What is counted.
    out : file, default=None
        Where it is printed; the standard output if None.
    """

    def __init__(
        self, first_epoch: int, n_epochs: int, verbose: int, what: str = "Epoch", out: Any = None
    ) -> None:
        self.first_epoch = first_epoch
        self.n_epochs = n_epochs
        self.verbose = verbose
        self.what = what
        self.out = sys.stdout if out is None else out
        self.in_place = verbose == 1 and _redraws(self.out)
        self.started = self.first_ended = self.shown = time.perf_counter()
        self.n_done = 0
        self.logs: dict[str, Any] = {}
        self.drawn = ""

    def update(self, epoch: int, logs: dict[str, Any]) -> None:
        """Show that an epoch has ended, with its loss and metrics."""
        if not self.verbose:
            return
        now = time.perf_counter()
        self.n_done, self.logs = epoch - self.first_epoch + 1, logs
        if self.n_done == 1:
            self.first_ended = now
        if self.verbose == 2:
            self._write(" - ".join([self._count(), *_values(logs)]) + "\n")
        elif now - self.shown >= (REDRAW_SECONDS if self.in_place else LOG_SECONDS):
            self.shown = now
            self._draw(f"{duration(self._seconds_left(now))} left")

    def close(self) -> None:
        """Finish the bar, if there is one, with the total time."""
        if self.verbose == 1 and self.n_done:
            self._draw(f"in {duration(time.perf_counter() - self.started)}")
            if self.in_place:
                self._write("\n")

    def _draw(self, spent_or_left: str) -> None:
        if not self.in_place:
            self._write(f"{self._line(spent_or_left, sys.maxsize)}\n")
            return
        # A line that wraps could not be drawn over; many terminals wrap at their last column.
        width = shutil.get_terminal_size().columns - 1
        line = self._line(spent_or_left, width)
        # Spaces, because not every output that understands "\r" can erase a line.
        self._write(f"\r{line.ljust(min(len(self.drawn), width))}")
        self.drawn = line

    def _line(self, spent_or_left: str, width: int) -> str:
        """Return a line that fits: time has priority over values, and values over the bar."""
        texts = [spent_or_left, *_values(self.logs)]
        while len(line := " - ".join(texts)) > width - len(self._count()) - 1 and len(texts) > 1:
            texts.pop()
        room = min(BAR_WIDTH, width - len(self._count()) - len(line) - 2)
        room -= room % 5  # so that the bar keeps its length while that of the numbers changes
        full = room * self.n_done // self.n_epochs
        bar = f"{'█' * full}{'░' * (room - full)} " if room > 0 else ""
        return f"{self._count()} {bar}{line}"[:width]

    def _count(self) -> str:
        last = self.first_epoch + self.n_epochs
        return f"{self.what} {self.first_epoch + self.n_done:>{len(str(last))}}/{last}"

    def _write(self, text: str) -> None:
        """Print immediately, in characters that the output can show."""
        encoding = getattr(self.out, "encoding", None) or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            text = text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
        print(text, end="", file=self.out, flush=True)

    def _seconds_left(self, now: float) -> float:
        """Estimate the remaining time from the later epochs: the first includes preparation."""
        if self.n_done == 1:
            an_epoch = now - self.started
        else:
            an_epoch = (now - self.first_ended) / (self.n_done - 1)
        return an_epoch * (self.n_epochs - self.n_done)


def duration(seconds: float) -> str:
    """Format a time in seconds, minutes or hours, whichever reads best."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min"


def _values(logs: dict[str, Any]) -> list[str]:
    """Format the values: the loss first, values of the validation rows last."""

    def place(name: str) -> tuple[bool, bool, str]:
        return name.startswith("val_"), name.removeprefix("val_") != "loss", name

    return [f"{name}: {float(logs[name]):.4g}" for name in sorted(logs, key=place)]


def _redraws(out: Any) -> bool:
    """Return whether a carriage return moves back, as in a terminal or a notebook."""
    if out is None:  # as it is under pythonw
        return False
    return out.isatty() or type(out).__module__.startswith("ipykernel.")
