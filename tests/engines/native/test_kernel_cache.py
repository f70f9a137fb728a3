"""A compiled function computes the same, whatever has become of its files on disk."""

import contextlib
import importlib.util
import os
import shutil
import sys
from pathlib import Path

import numba
import pytest

from skl_lstm.engines.native.kernels.cache import CachedFunction, cached


@pytest.fixture
def add(tmp_path, monkeypatch):
    """A small function whose cache lies in a folder of its own."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    source = tmp_path / "small.py"
    source.write_text("def add(a, b):\n    return a + b\n")
    spec = importlib.util.spec_from_file_location("small", source)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "small", module)  # Numba imports what it has loaded
    spec.loader.exec_module(module)
    return module.add


@pytest.fixture
def files(add):
    """The files of the compiled function: index, machine code."""
    assert CachedFunction(add)(1, 2) == 3
    folder = Path(add.__code__.co_filename).parent / "__pycache__"
    return [next(folder.glob(f"small*.{kind}")) for kind in ("nbi", "nbc")]


def loaded(add):
    """Return whether another process would load the function instead of compiling it."""
    function = CachedFunction(add)
    assert function(1, 2) == 3
    return bool(function.compiled.stats.cache_hits)


def emptied(content):
    return b""


def cut_off(content):
    return content[: len(content) // 2]


def with_a_hole(content):
    middle = len(content) // 2
    return content[:middle] + bytes(200) + content[middle + 200 :]


def with_one_other_bit(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def garbage(content):
    return b"<html>not found</html>"


def test_a_function_is_compiled_once_for_all_processes(add):
    assert not loaded(add)
    assert loaded(add)


@pytest.mark.usefixtures("files")
def test_another_type_of_arguments_is_stored_beside_the_first(add):
    assert CachedFunction(add)(0.5, 0.25) == 0.75
    function = CachedFunction(add)
    assert (function(1, 2), function(0.5, 0.25)) == (3, 0.75)
    assert not function.compiled.stats.cache_misses


@pytest.mark.parametrize("damage", [emptied, cut_off, with_a_hole, with_one_other_bit, garbage])
@pytest.mark.parametrize("which", [0, 1], ids=["index", "machine code"])
def test_a_damaged_file_is_replaced(add, files, which, damage):
    files[which].write_bytes(damage(files[which].read_bytes()))
    assert not loaded(add)
    assert loaded(add)


@pytest.mark.parametrize("which", [0, 1], ids=["index", "machine code"])
def test_a_file_that_is_damaged_after_the_check_is_not_taken_for_good(add, files, which):
    function = CachedFunction(add)
    files[which].write_bytes(cut_off(files[which].read_bytes()))
    assert function(1, 2) == 3
    assert not loaded(add)
    assert loaded(add)


def test_an_index_without_its_machine_code_is_completed(add, files):
    files[1].unlink()
    assert not loaded(add)
    assert loaded(add)


@pytest.mark.usefixtures("files")
def test_a_folder_that_is_lost_meanwhile_is_done_without(add):
    function = CachedFunction(add)
    folder = Path(function.compiled.stats.cache_path)
    shutil.rmtree(folder)
    folder.write_text("a file where a folder is wanted")
    assert function(1, 2) == 3
    assert function(3, 4) == 7


def test_without_any_folder_the_function_is_compiled_in_memory(add, tmp_path, monkeypatch):
    (tmp_path / "__pycache__").write_text("a file where a folder is wanted")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "__pycache__"))
    assert not loaded(add)
    assert not loaded(add)


@pytest.mark.parametrize("n_bytes", [0, 3000], ids=["index", "machine code"])
def test_a_full_disk_does_not_stop_the_function(add, n_bytes):
    with largest_file(n_bytes):
        function = CachedFunction(add)
        assert function(1, 2) == 3
    assert function(3, 4) == 7
    assert not loaded(add)
    assert loaded(add)


@contextlib.contextmanager
def largest_file(n_bytes):
    """Have the system refuse to write more than this, as a full disk does."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_the_compiler_refuses_is_raised(add):
    with pytest.raises(numba.TypingError):
        CachedFunction(add)(1, "one")


def test_where_numba_is_told_not_to_compile_the_function_stays_as_it_is(add, monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    assert cached(add) is add
    assert os.listdir(Path(add.__code__.co_filename).parent) == ["small.py"]
