from collections.abc import Generator

import pytest
import torch

from vae_explorer.errors import DataError
from vae_explorer.training.device import choose_device, set_threads


@pytest.fixture
def _threads() -> Generator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def _machine(monkeypatch: pytest.MonkeyPatch, *there: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in there)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in there)


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
        (None, None, True, 1),
        (8, 3, True, 3),
    ],
)
def test_threads_leave_one_core_to_a_window(
    monkeypatch: pytest.MonkeyPatch, cores: int | None, count: int | None, beside: bool, chosen: int
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert set_threads(count, beside_window=beside) == chosen
    assert torch.get_num_threads() == chosen


def test_processes_that_compute_at_once_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 7)
    assert [set_threads(processes=count) for count in (1, 2, 8)] == [7, 3, 1]
    assert set_threads(4, processes=2) == 4
