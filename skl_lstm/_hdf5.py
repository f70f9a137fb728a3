"""HDF5 that need not be trusted: plain arrays, in the file itself, of the shape expected."""

from __future__ import annotations

import contextlib
import io
import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._files import ModelFileError

HEAP = b"GCOL\x01"
NUMBERS = ("<f4", "<i8", "<i4")


@contextlib.contextmanager
def opened(content: bytes) -> Iterator[Any]:
    """Open the bytes of an HDF5 file; whatever HDF5 says of them is a ModelFileError.

    Parameters
    ----------
    content : bytes
        The file.

    Yields
    ------
    file : h5py.File
        To be read by the functions of this module.
    """
    import h5py

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            yield file
    except ModelFileError:
        raise
    except Exception as error:  # h5py gives nearly every kind of error for a damaged file
        raise ModelFileError(f"HDF5 cannot read it: {error}") from error


def texts(content: bytes) -> Iterator[bytes]:
    """Find the texts of variable length that an HDF5 file holds as attributes.

    Parameters
    ----------
    content : bytes
        The file.

    Yields
    ------
    text : bytes
        Each of them, in no order that means anything.

    Notes
    -----
    HDF5 1.14 crashes, or searches without end, where a byte of these texts' heap is not as it
    was; so it is not asked for them. A heap is a signature and a version (5 bytes), 3 bytes
    unused, its size (8 bytes), and then objects one after the other: a number and two more
    fields (2, 2 and 4 bytes), a size (8 bytes) and so many bytes, padded to a multiple of 8. The
    last may have the number 0: it is free space (HDF5 File Format Specification, III.E).
    """
    start = content.find(HEAP)
    while start >= 0:
        (size,) = struct.unpack_from("<Q", content[start : start + 16].ljust(16, b"\0"), 8)
        position, end = start + 16, min(start + size, len(content))
        while position + 16 <= end:
            number, _, _, n_bytes = struct.unpack_from("<HHIQ", content, position)
            position += 16
            if number == 0 or position + n_bytes > end:
                break
            yield content[position : position + n_bytes]
            position += -(-n_bytes // 8) * 8
        start = content.find(HEAP, position)


def children(group: Any) -> set[str]:
    """Name what is in a group; an array in its place is not so much as looked at."""
    from h5py import Group

    if not isinstance(group, Group):
        raise ModelFileError(f"{group.name} is no group")
    return set(group)


def check_names(group: Any, paths: Iterable[str]) -> None:
    """Refuse a file in which there is more than these arrays.

    Parameters
    ----------
    group : h5py.Group
        Where to start.
    paths : iterable of str
        All that may be there; what is missing is found by :func:`read`.
    """
    below: dict[str, list[str]] = {}
    for path in paths:
        name, _, rest = path.partition("/")
        below.setdefault(name, []).append(rest)
    if surplus := sorted(children(group) - set(below)):
        raise ModelFileError(f"{group.name.rstrip('/')}/{surplus[0]} is no part of a model")
    for name, rests in below.items():
        if name in children(group) and any(rests):
            check_names(find(group, name), rests)


def find(file: Any, path: str) -> Any:
    """Go to an object by hard links alone, so that no other file is ever opened.

    Parameters
    ----------
    file : h5py.Group
        Where to start.
    path : str
        Names with ``/`` between them.

    Returns
    -------
    thing : h5py.Group or h5py.Dataset
        What is there.
    """
    from h5py import Group, h5l

    thing = file
    for name in path.split("/"):
        if not isinstance(thing, Group) or name not in children(thing):
            raise ModelFileError(f"{path} is missing")
        if thing.id.links.get_info(name.encode()).type != h5l.TYPE_HARD:
            raise ModelFileError(f"{path} is a link to elsewhere, which is not followed")
        thing = thing[name]
    return thing


def read(
    file: Any,
    path: str,
    dtypes: Sequence[str],
    shape: tuple[int, ...] | None,
    max_bytes: int,
    *,
    finite: bool = True,
) -> NDArray:
    """Read an array, once all that the file claims about it is known to be so.

    Parameters
    ----------
    file : h5py.Group
        Where it is.
    path : str
        Its name.
    dtypes : sequence of str
        Of which it may be, with the byte order of the file: ``"<f4"``.
    shape : tuple of int or None
        Its shape; None is any.
    max_bytes : int
        How large it may be.
    finite : bool, default=True
        Whether it may hold neither NaN nor infinity.

    Returns
    -------
    array : ndarray
        In the byte order of the machine.
    """
    from h5py import Dataset, h5d

    dataset = find(file, path)
    if not isinstance(dataset, Dataset):
        raise ModelFileError(f"{path} is no array")
    storage = dataset.id.get_create_plist()
    # Before anything else: asking a virtual array for its shape opens the files that it names.
    if storage.get_layout() not in (h5d.COMPACT, h5d.CONTIGUOUS) or storage.get_external_count():
        raise ModelFileError(f"{path} is not stored in one piece in the file itself")
    if dataset.dtype.str not in dtypes:
        raise ModelFileError(f"{path} must be of dtype {' or '.join(dtypes)}, got {dataset.dtype}")
    found = dataset.shape
    if found is None or (shape is not None and found != shape):
        raise ModelFileError(f"{path} must be of shape {shape}, got {found}")
    n_bytes = math.prod(found) * dataset.dtype.itemsize
    if n_bytes > max_bytes:
        raise ModelFileError(f"{path} claims {n_bytes} bytes, more than {max_bytes}")
    if n_bytes != dataset.id.get_storage_size():
        raise ModelFileError(f"{path} claims {n_bytes} bytes, which the file does not hold")
    array = np.asarray(dataset[()])
    if finite and not np.isfinite(array).all():
        raise ModelFileError(f"{path} holds a value that is not finite")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def read_many(file: Any, paths: Iterable[str], max_bytes: int) -> list[NDArray]:
    """Read numbers of any shape, which together are no larger than the file.

    Parameters
    ----------
    file : h5py.Group
        Where they are.
    paths : iterable of str
        Their names.
    max_bytes : int
        The size of the file.

    Returns
    -------
    arrays : list of ndarray
        One for each path.
    """
    arrays = []
    for path in paths:
        arrays.append(read(file, path, NUMBERS, None, max_bytes))
        max_bytes -= arrays[-1].nbytes
    return arrays
