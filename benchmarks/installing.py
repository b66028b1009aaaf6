"""Peers in environments of their own: what they depend on never meets what we do."""

import asyncio
import subprocess
import sys
import venv
from pathlib import Path


async def installed(folder: Path, name: str, packages: list[str]) -> Path:
    """Make an environment with these packages; answers its Python."""
    home = folder / f"peer-{name}"
    await asyncio.to_thread(venv.create, home, symlinks=True)
    python = home / "bin" / "python"
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python]

    def install() -> None:
        subprocess.run([*uv, *packages], check=True)

    await asyncio.to_thread(install)
    return python
