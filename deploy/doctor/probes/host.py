"""This machine: disks and the gateway's port."""

import contextlib
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psutil

from deploy.doctor.facts import DiskFacts, PortFacts

ANSWER_WITHIN_S = 3.0
STATES = ("ready", "waiting")


def probe_disk(folder: Path) -> DiskFacts:
    """The file system that the folder is on, or will be."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    status = os.statvfs(there)
    return DiskFacts(
        str(folder),
        free_bytes=status.f_bavail * status.f_frsize,
        total_bytes=status.f_blocks * status.f_frsize,
        free_files=status.f_favail if status.f_files else None,
        writable=os.access(there, os.W_OK | os.X_OK),
    )


async def probe_port(host: str, port: int, gateway_url: str | None) -> PortFacts:
    """Whether our gateway answers there, and else whether anybody may listen."""
    at = urlsplit(gateway_url or f"http://{_reachable(host)}:{port}")
    address = f"{at.hostname}:{at.port or (443 if at.scheme == 'https' else 80)}"
    waits_for = await _gateway(at.geturl())
    if waits_for is not None:
        return PortFacts(address, free=False, waits_for=waits_for)
    if gateway_url is not None:
        return PortFacts(address, free=True, expected=True)
    free = _is_free(host, port)
    return PortFacts(address, free, program=None if free else _listener(port))


async def _gateway(url: str) -> tuple[str, ...] | None:
    """What our gateway waits for; `None` when somebody else answers, or nobody."""
    try:
        async with httpx2.AsyncClient(timeout=ANSWER_WITHIN_S, trust_env=False) as client:
            body = (await client.get(f"{url.rstrip('/')}/readyz")).json()
    except (httpx2.HTTPError, ValueError):
        return None
    if not isinstance(body, dict) or body.get("status") not in STATES:
        return None
    states = body.get("dependencies")
    if not isinstance(states, dict):
        return None
    return tuple(f"{name}: {state}" for name, state in states.items() if state != "ok")


def _reachable(host: str) -> str:
    """Who listens everywhere is asked here."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"[{host}]" if ":" in host else host


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: connections that linger from before are no listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _listener(port: int) -> str | None:
    with contextlib.suppress(psutil.Error, OSError):  # others' programs are for root to see
        for one in psutil.net_connections("inet"):
            if one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.pid:
                return f"{psutil.Process(one.pid).name()}, pid {one.pid}"
    return None
