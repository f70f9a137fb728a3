"""Files as wholes: read at once, written completely or not at all, and the error they give."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# Far above any network of LSTM layers, and still what memory holds.
MAX_BYTES = 2**32

# Of a JSON text.
MAX_NESTING = 32
MAX_DIGITS = 20
TOO_DEEP = f"its JSON text is nested more than {MAX_NESTING} levels deep"


class ModelFileError(ValueError):
    """A file that holds no model to be loaded, or a model that no file can hold.

    The message says what is wrong. What the operating system has to say about a path (missing,
    a folder, not permitted, a full disk) stays an ``OSError``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skl_lstm import LSTMForecaster, ModelFileError
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "notes.h5"
    ...     written = path.write_text("Buy milk")
    ...     try:
    ...         LSTMForecaster.load(path)
    ...     except ModelFileError as error:
    ...         print(str(error).replace(folder, "…"))
    …/notes.h5: it was not written by save, whose files begin otherwise
    """


def read_whole(path: str | os.PathLike[str]) -> bytes:
    """Read a file.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    content : bytes
        All of it.

    Raises
    ------
    ModelFileError
        If it is no regular file (reading a pipe or a device may never end) or too large.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ModelFileError(f"{path} is neither a file nor a folder")
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > MAX_BYTES:
            raise ModelFileError(f"{path} has {size} bytes, more than any model: {MAX_BYTES}")
        return stream.read(MAX_BYTES)


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that, whatever happens, it is the new one or the one before, whole.

    Parameters
    ----------
    path : str or path-like
        Where to. A link is followed, and the permissions of a file that is there are kept.
    content : bytes
        What.

    Raises
    ------
    OSError
        If it cannot be written. What was there before is then untouched, and nothing is left
        beside it.

    Notes
    -----
    The bytes are written beside the file and synced to the disk before they take its name,
    which POSIX and Windows do in one step.
    """
    path = os.path.realpath(path)
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), folder)
    exists = os.path.exists(path)
    if exists and not os.access(path, os.W_OK):  # renaming would not ask
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    beside = os.path.join(folder, f".{secrets.token_hex(8)}.tmp")
    try:
        with open(beside, "xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if exists:
            shutil.copymode(path, beside)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    """Make the new name last, where the system can sync a folder."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def parse_json(text: bytes) -> Any:
    """Parse a JSON text that need not be trusted.

    Parameters
    ----------
    text : bytes
        In UTF-8.

    Returns
    -------
    value : object
        Dicts, lists, strings, finite numbers, truth values and None.

    Raises
    ------
    ModelFileError
        If it is no JSON text, is nested too deeply, or holds NaN or an infinite number.
    """
    try:
        value = json.loads(text, parse_int=_integer, parse_float=_finite, parse_constant=_finite)
    except ValueError as error:
        raise ModelFileError(f"its JSON text cannot be read: {error}") from error
    except RecursionError as error:
        raise ModelFileError(TOO_DEEP) from error
    level = [value]
    for _ in range(MAX_NESTING + 1):
        level = [each for thing in level for each in _inside(thing)]
        if not level:
            return value
    raise ModelFileError(TOO_DEEP)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is not a finite number")
    return value


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits")
    return int(digits)
