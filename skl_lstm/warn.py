"""Warnings that point at the user's line, wherever in the package they are raised."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Packages whose frames are skipped: scikit-learn (a pipeline, a search) and joblib may lie
# between the user's call and our code, Keras and SciKeras between our code and the warning.
_PASSED_OVER = {"skl_lstm", "sklearn", "joblib", "scikeras", "keras", "tensorflow"}


_silent: ContextVar[bool] = ContextVar("silent", default=False)


class SeriesWarning(UserWarning):
    """Warning that rows, columns or targets may not be those that the user means.

    Examples
    --------
    >>> import warnings
    >>> from skl_lstm import SeriesWarning
    >>> warnings.filterwarnings("error", category=SeriesWarning)  # doctest: +SKIP
    """


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn, naming the line from which the user called the package.

    Parameters
    ----------
    message : str
        Text of the warning.
    category : type of Warning, default=UserWarning
        Class of the warning.

    Notes
    -----
    A fixed ``stacklevel`` cannot account for the varying number of frames of other packages. In
    a thread or a worker process there may be no frame of the user's code; the line of whatever
    started it is named then.
    """
    if _silent.get():
        return
    frame = sys._getframe(1)
    while frame.f_back is not None and _package(frame.f_globals) in _PASSED_OVER:
        frame = frame.f_back
    names = frame.f_globals
    warnings.warn_explicit(
        message,
        category,
        filename=frame.f_code.co_filename,
        lineno=frame.f_lineno,
        module=names.get("__name__"),
        registry=names.setdefault("__warningregistry__", {}),
    )


@contextmanager
def silence() -> Iterator[None]:
    """Leave out this package's warnings, in the calling thread alone.

    For calls of a user's model whose rows we choose ourselves. Unlike
    ``warnings.catch_warnings``, it changes no filter of the process.
    """
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def _package(names: dict[str, object]) -> str:
    return str(names.get("__name__", "")).partition(".")[0]
