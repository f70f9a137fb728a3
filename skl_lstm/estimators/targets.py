"""Encoding of y, numbers or labels, as network targets, and decoding of outputs.

The fields of each class are fitted attributes of an estimator, under the names in `attributes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skl_lstm.checks import is_finite_array
from skl_lstm.network.quantiles import checked_quantiles, in_order, predicted
from skl_lstm.warn import warn


@dataclass(frozen=True)
class Values:
    """Numeric targets: one output for each number.

    Parameters
    ----------
    n_dimensions : int
        Number of dimensions of y: 1 or 2.
    quantiles : tuple of float, default=()
        The quantiles that the network learns of each number, one output for each of them; none
        if it learns something else.
    """

    attributes: ClassVar[tuple[str, ...]] = ("_y_ndim", "quantiles_")
    # Whether y is in the units of X.
    in_units_of_X: ClassVar[bool] = True

    n_dimensions: int
    quantiles: tuple[float, ...] = ()

    @property
    def n_for_each(self) -> int:
        """Number of outputs for each number."""
        return max(len(self.quantiles), 1)

    def learned(self) -> dict[str, Any]:
        """Return the fitted attributes."""
        return dict(zip(self.attributes, vars(self).values(), strict=True))

    def stored(self, quantiles: tuple[float, ...]) -> dict[str, Any]:
        """Return what a file stores: the quantiles only if they are not those of the parameters.

        They are the same unless parameters were set since the fit, so a file needs them rarely,
        and earlier versions did not store them.
        """
        learned = self.learned()
        del learned["quantiles_"]
        same = self.quantiles == quantiles
        return learned if same else {**learned, "quantiles_": np.array(self.quantiles)}

    @classmethod
    def from_stored(cls, stored: dict[str, Any], quantiles: tuple[float, ...]) -> Values:
        """Return the encoding that :meth:`stored` describes."""
        if set(stored) - {"quantiles_"} != {"_y_ndim"}:
            raise ValueError("learnt must have _y_ndim")
        if "quantiles_" in stored:
            quantiles = tuple(np.ravel(stored["quantiles_"]).tolist())
        return cls(stored["_y_ndim"], quantiles)

    @classmethod
    def encode(cls, y: ArrayLike, quantiles: tuple[float, ...] = ()) -> tuple[Values, NDArray]:
        """Return the encoding of y, and the targets of shape (n, n_targets), in y's precision."""
        if is_finite_array(y) and y.ndim in (1, 2):
            values = y
        else:
            values = check_array(
                y,
                ensure_2d=False,
                dtype=[np.float64, np.float32],
                ensure_all_finite="allow-nan",
                input_name="y",
            )
        return cls(values.ndim, quantiles), values.reshape(len(values), -1)

    def encoded(self, y: ArrayLike) -> NDArray:
        """Return other targets in the same encoding."""
        return self.encode(y, self.quantiles)[1]

    def decode(self, outputs: NDArray) -> NDArray:
        """Turn outputs of shape (n, n_outputs) into predictions: the median of quantiles."""
        values = predicted(outputs, self.quantiles)
        return values[:, 0] if self.n_dimensions == 1 else values

    def decode_quantiles(self, outputs: NDArray) -> NDArray:
        """Turn outputs of shape (n, n_outputs) into all quantiles, in the last dimension."""
        values = np.moveaxis(in_order(outputs, self.n_for_each), 1, 2)
        return values[:, 0] if self.n_dimensions == 1 else values

    @classmethod
    def of_outputs(cls, n_outputs: int, quantiles: tuple[float, ...] = ()) -> Values:
        """Return the encoding for a network trained elsewhere."""
        return cls(1 if n_outputs == max(len(quantiles), 1) else 2, quantiles)

    def check(self, n_outputs: int) -> None:
        """Raise ValueError unless a network of `n_outputs` outputs can predict this."""
        if self.quantiles:
            checked_quantiles(self.quantiles)
        if n_outputs % self.n_for_each:
            raise ValueError(
                f"a network of {n_outputs} outputs cannot predict the quantiles {self.quantiles}"
            )
        if self.n_dimensions not in ((1, 2) if n_outputs == self.n_for_each else (2,)):
            raise ValueError(
                f"a network of {n_outputs} outputs cannot predict y of {self.n_dimensions!r} "
                "dimensions"
            )


