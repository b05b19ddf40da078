"""How many processors and how much memory this process may use, maybe not all there is."""

import os
from functools import cache
from pathlib import Path, PurePosixPath

_ROOT = Path("/")
_SPINS = "10000"


def processors() -> int:
    """Those it may run on, by its affinity and the quota of its container; at least one."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return max(1, int(min(count, quota())))


def share_processors() -> None:
    """Let threads that wait for each other sleep after microseconds; before PyTorch is imported.

    Else those of GNU's OpenMP keep a processor busy for milliseconds, just when another program or
    the window wants it: a step of training on two threads took ten times as long beside one.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)


@cache
def memory(root: Path = _ROOT) -> float:
    """Bytes that this process may have: the machine's, or what its control group grants.

    Infinite where the system does not tell.
    """
    try:
        machine = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        machine = float("inf")
    granted = _words(root / "sys/fs/cgroup", "memory.max")
    return min([machine, *(float(word) for word in granted if word.isdigit())])


@cache
def quota(root: Path = _ROOT) -> float:
    """The processors that the control groups of Linux grant, often a fraction; infinite if any.

    Every group counts that this one is in. ``root`` is that of the file system.
    """
    groups = root / "sys/fs/cgroup"
    granted = [_quotient(_words(groups / "cpu", "cpu.cfs_quota_us", "cpu.cfs_period_us"))]
    for line in _words(root / "proc/self", "cgroup"):
        if line.startswith("0::"):
            own = PurePosixPath(line[3:].lstrip("/"))
            # A path that leads out of what a container sees is not there, and grants no less.
            granted += (
                _quotient(_words(groups / group, "cpu.max")) for group in (own, *own.parents)
            )
    return min(granted)


def _quotient(words: list[str]) -> float:
    try:
        share, period = (float(word) for word in words)
    except ValueError:  # "max", or there is no such file
        return float("inf")
    return share / period if share > 0 < period else float("inf")


def _words(folder: Path, *names: str) -> list[str]:
    try:
        return " ".join((folder / name).read_text() for name in names).split()
    except (OSError, ValueError):
        return []
