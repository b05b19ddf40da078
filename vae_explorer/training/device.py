"""Where tensors live and how many threads compute."""

import os

import torch

from vae_explorer.errors import DataError


def choose_device(name: str = "auto") -> torch.device:
    """CUDA, else MPS, else CPU for "auto"; the named device otherwise.

    Raises:
        DataError: the name is unknown or the device is not in this machine.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    if not available.get(name, False):
        there = ", ".join(kind for kind, usable in available.items() if usable)
        raise DataError(f"Device '{name}' is not available here; choose auto or one of {there}.")
    return torch.device(name)


def set_threads(
    count: int | None = None, *, beside_window: bool = False, processes: int = 1
) -> int:
    """Set the threads one operation may use: ``count``, else all cores, less one beside a window.

    Where as many ``processes`` compute at the same time, each takes its share of the cores.

    Two threads on two cores slow each other down as soon as a window wants its share.
    """
    cores = os.cpu_count() or 1
    chosen = count or max(1, (cores - 1 if beside_window else cores) // processes)
    torch.set_num_threads(chosen)
    return chosen