@dataclass(frozen=True)
class Labels:
    """Class labels: one sigmoid output for two classes, one softmax output per class for more.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels, sorted.
    """

    attributes: ClassVar[tuple[str, ...]] = ("classes_",)
    in_units_of_X: ClassVar[bool] = False
    n_for_each: ClassVar[int] = 1

    classes: NDArray

    def learned(self) -> dict[str, Any]:
        """Return the fitted attributes."""
        return dict(zip(self.attributes, vars(self).values(), strict=True))

    def stored(self, quantiles: tuple[float, ...]) -> dict[str, Any]:
        """Return what a file stores."""
        return self.learned()

    @classmethod
    def from_stored(cls, stored: dict[str, Any], quantiles: tuple[float, ...]) -> Labels:
        """Return the encoding that :meth:`stored` describes."""
        if set(stored) != set(cls.attributes):
            raise ValueError(f"learnt must have {', '.join(cls.attributes)}")
        return cls(stored["classes_"])

    @classmethod
    def encode(
        cls, y: ArrayLike, classes: NDArray | None = None
    ) -> tuple[Labels, NDArray[np.float32]]:
        """Return the encoding of y, and the targets of shape (n, n_outputs).

        `classes` holds all possible labels; those in y if None.
        """
        labels = column_or_1d(y)
        if np.asarray(y).ndim == 2:
            warn(
                "A column-vector y was passed when a 1d array was expected. Please change the "
                "shape of y to (n_samples,), for example using ravel().",
                DataConversionWarning,
            )
        if not len(labels):
            raise ValueError("y must hold a label for each row of X, got none")
        try:
            check_classification_targets(labels)
            seen, codes = np.unique(labels, return_inverse=True)
        except TypeError as error:
            raise TypeError(f"y must hold labels that can be sorted: {error}") from error
        classes = seen if classes is None else classes
        if len(classes) < 2:
            raise ValueError(f"y must hold at least two classes, got one class: {classes[0]}")
        unknown = np.setdiff1d(seen, classes)
        if len(unknown):
            raise ValueError(
                f"y holds the labels {unknown}, which are not among the classes learned from the "
                f"first rows, {classes}"
            )
        codes = np.searchsorted(classes, seen)[codes]
        if len(classes) == 2:
            return cls(classes), codes[:, np.newaxis].astype(np.float32)
        return cls(classes), np.eye(len(classes), dtype=np.float32)[codes]

    def encoded(self, y: ArrayLike) -> NDArray:
        """Return other targets in the same encoding."""
        return self.encode(y, self.classes)[1]

    def decode(self, outputs: NDArray) -> NDArray:
        """Turn outputs of shape (n, n_outputs) into the most probable label of each row."""
        unknown = np.flatnonzero(np.isnan(outputs).any(axis=1))
        if len(unknown):
            raise ValueError(
                f"X has {len(unknown)} rows with no known value, the first is row {unknown[0]}: "
                "they have no class, and predict_proba gives NaN for them"
            )
        codes = outputs[:, 0] > 0.5 if outputs.shape[1] == 1 else outputs.argmax(axis=1)
        return self.classes[np.asarray(codes, dtype=np.intp)]

    @classmethod
    def of_outputs(cls, n_outputs: int, quantiles: tuple[float, ...] = ()) -> Labels:
        """Return the encoding for a network trained elsewhere."""
        return cls(np.arange(max(n_outputs, 2)))

    def check(self, n_outputs: int) -> None:
        """Raise ValueError unless a network of `n_outputs` outputs can predict this."""
        classes = np.asarray(self.classes)
        if classes.shape != (max(n_outputs, 2),) or not np.array_equal(
            np.unique(classes), classes
        ):
            raise ValueError(
                f"classes_ must hold {max(n_outputs, 2)} sorted labels for a network of "
                f"{n_outputs} outputs, got {classes}"
            )


Targets = Values | Labels
