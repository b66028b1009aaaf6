"""No change makes an event dearer unseen: instructions beside a yardstick of the same run.

The yardstick of what Python does is the plain parse of an operation's JSON, that of the script in
Redis the same increments as plain commands. So another build of Python, numpy or Redis moves both.
"""

import shutil
from pathlib import Path

import pytest

from tests.costs import server
from tests.costs.counting import BUDGETS, budget_of, excess, of_parts

pytestmark = pytest.mark.skipif(
    shutil.which("valgrind") is None, reason="instructions are counted by valgrind: install it"
)
YARDSTICK = "json"


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Instructions of each part, for one event, one summary or one look."""
    return of_parts(tmp_path_factory.mktemp("cachegrind"))


@pytest.mark.parametrize("part", ["codec", "codec_signed", "fold", "summary", "verdict"])
def test_a_part_costs_what_it_may(part: str, counted: dict[str, float]) -> None:
    budget = budget_of(part, "python", counted[YARDSTICK])
    ratio = counted[part] / counted[YARDSTICK]
    print(f"{part}: {counted[part]:,.0f} instructions, {ratio:.3g} x {YARDSTICK}, budget {budget}")
    if budget is None:
        pytest.skip(f"nobody has counted with this Python: {counted}; write it into {BUDGETS}")
    assert not excess(part, ratio, budget)


async def test_the_script_in_redis_costs_what_it_may(tmp_path: Path) -> None:
    loads = (server.nothing, server.by_script, server.one_by_one)
    folders = [tmp_path / load.__name__ for load in loads]
    for folder in folders:
        folder.mkdir()
    idle, script, plain = [
        await server.instructions(load, folder) for load, folder in zip(loads, folders, strict=True)
    ]
    script, plain = script - idle, plain - idle
    budget = budget_of("script", "redis", plain)
    print(f"script: {script:,} instructions, {script / plain:.3g} x plain, budget {budget}")
    if budget is None:
        pytest.skip(f"nobody has counted with this Redis: {plain:,}; write it into {BUDGETS}")
    assert not excess("script", script / plain, budget)


def test_a_dearer_part_is_noticed(counted: dict[str, float]) -> None:
    """Reading with proofs does all that reading without does, and a hash more."""
    ratio = counted["codec"] / counted[YARDSTICK]
    told = excess("codec", counted["codec_signed"] / counted[YARDSTICK], ratio)
    assert f"where {ratio:.3g} are meant" in told
    assert not excess("codec", ratio, ratio)
