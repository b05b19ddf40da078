"""The words of the transport."""

import math

from vae_explorer.session.training.events import Phase, TrainingStatus

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


def counter(status: TrainingStatus) -> str:
    """Epochs as on a counter, such as "3.42 / 20"; "0" before any run."""
    if not status.epochs:
        return "0"
    if status.epoch >= status.epochs:
        return f"{status.epochs:,} / {status.epochs:,}"
    # Rounded down: an epoch has not ended before all of its steps are taken.
    epoch = math.floor(status.epoch * 100 + 1e-6) / 100
    return f"{epoch:,.2f} / {status.epochs:,}"


def progress(status: TrainingStatus) -> str:
    """What stands in the progress bar, such as "17 % · 1 min 20 s left"; "…" if not known."""
    if not status.epochs:
        return ""
    words = [f"{math.floor(100 * min(status.epoch / status.epochs, 1.0) + 1e-6)} %"]
    if status.phase is Phase.RUNNING:
        eta = status.eta_seconds
        words.append("…" if eta is None else f"{format_duration(eta)} left")
    return " · ".join(words)


def describe(status: TrainingStatus) -> str:
    """One line on a run, such as "9,100 images/s · cpu"."""
    if not status.epochs:
        return "Ready"
    if status.phase is Phase.IDLE:
        if status.opened:
            return "Opened model"
        return "Finished" if status.epoch >= status.epochs else "Stopped"
    if status.phase is Phase.PAUSED:
        return " · ".join(filter(None, ("Paused", status.device)))
    if status.phase is Phase.STOPPING:
        return "Stopping"
    if status.images_per_second <= 0:
        return " · ".join(filter(None, ("Running", status.device)))
    return " · ".join(filter(None, (f"{status.images_per_second:,.0f} images/s", status.device)))


def format_bytes(count: int) -> str:
    """A number of bytes in decimal units, such as "212 MB"."""
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= size:
            value = count / size
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{count} B"
