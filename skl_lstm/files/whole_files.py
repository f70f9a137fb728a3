"""Files read as a whole and written completely or not at all, and the error they raise."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

# Far above any network of LSTM layers, but still fits in memory.
MAX_BYTES = 2**32

# Maximum ratio of the size of an archive's members to the size of the archive.
MAX_EXPANSION = 100

# Errors caused by content that does not have the expected structure.
MISFITS = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)


class ModelFileError(ValueError):
    """Error for a file from which no model can be loaded, or a model that cannot be saved.

    The message says what is wrong. Errors of the operating system about a path (missing, a
    folder, no permission, a full disk) remain ``OSError``.

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
    …/notes.h5: it is not a file written by save(): its header is missing
    """


@contextlib.contextmanager
def refusing(what: str) -> Iterator[None]:
    """Convert any exception that a library raises for a damaged file to ModelFileError.

    Parameters
    ----------
    what : str
        Beginning of the message.
    """
    try:
        yield
    except ModelFileError:
        raise
    except Exception as error:  # the libraries raise nearly every kind of error for such files
        raise ModelFileError(f"{what} ({type(error).__name__}: {error})") from error


def read_whole(path: str | os.PathLike[str]) -> bytes:
    """Read a file.

    Parameters
    ----------
    path : str or path-like
        Path of the file.

    Returns
    -------
    content : bytes
        The content of the file.

    Raises
    ------
    ModelFileError
        If it is not a regular file (reading a pipe or a device may never end) or is too large.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ModelFileError(f"{path} is neither a file nor a folder")
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > MAX_BYTES:
            raise ModelFileError(f"{path} has {size} bytes, more than the maximum of {MAX_BYTES}")
        return stream.read(MAX_BYTES)


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file atomically: whatever happens, it is the new or the previous one, complete.

    Parameters
    ----------
    path : str or path-like
        Path of the file. A link is followed, and the permissions of an existing file are kept.
    content : bytes
        The content of the file.

    Raises
    ------
    OSError
        If it cannot be written. An existing file is then untouched, and no temporary file is
        left.

    Notes
    -----
    The bytes are written to a temporary file in the same folder and synced to disk; then this
    file is renamed, which POSIX and Windows do in one step.
    """
    path = os.path.realpath(path)
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), folder)
    exists = os.path.exists(path)
    if exists and not os.access(path, os.W_OK):  # renaming would not check this
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
    """Make the new name durable, if the system can sync a folder."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
