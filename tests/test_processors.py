import math
import os
from pathlib import Path

import pytest

from vae_explorer import processors
from vae_explorer.processors import memory, quota, share_processors


def files(root: Path, **texts: str) -> Path:
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


GROUPS = "sys/fs/cgroup/"


@pytest.mark.parametrize(
    ("texts", "granted"),
    [
        ({}, math.inf),
        ({"proc/self/cgroup": "0::/\n", GROUPS + "cpu.max": "max 100000\n"}, math.inf),
        ({"proc/self/cgroup": "0::/\n", GROUPS + "cpu.max": "250000 100000\n"}, 2.5),
        (
            {
                "proc/self/cgroup": "1:cpu:/\n0::/user.slice/job\n",
                GROUPS + "user.slice/cpu.max": "150000 100000\n",
                GROUPS + "user.slice/job/cpu.max": "400000 100000\n",
            },
            1.5,
        ),
        (
            {GROUPS + "cpu/cpu.cfs_quota_us": "300000", GROUPS + "cpu/cpu.cfs_period_us": "100000"},
            3,
        ),
        (
            {GROUPS + "cpu/cpu.cfs_quota_us": "-1", GROUPS + "cpu/cpu.cfs_period_us": "100000"},
            math.inf,
        ),
        ({"proc/self/cgroup": "0::/\n", GROUPS + "cpu.max": "nonsense"}, math.inf),
        ({"proc/self/cgroup": "0::/../../x\n", GROUPS + "cpu.max": "100000 0"}, math.inf),
    ],
)
def test_the_quota_is_the_least_of_all_groups(
    tmp_path: Path, texts: dict[str, str], granted: float
) -> None:
    assert quota(files(tmp_path, **texts)) == granted


@pytest.mark.parametrize(
    ("affine", "granted", "count"), [(8, math.inf, 8), (8, 2.5, 2), (2, 6.0, 2), (8, 0.3, 1)]
)
def test_affinity_and_quota_count_and_the_host_does_not(
    monkeypatch: pytest.MonkeyPatch, affine: int, granted: float, count: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(affine)), raising=False)
    monkeypatch.setattr(processors, "quota", lambda: granted)
    assert processors.processors() == count


def test_where_there_is_no_affinity_all_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(processors, "quota", lambda: math.inf)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert processors.processors() == 1
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert processors.processors() == 6


def test_memory_is_the_machines_or_what_its_group_grants(tmp_path: Path) -> None:
    machine = memory(tmp_path)
    assert machine > 1e8
    assert memory(files(tmp_path / "all", **{GROUPS + "memory.max": "max\n"})) == machine
    assert memory(files(tmp_path / "some", **{GROUPS + "memory.max": "5000000\n"})) == 5e6


@pytest.mark.parametrize("policy", [None, "active"])
def test_threads_sleep_soon_unless_a_person_says_how_they_wait(
    monkeypatch: pytest.MonkeyPatch, policy: str | None
) -> None:
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if policy:
        monkeypatch.setenv("OMP_WAIT_POLICY", policy)
    share_processors()
    assert ("GOMP_SPINCOUNT" in os.environ) == (policy is None)
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
