"""The pages of the documentation: their code runs as it stands there."""

import re
from pathlib import Path

import pytest

import skl_lstm

DOCS = Path(__file__).parents[1] / "docs"
GENERATED = {"_build", "_generated", "api", "gallery"}

# Needs machines that work together, which its own test starts: tests/test_distributed.py.
ELSEWHERE = {"user_guide/distributed.md"}

# What only an extra installs, by what uses it.
NEEDED = {
    "keras": r"import keras|\.to_keras\(",
    "matplotlib": r"import matplotlib|Display\.from_|\.plot\(",
    "onnxruntime": r"import onnxruntime",
    "polars": r"import polars",
    "skops": r"save_model\(",
}


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def pages():
    for page in sorted(DOCS.rglob("*.md")):
        name = page.relative_to(DOCS)
        code = "".join(blocks(page))
        if not code or name.parts[0] in GENERATED or name.as_posix() in ELSEWHERE:
            continue
        needed = [module for module, use in NEEDED.items() if re.search(use, code)]
        yield pytest.param(page, id=name.as_posix(), marks=pytest.mark.needs(*needed))


@pytest.mark.slow
@pytest.mark.parametrize("page", list(pages()))
@pytest.mark.filterwarnings("error::skl_lstm.SeriesWarning")
def test_the_code_of_a_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text, names = page.read_text("utf-8"), {"__name__": page.stem}
    for block in blocks(page):
        above = text[: text.index(block)].count("\n")  # so that errors name the line of the page
        exec(compile("\n" * above + block, str(page), "exec"), names)


def test_the_user_guide_lists_each_of_its_pages():
    guide = DOCS / "user_guide"
    (listed,) = re.findall(
        r"^```\{toctree\}\n.*?\n\n(.*?)^```",
        (guide / "index.md").read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    there = {page.stem for page in guide.glob("*.md")} - {"index"}
    assert sorted(listed.split()) == sorted(there)


def test_the_api_reference_lists_each_public_name_once():
    reference = (DOCS / "api.rst").read_text("utf-8")
    lists = re.findall(r"^   :toctree: api/\n\n((?:   \w+\n)+)", reference, re.MULTILINE)
    assert sorted("".join(lists).split()) == sorted(skl_lstm.__all__)
