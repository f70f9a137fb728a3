"""The content of a model file, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skl_lstm.training.state import Trained


@dataclass(frozen=True)
class Contents:
    """A fitted estimator as plain values and arrays.

    Parameters
    ----------
    kind : str
        Name of the class.
    parameters : dict of str to object
        Parameters of the estimator.
    trained : Trained
        The trained network.
    learned : dict of str to object
        The other fitted attributes of the class, which describe the encoding of y.
    n_features_in : int
        Number of columns of X.
    feature_names_in : list of str or None
        Names of the columns, if X had any.
    """

    kind: str
    parameters: dict[str, Any]
    trained: Trained
    learned: dict[str, Any]
    n_features_in: int
    feature_names_in: list[str] | None = None
