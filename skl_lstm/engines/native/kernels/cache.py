"""A compiled function that is kept on disk, as far as the disk can be trusted."""

import contextlib
import hashlib
from pathlib import Path

import numba

from skl_lstm.engines.native.kernels.compiling import OPTIONS

DIGEST_SIZE = hashlib.sha256().digest_size


def cached(function):
    """Compile a function at its first call, or load it from the cache.

    Parameters
    ----------
    function : callable
        Python function, which must not raise.

    Returns
    -------
    function : callable
        The function itself, so that importing it does no harm, if the environment tells Numba
        not to compile. The kernel cannot run then: vectors exist only in compiled code.
    """
    return function if numba.config.DISABLE_JIT else CachedFunction(function)


class CachedFunction:
    """A function that is compiled at its first call, or loaded from Numba's cache.

    A file of the cache may be cut off or damaged, because a machine stopped or a copy was
    interrupted. Numba would raise whatever unpickling the rest raises, or run damaged machine
    code. So the files end with a digest of what they hold, which unpickling passes over, and
    those without the right one are deleted before they are read. Whatever else the disk does,
    full or not writable, the function is compiled for this process.

    Parameters
    ----------
    function : callable
        Python function, which must not raise.

    Attributes
    ----------
    compiled : callable
        Function of Numba.
    """

    def __init__(self, function):
        self._in_memory = numba.njit(function, no_cfunc_wrapper=True, **OPTIONS)
        self.compiled = self._in_memory
        with contextlib.suppress(RuntimeError, OSError):  # no folder that can be written
            compiled = numba.njit(function, cache=True, no_cfunc_wrapper=True, **OPTIONS)
            self._folder = Path(compiled.stats.cache_path)
            _remove_damaged(self._folder)
            self._known = _changes(self._folder)
            self._n_stored = 0
            self.compiled = compiled

    def __call__(self, *arguments):
        """Call the function."""
        compiled = self.compiled
        n_before = len(compiled.overloads)
        try:
            result = compiled(*arguments)
        except Exception:  # of the cache: the function itself does not raise
            if len(compiled.overloads) == n_before:  # was not even compiled
                self.compiled = compiled = self._in_memory
            return compiled(*arguments)
        if len(compiled.overloads) > n_before and compiled is not self._in_memory:
            with contextlib.suppress(OSError):
                self._seal_what_is_new()
        return result

    def _seal_what_is_new(self):
        """Write the digest at the end of what was stored, if anything was, since the last time."""
        n_stored = sum(self.compiled.stats.cache_misses.values())
        if n_stored > self._n_stored:
            self._n_stored = n_stored
            _seal(self._folder, self._known)
        self._known = _changes(self._folder)


def _files(folder):
    return [*folder.glob("*.nbi"), *folder.glob("*.nbc")]


def _is_sealed(content):
    return hashlib.sha256(content[:-DIGEST_SIZE]).digest() == content[-DIGEST_SIZE:]


def _remove_damaged(folder):
    """Delete the files that do not end with their digest."""
    for path in _files(folder):
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            if not _is_sealed(path.read_bytes()):
                path.unlink()


def _changes(folder):
    """Return when each file was last changed."""
    return {path: path.stat().st_mtime_ns for path in _files(folder)}


def _seal(folder, known):
    """Write the digest of each file that is new, or changed, at its end."""
    for path in _files(folder):
        if path.stat().st_mtime_ns == known.get(path):
            continue
        with path.open("r+b") as file:
            content = file.read()
            if not _is_sealed(content):
                file.write(hashlib.sha256(content).digest())
