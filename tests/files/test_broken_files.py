"""A broken file is refused with its reason and does no harm."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from skl_lstm.files.model_file import FORMAT

HERE = Path(__file__).parent
FILES = HERE / "model_files"


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """What came of loading each broken file, in a process that neither crashed nor hung."""
    folder = tmp_path_factory.mktemp("broken")
    done = subprocess.run(
        [sys.executable, HERE / "broken_files.py", folder, FILES / f"forecaster_{FORMAT}.h5"],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return json.loads(done.stdout)


@pytest.mark.slow
def test_each_of_several_hundred_broken_files_is_refused_with_its_reason(broken):
    found = [each for each in broken["found"] if each[0] != "forged"]
    assert len({name for name, _, _ in found}) > 300
    for name, sentences, outcome in found:
        assert outcome.startswith("refused: "), (name, outcome)
        expected = [sentences] if isinstance(sentences, str) else sentences
        assert any(sentence in outcome for sentence in expected), (name, outcome)


@pytest.mark.slow
def test_what_a_forger_signed_is_refused_or_loads_and_does_nothing_else(broken):
    outcomes = [outcome for name, _, outcome in broken["found"] if name == "forged"]
    assert len(outcomes) == 150
    assert {outcome.partition(":")[0] for outcome in outcomes} <= {"refused", "loaded"}


@pytest.mark.slow
def test_no_broken_file_takes_long(broken):
    assert broken["slowest"] < 5.0
