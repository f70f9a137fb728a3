"""The roles of a table's columns: forecast, known ahead, or known up to now."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# A column, or several of them. (None is hashable: the parameters that may be None say so.)
Names: TypeAlias = Hashable | Iterable[Hashable]

# Under which name the attributes of a DataFrame or Series tell the roles of its columns.
TOLD = "skl_lstm"


def tell(values: Any, roles: Roles, horizon: int) -> Any:
    """Note in X or y how they were laid out, for whoever gets them from pandas."""
    told = {"target": roles.targets, "known": roles.known, "horizon": horizon}
    if roles.static:
        told["static"] = roles.static
    values.attrs = {**values.attrs, TOLD: told}
    return values


def told_by(values: Any) -> dict[str, Any] | None:
    """Return what :func:`tell` noted; None if nothing."""
    attributes = getattr(values, "attrs", None)
    return attributes.get(TOLD) if isinstance(attributes, dict) else None


def told_names(told: Mapping[str, Any], columns: Iterable[Any]) -> dict[str, list[Any]]:
    """Return what is told of the columns in each role, if all of them are in a table."""
    there = set(columns)
    return {
        role: names for role, names in told.items() if role != "horizon" and set(names) <= there
    }


def refuse_laid_out(frame: Any, name: str) -> None:
    """Raise ValueError if the columns known ahead were moved already."""
    told = told_by(frame)
    moved = [] if told is None else [column for column in told["known"] if column in frame]
    if moved:
        raise ValueError(
            f"{name} must hold each value at its own time, but it is the X that make_supervised "
            f"returned, in which {moved} are moved ahead; pass the series itself"
        )


@dataclass(frozen=True)
class Roles:
    """Which columns are forecast, known ahead, and static; the others are known up to now.

    Parameters
    ----------
    targets, known, past, static : list
        Names of the columns, in the order of the table; `targets` in the order of the model's
        outputs.
    """

    targets: list[Any]
    known: list[Any]
    past: list[Any]
    static: list[Any] = field(default_factory=list)

    @classmethod
    def of(
        cls, columns: pd.Index, target: Any, known: Any, name: str = "series", static: Any = None
    ) -> Roles:
        """Assign the columns of a table to their roles.

        Parameters
        ----------
        columns : Index
            Names of the columns.
        target : name, sequence of names, or None
            Columns to forecast; None for all that are not known ahead.
        known : name, sequence of names, or None
            Columns whose values are known ahead.
        name : str, default="series"
            What has the columns, for messages.
        static : name, sequence of names, or None
            Columns that have one value in a series.

        Raises
        ------
        ValueError
            If a name is not a column, or has two roles, or no column is left to forecast.
        """
        known = [] if known is None else names_in("known", known, columns, name)
        static = [] if static is None else names_in("static", static, columns, name)
        if target is None:
            targets = [column for column in columns if column not in known + static]
        else:
            targets = names_in("target", target, columns, name)
        both = [column for column in targets if column in known]
        if both:
            raise ValueError(f"known must not name target columns, got {both}")
        twice = [column for column in static if column in targets or column in known]
        if twice:
            raise ValueError(f"static must not name columns of target or known, got {twice}")
        if not targets:
            raise ValueError(
                f"known must leave a column of {name} to forecast, got all of {list(columns)}"
            )
        past = [column for column in columns if column not in targets + known + static]
        return cls(targets, known, past, static)

    def order(self, columns: pd.Index) -> list[Any]:
        """Return the columns as models get them: the targets first, then the others."""
        return self.targets + [column for column in columns if column not in self.targets]


def names_in(parameter: str, given: Any, columns: pd.Index, name: str) -> list[Any]:
    """Return column names given as one or several in a list, if each is a column of a table."""
    one = not np.iterable(given) or isinstance(given, str | bytes | Mapping | Set)
    if isinstance(given, tuple) and given in columns:
        one = True
    names = [given] if one else list(given)
    strange = [each for each in names if not _is_in(each, columns)]
    if strange:
        raise ValueError(
            f"{parameter} must name columns of {name}, {list(columns)}, got {strange}"
        )
    if len(set(names)) < len(names):
        raise ValueError(f"{parameter} must name each column once, got {names}")
    return names


def _is_in(name: Any, columns: Collection[Any]) -> bool:
    try:
        return name in columns
    except TypeError:  # not hashable
        return False


def led(frame: pd.DataFrame, roles: Roles, horizon: int) -> pd.DataFrame:
    """Return the rows that models see.

    Parameters
    ----------
    frame : DataFrame of shape (n, n_columns)
        The series, each value at its own time.
    roles : Roles
        Roles of its columns.
    horizon : int
        Number of rows that a model predicts.

    Returns
    -------
    rows : DataFrame of shape (n, n_columns)
        The targets first, then the other columns in their order. Those known ahead hold, in each
        row, their value `horizon` rows later, which is that of the last row to be predicted from
        it; so they are missing in the last `horizon` rows.
    """
    rows = frame[roles.order(frame.columns)].copy(deep=False)
    for name in roles.known:
        rows[name] = frame[name].shift(-horizon)
    return rows
