"""What a service's log says of its libraries: one JSON line each, and not the same all the time."""

import json
import logging

import pytest

from shared.logs import REPEATED_AFTER_S, configure_logging

pytestmark = pytest.mark.usefixtures("log_as_before")


def test_a_library_s_warning_is_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("metrics", "info")
    logging.getLogger("aiokafka.client").error("Unable connect to node with id %s", 1)
    logging.getLogger("aiokafka.client").info("nobody needs that")
    (said,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    del said["timestamp"]
    assert said == {
        "event": "Unable connect to node with id 1",
        "logger": "aiokafka.client",
        "level": "error",
        "service": "metrics",
    }


def test_what_is_said_all_the_time_is_heard_seldom(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000.0]
    monkeypatch.setattr("shared.clock.monotonic", lambda: now[0])
    configure_logging("metrics", "info")
    for node in range(51):
        now[0] += REPEATED_AFTER_S * (node == 50)
        logging.getLogger("aiokafka").warning("node %s is away, 100 %% sure", node)
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == [
        "node 0 is away, 100 % sure",
        "node 50 is away, 100 % sure (and 49 times more since the last time)",
    ]
