"""Every example of the docs does what it says: the quickstart as written, then each page."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.examples import (
    ROOT,
    Block,
    Statement,
    blocks,
    differences,
    pages,
    parsed,
    statements,
)
from tests.support.shell import Shell
from tests.system.running import until

QUICKSTART = ROOT / "docs" / "quickstart.md"
RUN = {"sh", "python", "json"}
NAMES = [str(path.relative_to(ROOT)) for path in pages() if path != QUICKSTART]


class Reader:
    """Somebody who does what the pages say, in a folder with this project's `.venv`."""

    def __init__(self, folder: Path) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")}
        # Programs of the pages find the packages that the tests run on.
        self.env = clean | {
            "ASSAY_DATA_DIR": str(folder / "data"),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}",
            "PATH": f"{ROOT / '.venv' / 'bin'}:{clean['PATH']}",
        }
        self.folder = folder

    def read(self, page: list[Block]) -> int:
        """Do everything that a page shows; how many blocks that were."""
        shell = Shell(self.env, self.folder)
        try:
            shell.run(opening()[1].text)
            todo = [block for block in page if block.language in RUN and block.mark != "not run"]
            for block in todo:
                self._do(shell, block)
            return len(todo)
        finally:
            shell.close()

    def _do(self, shell: Shell, block: Block) -> None:
        if block.language == "sh":
            for statement in statements(block.text):
                shell.do(statement)
        elif block.language == "python":
            run_program(shell, block)
        else:
            assert block.mark == "answers", f"{block}: say what answers this, or why it is not run"
            compare(shell, block)


def run_program(shell: Shell, block: Block) -> None:
    """A whole program: it ends well and has nothing to complain of."""
    program = shell.run("pwd").text.strip() + "/example.py"
    Path(program).write_text(block.text)
    said = shell.run(f"{sys.executable} {program} 2>&1 >example.out")
    assert (said.code, said.text) == (0, ""), f"{block}: {said.text}"


def compare(shell: Shell, block: Block, deadline_s: float = 60) -> None:
    """What the gateway answers has the shape that the page shows."""
    asking = Statement(f'ask "$ASSAY_GATEWAY_URL{block.argument}"', ())
    give_up_at = time.monotonic() + deadline_s
    while wrong := differences(parsed(block.text)[0], parsed(shell.do(asking).text)[0]):
        assert time.monotonic() < give_up_at, f"{block}: {wrong}"
        time.sleep(0.3)


def opening() -> list[Block]:
    """The quickstart's first two blocks: start it in one shell, take its variables in another."""
    return blocks(QUICKSTART)[:2]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Somebody for whom Assay runs, started by the quickstart's own words."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    reader = Reader(folder)
    install, up = (statement.code.strip() for statement in statements(opening()[0].text))
    assert install == "make install"
    subprocess.run(install.split(), cwd=ROOT, check=True, timeout=500, env=reader.env)
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(up.split(), cwd=folder, env=reader.env, stdout=out, stderr=out)
    file = folder / "assay.env"
    until(lambda: file.exists() or process.poll() is not None, "it is ready", 120)
    assert process.poll() is None, (folder / "out").read_text()
    yield reader
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)  # Ctrl-C
    assert process.wait(60) == 0
    assert psutil.wait_procs(family, timeout=10)[1] == []
    shutil.rmtree(folder / "data")


@pytest.fixture(scope="module")
def quickstart(reader: Reader) -> int:
    """The quickstart is done, from the first line to the last; other pages go on from there."""
    return reader.read(blocks(QUICKSTART)[2:])


def test_the_quickstart_does_what_it_says(quickstart: int) -> None:
    assert quickstart > 5
    page = blocks(QUICKSTART)
    promises = [one for block in page if block.language == "sh" for one in statements(block.text)]
    assert sum(one.status is not None for one in promises) >= 6


@pytest.mark.usefixtures("quickstart")
@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_a_page_do_what_they_say(reader: Reader, name: str) -> None:
    page = blocks(ROOT / name)
    done = reader.read(page)
    left_out = [block for block in page if block.mark == "not run" or block.language not in RUN]
    assert done + len(left_out) == len(page)


def test_a_reader_notices_an_example_that_is_wrong(reader: Reader) -> None:
    def noticed(language: str, text: str, argument: str = "") -> bool:
        mark = "answers" if argument else ""
        try:
            reader.read([Block("seeded", 1, language, text, mark, argument)])
        except AssertionError:
            return True
        return False

    post = "ask -H 'Content-Type: application/json' $ASSAY_GATEWAY_URL/ai/operations/log -d '{}'"
    assert noticed("sh", post)
    assert not noticed("sh", f"{post}  # 422")
    assert noticed("sh", f"{post}  # 202")
    assert noticed("sh", post + "  # 422\n" + '# {"status": 409}')
    assert not noticed("sh", post + "  # 422\n" + '# {…"status": 422…}')
    assert noticed("sh", "assay key create")
    assert noticed("python", "import assay_sdk\nassay_sdk.Assay.from_env().tell()")
    assert not noticed("python", "import assay_sdk")
