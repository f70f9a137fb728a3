"""What the tests of the demonstration share."""

import pandas as pd
import pytest


@pytest.fixture
def csv(tmp_path):
    def write(values, **columns):
        file = tmp_path / "own.csv"
        pd.DataFrame({"v": values, **columns}).to_csv(file, index=False)
        return str(file)

    return write
