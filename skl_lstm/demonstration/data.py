"""A series to forecast, and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd


class Data(NamedTuple):
    """A series to forecast.

    Attributes
    ----------
    frame : DataFrame of float
        The column to forecast, then those known ahead; the rows to forecast, of which only these
        are known, come last.
    freq : offset or None
        The step between two rows; None if the index tells.
    notes : list of str
        Sentences about what was decided.
    """

    frame: pd.DataFrame
    freq: Any = None
    notes: Sequence[str] = ()

    @property
    def target(self) -> str:
        """The column to forecast."""
        return self.frame.columns[0]

    @property
    def known(self) -> list[str]:
        """The columns known ahead."""
        return list(self.frame.columns[1:])

    @property
    def roles(self) -> dict[str, Any]:
        """The columns as :func:`make_supervised` names them."""
        return {"target": self.target, "known": self.known}

    @property
    def layout(self) -> dict[str, Any]:
        """How :func:`make_supervised` lays out the rows."""
        return {**self.roles, "freq": None if self.freq is None else "rows"}

    @property
    def n_ahead(self) -> int:
        """Number of rows to forecast that there are."""
        return int(self.frame[self.target].isna().sum())

    @property
    def past(self) -> pd.DataFrame:
        """The rows before those to forecast."""
        return self.frame[: len(self.frame) - self.n_ahead]

    def last(self, n_values: int) -> Data:
        """Return the end of the series, with at most so many values."""
        return self._replace(frame=self.frame[-n_values - self.n_ahead :])
