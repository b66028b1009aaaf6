"""This machine: room on its disks, and the gateway's port."""

from deploy.doctor.facts import DiskFacts, PortFacts
from deploy.doctor.finding import Finding, fail, listed, ok, warn

MIB = 1024 * 1024
GIB = 1024 * MIB
FULL_BYTES = 512 * MIB
"""Half of what Postgres may write ahead (max_wal_size) before it stands still."""
SCARCE_BYTES = 2 * GIB
FEW_FILES = 1_000
ROOM = "make room on that disk, or move the folder (--data-dir, ASSAY_DATA_DIR)"


def judge_disk(name: str, disk: DiskFacts, room: str = ROOM) -> Finding:
    """Whether there is room, and whether we may write."""
    seen = f"{_size(disk.free_bytes)} of {_size(disk.total_bytes)} are free for {disk.folder}"
    if disk.free_bytes < FULL_BYTES:
        return fail(name, f"disk full: {seen}", room)
    if disk.free_files is not None and disk.free_files < FEW_FILES:
        return fail(name, f"{disk.free_files} files more can be made in {disk.folder}", room)
    if not disk.writable:
        then = "let this user write there, or name another folder; only `assay up` needs it"
        return warn(name, f"this user may not write to {disk.folder}", then)
    if disk.free_bytes < SCARCE_BYTES:
        return warn(name, seen, room)
    return ok(name, seen)


def judge_port(port: PortFacts) -> Finding:
    """Free, ours, or taken by somebody else."""
    name = "gateway port"
    if port.waits_for:
        then = "mend what it waits for; the other checks say why"
        return warn(name, f"our gateway at {port.address} waits: {listed(port.waits_for)}", then)
    if port.waits_for is not None:
        return ok(name, f"our gateway is ready at {port.address}")
    if not port.free:
        who = f" ({port.program})" if port.program else ""
        then = "end that program, or name another port (ASSAY_GATEWAY_PORT)"
        return fail(name, f"{port.address} is taken by another program{who}", then)
    if port.expected:
        then = "start it: `assay up`, or `assay service gateway`; or mend ASSAY_GATEWAY_URL"
        return warn(name, f"no gateway answers at {port.address}", then)
    return ok(name, f"{port.address} is free")


def _size(size: int) -> str:
    return f"{size / GIB:.1f} GiB" if size >= GIB else f"{size / MIB:.1f} MiB"
