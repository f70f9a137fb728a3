"""What a report of a defect should tell."""

import importlib.metadata
import platform

from packaging.requirements import Requirement

from skl_lstm import show_versions


def test_every_package_is_shown_with_its_version(capsys):
    show_versions()
    lines = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert lines["python"].startswith(platform.python_version())
    needed = [Requirement(line) for line in importlib.metadata.requires("skl-lstm")]
    core = [each.name for each in needed if each.marker is None]
    assert len(core) > 5
    for name in core:
        assert lines[name] == importlib.metadata.version(name)


def test_what_is_missing_is_shown_as_such(capsys, monkeypatch):
    def version(package):
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(importlib.metadata, "version", version)
    show_versions()
    assert "tensorflow: not installed\n" in capsys.readouterr().out
