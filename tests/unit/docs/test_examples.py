"""Every example of the docs can be read by what would run it, or says why it is not run."""

import json
from pathlib import Path

import pytest

from tests.support.examples import blocks, complete, differences, like, pages, parsed, statements

LANGUAGES = {"sh", "python", "json", "text", "mermaid", "yaml"}
ALL = [block for path in pages() for block in blocks(path)]


def test_there_are_examples() -> None:
    assert len(ALL) > 30
    assert sum(block.mark != "not run" for block in ALL if block.language == "sh") > 15


@pytest.mark.parametrize("block", ALL, ids=str)
def test_an_example_can_be_read(block: object) -> None:
    assert isinstance(block, type(ALL[0]))
    assert block.language in LANGUAGES, f"{block}: name its language"
    if block.mark:
        assert block.mark in {"not run", "answers"}, f"{block}: {block.mark}"
        assert len(block.argument) > 10, f"{block}: a reason says something"
    if block.language == "sh":
        assert complete(block.text), f"{block}: bash cannot read it"
        assert list(statements(block.text))
    elif block.language == "python":
        compile(block.text, str(block), "exec")
    elif block.language == "json":
        assert parsed(block.text)
        assert block.mark, f"{block}: say what answers this, or why nothing does"


def test_a_block_knows_its_mark_and_its_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n\n<!-- not run: it never ends -->\n```sh\nyes\n```\n\n```json\n{}\n```\n"
    )
    first, second = blocks(page, "page.md")
    assert (str(first), first.mark, first.argument) == ("page.md:4", "not run", "it never ends")
    assert (second.language, second.mark) == ("json", "")


def test_a_block_falls_into_what_is_pasted_at_once() -> None:
    text = """\
ask one -d '{"a": 1,
  "b": "# no comment"}'  # 202
# {"accepted":1,…}

for n in 1 2; do
  ask two
done
ask a |
  jq .id
ask "$URL"   # live
"""
    first, loop, piped, live = statements(text)
    assert (first.status, first.answers) == (202, ['{"accepted":1,…}'])
    assert not first.asks_only
    assert loop.code.splitlines()[-1] == "done"
    assert (piped.code, piped.remarks) == ("ask a |\n  jq .id\n", ())
    assert (live.status, live.answers, live.asks_only) == (None, [], True)


def test_what_never_ends_is_told() -> None:
    with pytest.raises(ValueError, match="never ends"):
        list(statements("for n in 1 2; do\n"))


def test_an_answer_is_like_its_promise() -> None:
    assert like('{"a": 1, "ids": ["…"]}', 'x {"a":1,"ids":["0190"]} y')
    assert not like('{"a": 1, "ids": ["…"]}', '{"a":2,"ids":["0190"]}')


@pytest.mark.parametrize(
    ("shown", "said", "differs"),
    [
        pytest.param('{"a": 0.4, "…": "…"}', '{"a": 7, "b": 1}', 0, id="a number is a number"),
        pytest.param('{"a": "SHIP"}', '{"a": "BROKEN"}', 1, id="a name is that name"),
        pytest.param('{"a": "24 points up"}', '{"a": "7 points up"}', 0, id="sentences vary"),
        pytest.param('{"a": null}', '{"a": 0}', 1, id="nothing is not zero"),
        pytest.param('{"a": 1}', '{"a": true}', 1, id="a truth is no number"),
        pytest.param('{"a": true}', '{"a": false}', 1, id="truths are the same"),
        pytest.param('{"a": [{"b": 1}, "…"]}', '{"a": [{"b": 2}]}', 0, id="and so on"),
        pytest.param('{"a": [{"b": 1}, {"b": 1}]}', '{"a": [{"b": 2}]}', 1, id="too few"),
        pytest.param('{"a": {"b": 1}}', '{"a": {}}', 1, id="a member that is gone"),
    ],
)
def test_an_answer_has_the_shape_that_is_shown(shown: str, said: str, differs: int) -> None:
    assert len(differences(json.loads(shown), json.loads(said))) == differs
