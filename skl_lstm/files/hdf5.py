"""Reader of untrusted HDF5: plain arrays of the expected shape, stored in the file itself."""

from __future__ import annotations

import contextlib
import io
import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.files.whole_files import ModelFileError, refusing

HEAP = b"GCOL\x01"
NUMBERS = ("<f4", "<i8", "<i4")


@contextlib.contextmanager
def opened(content: bytes) -> Iterator[Any]:
    """Open the bytes of an HDF5 file; convert any error of HDF5 to ModelFileError.

    Parameters
    ----------
    content : bytes
        Content of the file.

    Yields
    ------
    file : h5py.File
        The file, for the functions of this module.
    """
    import h5py

    with refusing("HDF5 cannot read it"), h5py.File(io.BytesIO(content), "r") as file:
        yield file


def texts(content: bytes) -> Iterator[bytes]:
    """Yield the variable-length strings that an HDF5 file holds as attributes.

    Parameters
    ----------
    content : bytes
        Content of the file.

    Yields
    ------
    text : bytes
        Each string, in arbitrary order.

    Notes
    -----
    HDF5 1.14 crashes, or searches endlessly, if a byte in the heap of these strings is changed;
    so they are read without it. A heap consists of a signature and a version (5 bytes), 3 bytes
    unused, its size (8 bytes), and then objects one after the other: a number and two more
    fields (2, 2 and 4 bytes), the size of the content (8 bytes) and the content, padded to a
    multiple of 8. The last one may have the number 0: it is free space (HDF5 File Format
    Specification, III.E).
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
    """Return the names in a group; refuse an array in its place without reading it."""
    from h5py import Group

    if not isinstance(group, Group):
        raise ModelFileError(f"{group.name} is not a group")
    return set(group)


def check_names(group: Any, paths: Iterable[str]) -> None:
    """Refuse a file that holds more than these arrays.

    Parameters
    ----------
    group : h5py.Group
        Group to start from.
    paths : iterable of str
        All paths that are allowed; :func:`read` finds the missing ones.
    """
    below: dict[str, list[str]] = {}
    for path in paths:
        name, _, rest = path.partition("/")
        below.setdefault(name, []).append(rest)
    if surplus := sorted(children(group) - set(below)):
        raise ModelFileError(f"{group.name.rstrip('/')}/{surplus[0]} is not part of a model")
    for name, rests in below.items():
        if name in children(group) and any(rests):
            check_names(find(group, name), rests)


def find(file: Any, path: str) -> Any:
    """Return an object, following only hard links, so that no other file is ever opened.

    Parameters
    ----------
    file : h5py.Group
        Group to start from.
    path : str
        Names separated by ``/``.

    Returns
    -------
    thing : h5py.Group or h5py.Dataset
        The object at this path.
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
    """Read an array, after checking everything that the file claims about it.

    Parameters
    ----------
    file : h5py.Group
        Group that contains the array.
    path : str
        Path of the array.
    dtypes : sequence of str
        Allowed dtypes, with the byte order of the file: ``"<f4"``.
    shape : tuple of int or None
        Required shape; any if None.
    max_bytes : int
        Maximum size of the array.
    finite : bool, default=True
        Whether to refuse NaN and infinity.

    Returns
    -------
    array : ndarray
        The array, in the byte order of the machine.
    """
    from h5py import Dataset, h5d

    dataset = find(file, path)
    if not isinstance(dataset, Dataset):
        raise ModelFileError(f"{path} is not an array")
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
    """Read numeric arrays of any shape, which together are no larger than the file.

    Parameters
    ----------
    file : h5py.Group
        Group that contains the arrays.
    paths : iterable of str
        Paths of the arrays.
    max_bytes : int
        Size of the file.

    Returns
    -------
    arrays : list of ndarray
        One array for each path.
    """
    arrays = []
    for path in paths:
        arrays.append(read(file, path, NUMBERS, None, max_bytes))
        max_bytes -= arrays[-1].nbytes
    return arrays
