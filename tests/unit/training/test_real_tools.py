"""Files are loaded by the tools they are made for, offline."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.training.formats.choice import FILE_TYPES
from shared.training.formats.schemas import SHAPE_TYPES
from tests.unit.training.made import exported, made

ROOT = Path(__file__).parents[3]
TRL = {
    "prompt-completion": {"prompt", "completion"},
    "preference": {"prompt", "chosen", "rejected"},
    "kto": {"prompt", "completion", "label"},
}
"""Columns that TRL's SFT, DPO and KTO trainers read."""
CHAT = json.dumps([{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}])
LOAD = """
import json, sys
from datasets import load_dataset
cache, *files = sys.argv[1:]
read = {}
for kind, path in zip(files[::2], files[1::2]):
    loaded = load_dataset(kind, data_files=path, cache_dir=cache, split="train")
    read[path] = {"columns": loaded.column_names, "rows": loaded.to_list()}
json.dump(read, sys.stdout, default=str)
"""
TEMPLATE = """
import json, sys
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast
from trl.data_utils import apply_chat_template, is_conversational

tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"a": 0}, "a")))
tokenizer.chat_template = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
read = [json.loads(line) for line in open(sys.argv[1])]
assert all(is_conversational(record) for record in read)
json.dump([apply_chat_template(record, tokenizer) for record in read], sys.stdout)
"""


def run(tmp_path: Path, script: str, *arguments: str) -> Any:
    """A script of its own: these tools read their settings once, at import."""
    offline = {"HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, **offline},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return json.loads(done.stdout)


async def saved(tmp_path: Path, shape: str, name: str) -> Path:
    rows = [
        made(1, correction="Lyon", input=CHAT, consent=True),
        made(2, quality=0.2, correction="Nice", output="=1+1", model_version=None),
    ]
    path = tmp_path / f"export{FILE_TYPES[name].suffix}"  # type: ignore[index]
    path.write_bytes((await exported(rows, shape=shape, format=name))[0])
    return path


@pytest.mark.parametrize("shape", [*SHAPE_TYPES])
async def test_datasets_loads_each_format(tmp_path: Path, shape: str) -> None:
    pytest.importorskip("datasets", reason="datasets is not installed")
    paths = {name: str(await saved(tmp_path, shape, name)) for name in FILE_TYPES}
    files = [("json" if name == "jsonl" else name, path) for name, path in paths.items()]
    loaded = run(
        tmp_path, LOAD, str(tmp_path / "cache"), *(part for file in files for part in file)
    )
    count = await exported_count(tmp_path, shape)
    for name, path in paths.items():
        assert loaded[path]["columns"] == list(SHAPE_TYPES[shape])
        assert len(loaded[path]["rows"]) == count > 0
        _same_row(shape, name, loaded[path]["rows"][0])


async def exported_count(tmp_path: Path, shape: str) -> int:
    path = await saved(tmp_path, shape, "jsonl")
    return len(path.read_bytes().splitlines())


def _same_row(shape: str, name: str, first: dict[str, Any]) -> None:
    if shape == "rows":
        assert (first["quality"], first["input"], first["consent"]) == (0.75, CHAT, True)
        return
    held = first["messages" if shape == "openai-chat" else "prompt"]
    turns = json.loads(held) if name == "csv" else held
    asked = [(turn["role"], turn["content"]) for turn in turns[:2]]
    assert asked == [("system", "be brief"), ("user", "hi")]


async def test_the_page_loads_rows_of_which_the_first_ten_megabytes_know_no_type(
    tmp_path: Path,
) -> None:
    pytest.importorskip("datasets", reason="datasets is not installed")
    lineage = {
        "operation_event_id": "x",
        "feedback_event_ids": [],
        "provider": None,
        "release": None,
        "readers": [],
    }
    known = {**lineage, "provider": "p", "feedback_event_ids": ["y"], "readers": ["assay 3"]}
    rows = [
        made(n, input="x" * 6_000, lineage=lineage, model_version=None, consent=None)
        for n in range(2_500)
    ]
    rows += [made(n, lineage=known, correction="Lyon", consent=True) for n in range(2_500, 2_600)]
    path = tmp_path / "export.jsonl"
    path.write_bytes((await exported(rows, shape="rows", format="jsonl"))[0])
    assert path.stat().st_size > 11 << 20
    page = (ROOT / "docs" / "training-data.md").read_text()
    snippet = next(
        part for part in page.split("```python")[1:] if "features = Features(" in part
    ).split("```")[0]
    snippet = snippet.replace('"export.jsonl"', f'"{path}", cache_dir="{tmp_path / "cache"}"')
    call = snippet.rindex("load_dataset(")
    script = f"{snippet[:call]}\nloaded = {snippet[call:]}\nimport json, sys\n"
    script += "last = loaded[-1]\n"
    script += "print(json.dumps([len(loaded), last['correction'], last['lineage']['readers']]))"
    assert run(tmp_path, script) == [2_600, "Lyon", ["assay 3"]]


@pytest.mark.parametrize("shape", [*TRL])
async def test_columns_are_those_that_trl_reads(tmp_path: Path, shape: str) -> None:
    path = await saved(tmp_path, shape, "jsonl")
    read = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert read
    for record in read:
        assert record.keys() == TRL[shape]
        turns = [turn for value in record.values() if isinstance(value, list) for turn in value]
        assert all(turn.keys() == {"role", "content"} for turn in turns)
        assert all(isinstance(turn["content"], str) for turn in turns)
        assert record["prompt"][-1]["role"] == "user"
        answers = [record[name] for name in record.keys() & {"completion", "chosen", "rejected"}]
        assert all([turn["role"] for turn in answer] == ["assistant"] for answer in answers)
        assert isinstance(record.get("label", True), bool)


@pytest.mark.parametrize("shape", [*TRL])
async def test_trl_applies_a_chat_template_to_it(tmp_path: Path, shape: str) -> None:
    pytest.importorskip("trl.data_utils", reason="trl needs torch with CUDA, over 1.5 GB")
    path = await saved(tmp_path, shape, "jsonl")
    first, *_ = run(tmp_path, TEMPLATE, str(path))
    assert first["prompt"] == "<system>be brief<user>hi<assistant>"
    assert first.keys() == TRL[shape]
    assert first.get("completion", first.get("rejected")) == "Paris."
    assert first.get("chosen", "Lyon") == "Lyon"
    assert first.get("label", True) is True


async def test_a_spreadsheet_sees_no_formula(tmp_path: Path) -> None:
    path = await saved(tmp_path, "rows", "csv")
    with path.open(newline="", encoding="utf-8") as file:
        _, *lines = csv.reader(file)
    cells = [cell for line in lines for cell in line]
    assert "'=1+1" in cells
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\0")) for cell in cells)
