"""An A/B test's page, and the charts that it loads."""

import json
import re
from html import unescape

from tests.integration.gateway.callers import Alone
from tests.integration.gateway.test_experiments_api import running
from tests.integration.gateway.test_history_api import BETTER, METRICS, said
from tests.integration.gateway.test_results_api import found, keep


async def test_the_page_draws_what_was_said_the_primary_first(alone: Alone) -> None:
    test = await running(alone, metrics=METRICS)
    path = f"/experiments/{test['id']}"
    page = (await alone.viewer.get(path)).text
    assert f'hx-get="{path}/charts"' in page
    assert "charts.js" in page
    nothing = await alone.viewer.get(f"{path}/charts")
    assert (nothing.status_code, "data-chart" in nothing.text) == (200, False)
    assert "100 units each" in nothing.text
    await said(alone, test, 1, BETTER)
    drawn = (await alone.viewer.get(f"{path}/charts")).text
    (words,) = re.findall(r'role="img" aria-label="([^"]+)"', drawn)
    assert words.startswith("rating, primary: difference from a. b: +0.03, interval +0.01 to +0.05")
    (data,) = (json.loads(unescape(one)) for one in re.findall(r'data-chart="([^"]+)"', drawn))
    assert (data["of_differences"], data["curves"][0]["high"]) == (True, [0.05])
    assert drawn.index("rating, primary") < drawn.index("response_time_ms, guardrail")
    await keep(alone, test, found(test, verdict="BROKEN", winner=None))
    hidden = (await alone.viewer.get(f"{path}/charts")).text
    assert ("hidden until" in hidden, "data-chart" in hidden) == (True, False)
    assert (await alone.stranger.get(f"{path}/charts")).status_code == 404
