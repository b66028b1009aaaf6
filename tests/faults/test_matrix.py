"""Every fault of the matrix, under traffic: nothing lost, nothing double, nothing leaked."""

from pathlib import Path

import pytest

from tests.faults import strikes
from tests.faults.matrix import FAULTS, Line, play
from tests.faults.servers import Servers
from tests.faults.stage import Stage
from tests.support.amounts import amount

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(7_200)]
assert strikes

CHOSEN = [one for one in FAULTS.values() if one.times[amount()]]


@pytest.mark.parametrize("name", [one.name for one in CHOSEN])
async def test_a_fault_changes_no_number(
    name: str, servers: Servers, seed: int, lines: list[Line], tmp_path: Path
) -> None:
    fault = FAULTS[name]
    if "toxiproxy" in fault.needs and servers.binary is None:
        without = "toxiproxy is built from its Go module: install Go"
        if amount():
            pytest.fail(without)
        pytest.skip(without)
    print(f"seed {seed} (ASSAY_TEST_SEED), journal and logs in {tmp_path}")
    stage = Stage(servers, tmp_path, seed, fault.rate)
    try:
        line = await play(stage, fault, fault.times[amount()])
    finally:
        await stage.close()
    lines.append(line)
    print(f"recovery {line.recoveries_s}, ends {dict(stage.ends)}, notes {dict(stage.notes)}")
    assert line.findings == []
    assert line.problems == []
    assert line.reads > 0
    if amount():
        assert max(line.recoveries_s) <= fault.within_s
