"""Channels and silences that make sense, and addresses that nobody may be sent to."""

from base64 import b64encode
from typing import Any

import pytest
from pydantic import ValidationError

from shared.notifications.channel import PAGERDUTY, Channel
from shared.notifications.targets import (
    ForbiddenTargetError,
    UnresolvedError,
    is_public,
    permitted,
)

SECRET = "whsec_" + b64encode(b"s" * 24).decode()
WEBHOOK = {"name": "ops", "type": "webhook", "url": "https://example.com/hook"}


def channel(**changes: Any) -> Channel:
    content = {name: one for name, one in (WEBHOOK | changes).items() if one is not None}
    return Channel.model_validate(content)


def test_each_type_needs_what_it_needs() -> None:
    assert channel(secret=SECRET).send_resolved
    assert channel(secret=SECRET.rstrip("=")).secret
    assert channel(type="slack").secret is None
    assert channel(type="pagerduty", url=None, secret="key").url == PAGERDUTY
    assert channel(type="alertmanager", secret="token").secret == "token"


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "telegram"},
        {"url": None},
        {"url": "ftp://example.com"},
        {"url": "https://"},
        {"url": "https://user:pass@example.com"},
        {"url": "https://example.com/#x"},
        {"url": "https://exa mple.com"},
        {"url": "https://example.com:99999"},
        {"url": "https://ex\u00e4mple.com"},
        {"secret": "not base64!"},
        {"secret": "whsec_c2hvcnQ="},
        {"type": "pagerduty", "url": None},
        {"type": "slack", "secret": "x"},
        {"type": "alertmanager", "secret": "copied with its line's end\n"},
        {"type": "alertmanager", "secret": "s\u00e9cret"},
        {"type": "alertmanager", "url": "https://example.com/?x=1"},
        {"url": "https://example.com/\x7f"},
        {"unknown": 1},
        {"name": ""},
    ],
)
def test_what_makes_no_sense_is_refused_without_its_secret(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        channel(**changes)
    assert "not base64!" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::a00:1",
        "2001:db8::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "192.0.0.192",
        "168.63.129.16",
        "3fff::1",
    ],
)
def test_private_addresses_are_known_whatever_they_are_wrapped_in(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"]
)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://[::1]:8443/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://0x7f000001/hook",
        "https://2130706433/hook",
        "https://127.1/hook",
        "http://1.1.1.1/hook",
    ],
)
async def test_no_spelling_leads_inside(url: str) -> None:
    with pytest.raises((ForbiddenTargetError, UnresolvedError)):
        await permitted(url, allow_private=False)


async def test_an_installation_may_permit_it() -> None:
    assert await permitted("http://127.0.0.1:9/hook", allow_private=True) == ["127.0.0.1"]
