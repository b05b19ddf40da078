from collections.abc import Generator

import pytest
import torch

from vae_explorer.errors import DataError
from vae_explorer.training import device
from vae_explorer.training.device import (
    bfloat16_is_faster,
    choose_device,
    devices,
    set_threads,
    trouble,
)


@pytest.fixture
def _threads() -> Generator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def _machine(monkeypatch: pytest.MonkeyPatch, *there: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in there)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2 * ("cuda" in there))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in there)
    monkeypatch.setattr(device, "trouble", lambda _: "")


def _broken(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(device, "trouble", lambda name: "no kernel" if name in names else "")


@pytest.mark.parametrize(
    ("there", "best"),
    [((), "cpu"), (("mps",), "mps"), (("cuda",), "cuda"), (("cuda", "mps"), "cuda")],
)
def test_auto_takes_the_fastest_there_is(
    monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], best: str
) -> None:
    _machine(monkeypatch, *there)
    assert choose_device("auto") == choose_device() == torch.device(best)
    assert choose_device("cpu") == torch.device("cpu")


def test_every_device_on_offer_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    _machine(monkeypatch, "cuda", "mps")
    assert [choose_device(name).type for name in ("cpu", "cuda", "mps")] == ["cpu", "cuda", "mps"]


def test_one_gpu_of_several_is_taken_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    _machine(monkeypatch, "cuda")
    assert devices() == ["cuda", "cuda:0", "cuda:1", "cpu"]
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(DataError, match=r"'cuda:2' is not available.*cuda, cuda:0, cuda:1, cpu"):
        choose_device("cuda:2")


@pytest.mark.parametrize(
    ("broken", "chosen"), [(("cuda",), "mps"), (("cuda", "mps"), "cpu"), (("mps",), "cuda")]
)
def test_a_device_that_cannot_compute_is_passed_over_and_named(
    monkeypatch: pytest.MonkeyPatch, broken: tuple[str, ...], chosen: str
) -> None:
    _machine(monkeypatch, "cuda", "mps")
    _broken(monkeypatch, *broken)
    said: list[str] = []
    assert choose_device("auto", said.append).type == chosen
    passed_over = [name for name in broken if "cuda" in broken]
    assert said == [
        f"PyTorch finds {name} but cannot compute on it (no kernel); computing elsewhere."
        for name in passed_over
    ]


def test_it_is_said_once_in_a_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _machine(monkeypatch, "cuda")
    _broken(monkeypatch, "cuda")
    device._warn_once.cache_clear()
    assert [choose_device().type for _ in range(3)] == ["cpu"] * 3
    (record,) = caplog.records
    assert "cannot compute on it (no kernel)" in record.message


def test_a_device_asked_for_by_name_that_cannot_compute_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _machine(monkeypatch, "cuda")
    _broken(monkeypatch, "cuda:1")
    with pytest.raises(DataError, match=r"'cuda:1' is here and cannot compute: no kernel\. Choose"):
        choose_device("cuda:1")


def test_what_computes_is_found_by_computing() -> None:
    trouble.cache_clear()
    assert trouble("cpu") == ""
    if not torch.cuda.is_available():
        assert "CUDA" in trouble("cuda") or "NVIDIA" in trouble("cuda")
    trouble.cache_clear()


@pytest.mark.parametrize("name", ["cuda", "mps", "tpu", ""])
def test_a_device_that_is_not_there_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    _machine(monkeypatch)
    with pytest.raises(DataError, match=f"'{name}' is not available.* cpu"):
        choose_device(name)


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize(
    ("cores", "count", "beside", "chosen"),
    [
        (8, None, False, 8),
        (8, None, True, 7),
        (1, None, True, 1),
        (8, 3, True, 3),
    ],
)
def test_threads_leave_one_core_to_a_window(
    monkeypatch: pytest.MonkeyPatch, cores: int, count: int | None, beside: bool, chosen: int
) -> None:
    monkeypatch.setattr(device, "processors", lambda: cores)
    assert set_threads(count, beside_window=beside) == chosen
    assert torch.get_num_threads() == chosen


def test_processes_that_compute_at_once_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "processors", lambda: 7)
    assert [set_threads(processes=count) for count in (1, 2, 8)] == [7, 3, 1]
    assert set_threads(4, processes=2) == 4


@pytest.mark.parametrize(
    ("able", "gain", "faster"),
    [
        ({"avx512_bf16": True, "amx_bf16": True}, 0.5, True),
        ({"avx512_bf16": True, "amx_bf16": False}, 1.9, True),
        ({"avx512_bf16": True, "amx_bf16": False}, 0.6, False),
        ({"architecture": "aarch64", "bf16": True}, 2.0, True),
        ({"architecture": "aarch64", "bf16": True}, 1.0, False),
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, 2.0, False),
        ({"architecture": "aarch64", "bf16": False}, 2.0, False),
        ({}, 2.0, False),
    ],
)
def test_bfloat16_is_asked_of_the_processor_once(
    monkeypatch: pytest.MonkeyPatch, able: dict[str, object], gain: float, faster: bool
) -> None:
    _machine(monkeypatch)
    asked = 0

    def answer() -> dict[str, object]:
        nonlocal asked
        asked += 1
        return able

    monkeypatch.setattr(torch.cpu, "get_capabilities", answer)
    monkeypatch.setattr(device, "_gain", lambda: gain)
    bfloat16_is_faster.cache_clear()
    assert bfloat16_is_faster() is faster
    assert bfloat16_is_faster() is faster
    assert asked == 1
    bfloat16_is_faster.cache_clear()


@pytest.mark.usefixtures("_threads")
def test_what_bfloat16_gains_is_measured_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(2)
    seen: list[int] = []

    def last(precision: torch.dtype) -> float:
        seen.append(torch.get_num_threads())
        return 3.0 if precision == torch.float32 else 2.0

    assert device._gain() > 0
    monkeypatch.setattr(device, "_product_seconds", last)
    assert device._gain() == 1.5
    assert seen == [1, 1]
    assert torch.get_num_threads() == 2
