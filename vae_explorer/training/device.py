"""Where tensors live and how many threads compute."""

import ctypes
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial

import torch

from vae_explorer.errors import DataError
from vae_explorer.processors import processors

_LEAST_GAIN = 1.2
_PRODUCTS = 8

logger = logging.getLogger(__name__)


@cache
def _warn_once(text: str) -> None:
    logger.warning("%s", text)


def choose_device(name: str = "auto", warn: Callable[[str], object] = _warn_once) -> torch.device:
    """CUDA, else MPS, else CPU for "auto"; the named device, such as "cuda:1", otherwise.

    One that is there and cannot compute, as with a driver too old for this PyTorch, is passed over
    by "auto", and ``warn`` is told.

    Raises:
        DataError: the name is unknown, or the device is not in this machine or cannot compute.
    """
    there = devices()
    if name == "auto":
        for kind in ("cuda", "mps"):
            if kind in there:
                if not (why := trouble(kind)):
                    return torch.device(kind)
                warn(f"PyTorch finds {kind} but cannot compute on it ({why}); computing elsewhere.")
        return torch.device("cpu")
    if name not in there:
        raise DataError(
            f"Device '{name}' is not available here; choose auto or one of {', '.join(there)}."
        )
    if why := trouble(name):
        raise DataError(f"Device '{name}' is here and cannot compute: {why}. Choose auto or cpu.")
    return torch.device(name)


def devices() -> list[str]:
    """The names of the devices of this machine, but for "auto"."""
    there = []
    if torch.cuda.is_available():
        there += ["cuda", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    return [*there, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]


@cache
def trouble(name: str) -> str:
    """Why no product of matrices comes out of a device that is there; empty if one does."""
    try:
        half = torch.full((8, 8), 0.5, device=name)
        total = (half @ half).sum().item()
    except (RuntimeError, AssertionError) as error:  # PyTorch's own kinds are among them
        return next(iter(str(error).splitlines()), type(error).__name__).rstrip(". ")
    return "" if total == 128 else f"a sum that should be 128 is {total:g}"


@cache
def bfloat16_is_faster() -> bool:
    """Whether this computer multiplies bfloat16 itself, and faster than float32."""
    kind = choose_device().type
    if kind == "cpu":
        able = torch.cpu.get_capabilities()
        if able.get("avx512_bf16") or able.get("bf16"):  # some such processors are slower by it
            return bool(able.get("amx_bf16")) or _gain() > _LEAST_GAIN
        return False
    return kind == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def _gain() -> float:
    """How many times faster one thread multiplies bfloat16 than float32; a few milliseconds."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _product_seconds(torch.float32) / _product_seconds(torch.bfloat16)
    finally:
        torch.set_num_threads(threads)


def _product_seconds(precision: torch.dtype) -> float:
    batch, weight = torch.ones(128, 512, dtype=precision), torch.ones(512, 512, dtype=precision)
    times = []
    for _ in range(_PRODUCTS):
        begin = time.perf_counter()
        torch.mm(batch, weight)
        times.append(time.perf_counter() - begin)
    return min(times)


def set_threads(
    count: int | None = None, *, beside_window: bool = False, processes: int = 1
) -> int:
    """Set the threads one operation may use: ``count``, else all cores, less one beside a window.

    Cores are those that this process may use. Where as many ``processes`` compute at the same
    time, each takes its share of them.

    Two threads on two cores slow each other down as soon as a window wants its share.
    """
    cores = processors()
    chosen = count or max(1, (cores - 1 if beside_window else cores) // processes)
    torch.set_num_threads(chosen)
    return chosen


def threads_of_training() -> int:
    """How many a run beside a window uses: of two processors both, and else all but one.

    With one of two a person would wait half as long again for a map, as nobody uses the window.
    """
    cores = processors()
    return max(min(cores, 2), cores - 1)


@contextmanager
def threads_of_window() -> Iterator[None]:
    """Compute with as many threads as the window does by itself, so that its files are made."""
    before = torch.get_num_threads()
    set_threads(beside_window=True)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_as_here() -> Callable[[], None]:
    """What a new thread has to call to compute with as many as this one.

    Until its first parallel operation it takes the number of the environment, so that its first
    product might add in another order than the same product here.
    """
    return partial(torch.set_num_threads, torch.get_num_threads())


@cache
def keep_freed_memory() -> None:
    """Let a process keep what it frees, up to 64 MB, for what it next needs.

    A step of training frees all that it made. glibc gives most of that back to the system, from
    which the next step gets it page by page and cleared: up to a quarter of its time.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(-3, 32 << 20)  # M_MMAP_THRESHOLD, at the most there is
        libc.mallopt(-1, 64 << 20)  # M_TRIM_THRESHOLD
