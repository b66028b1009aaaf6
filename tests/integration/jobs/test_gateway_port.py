"""Where `assay up` lets the gateway listen, also when somebody is there already."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import system
from deploy.local.process import StartError, free_port
from deploy.system import System, gateway_port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def port_of() -> tuple[int, list[str]]:
    said: list[str] = []
    return gateway_port(lambda name, what: said.append(f"{name}: {what}")), said


def test_a_free_port_that_is_named_is_taken_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    free = free_port()
    monkeypatch.setenv("ASSAY_GATEWAY_PORT", str(free))
    assert port_of() == (free, [])


@pytest.mark.parametrize("named", ["", None])
def test_only_the_default_makes_way_and_says_so(
    monkeypatch: pytest.MonkeyPatch, taken: int, named: str | None
) -> None:
    monkeypatch.delenv("ASSAY_GATEWAY_PORT", raising=False)
    if named is not None:
        monkeypatch.setenv("ASSAY_GATEWAY_PORT", named)
    monkeypatch.setattr(system, "GATEWAY_PORT", taken)
    port, said = port_of()
    assert port != taken
    assert said == [f"port: {taken} is taken, so the gateway will listen on {port}"]


async def test_a_port_that_is_named_and_taken_stops_the_start_before_anything_else(
    monkeypatch: pytest.MonkeyPatch, taken: int, tmp_path: Path
) -> None:
    monkeypatch.setenv("ASSAY_GATEWAY_PORT", str(taken))
    started: list[str] = []
    whole = System(tmp_path / "data", lambda name, _: started.append(name), lambda *_: None)
    with pytest.raises(StartError, match=f"ASSAY_GATEWAY_PORT is {taken}, .*name another port"):
        await whole.start()
    await whole.stop()
    assert started == []


@pytest.mark.parametrize("named", ["http", "-1", "70000", "80.5", "²"])
def test_what_is_no_port_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("ASSAY_GATEWAY_PORT", named)
    with pytest.raises(StartError, match=r"ASSAY_GATEWAY_PORT is .* no port"):
        port_of()


def test_zero_asks_for_any_free_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_GATEWAY_PORT", "0")
    port, said = port_of()
    assert (port > 0, said) == (True, [])
