"""The words beside the progress bar."""

import math

from vae_explorer.session.state import Phase, TrainingStatus

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def format_duration(seconds: float) -> str:
    """A duration in its two largest units, such as "1 min 20 s"; "unknown" if not finite."""
    if not math.isfinite(seconds):
        return "unknown"
    left = max(0, round(seconds))
    size = next((i for i, (length, _) in enumerate(_UNITS) if left >= length), len(_UNITS) - 1)
    words: list[str] = []
    for length, name in _UNITS[size : size + 2]:
        count, left = divmod(left, length)
        if count or not words:
            words.append(f"{count} {name}")
    return " ".join(words)


def describe(status: TrainingStatus) -> str:
    """One line on a run, such as "epoch 3.4 of 20 · 9,100 images/s · 1 min 20 s left · cpu"."""
    if not status.epochs:
        return "Ready"
    place = f"epoch {round(status.epoch, 1):g} of {status.epochs:,}"
    if status.phase is Phase.IDLE:
        return f"Finished: {place}" if status.epoch >= status.epochs else f"Stopped at {place}"
    if status.phase is Phase.PAUSED:
        return f"Paused at {place}"
    if status.phase is Phase.STOPPING:
        return f"Stopping at {place}"
    words = [place]
    if status.images_per_second > 0:
        words.append(f"{status.images_per_second:,.0f} images/s")
    if status.eta_seconds is not None:
        words.append(f"{format_duration(status.eta_seconds)} left")
    if status.device:
        words.append(status.device)
    return " · ".join(words)
