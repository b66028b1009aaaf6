"""Where we may send: to public addresses over https, unless the installation allows more.

Every address that a name resolves to is judged, and whoever sends connects to the one that was
judged: a name that answers differently a moment later leads nowhere.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

RESOLVE_WITHIN_S = 3.0
DEFAULT_PORTS: Final = {"https": 443, "http": 80}
# Prefixes whose last 32 bits are an IPv4 address, whatever the network in between makes of them.
_CARRYING_LAST: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
# Not of the open internet either, though `is_global` says so in some versions of Python.
_CLOSED: Final = tuple(
    ip_network(one)
    for one in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "168.63.129.16/32",  # Azure's host
        "64:ff9b:1::/48",
        "3fff::/20",
    )
)
# A name server that does not answer holds a thread for as long as the resolver likes: these are
# ours alone, so that nobody else's names wait for it. The event loop itself has four or so.
_RESOLVERS: Final = ThreadPoolExecutor(64, thread_name_prefix="resolve")


class ForbiddenTargetError(Exception):
    """We must not send there; the message says why and what may be done."""


class UnresolvedError(Exception):
    """The name has no address right now."""


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet, whatever it is wrapped in."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        inner = _carried(found)
        if inner is not None:
            return _is_open(inner)
        if found.is_site_local:
            return False
    return _is_open(found)


async def permitted(url: str, *, allow_private: bool) -> list[str]:
    """The addresses of a URL's host, all of which we may send to.

    Raises `ForbiddenTargetError`, or `UnresolvedError` when the name has none.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not allow_private:
        raise ForbiddenTargetError("must be https (ASSAY_NOTIFY_ALLOW_PRIVATE permits http)")
    host, port = parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
    addresses = await _resolved(host, port)
    if not allow_private and not all(map(is_public, addresses)):
        raise ForbiddenTargetError(
            "leads to a private address; choose a public one "
            "(ASSAY_NOTIFY_ALLOW_PRIVATE permits private ones)"
        )
    return addresses


async def _resolved(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_WITHIN_S):
            found = await loop.run_in_executor(_RESOLVERS, _look_up, host, port)
    except (OSError, UnicodeError, TimeoutError) as error:
        raise UnresolvedError(f"{host} has no address right now") from error
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def _look_up(host: str, port: int) -> list[tuple[Any, ...]]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _CARRYING_LAST):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _is_open(address: IPv4Address | IPv6Address) -> bool:
    if any(address in network for network in _CLOSED if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
