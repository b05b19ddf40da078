"""What is wrong with a run, as far as its figures tell, and what to try."""

from collections.abc import Sequence
from dataclasses import dataclass

from vae_explorer.training.history import HistoryPoint

_COLLAPSED = 0.1
"""Nats of KL below which the codes say nothing of the images."""

_PAST_BEST = 5
"""Epochs since the best held-out ELBO after which it counts as passed."""

_LOSS = 1.0
"""Nats it must have fallen by since."""

_LEAST_EPOCHS = 2


@dataclass(frozen=True)
class Finding:
    """``title`` names it, ``text`` says how it shows, ``advice`` what to try."""

    title: str
    text: str
    advice: str


def findings(history: Sequence[HistoryPoint]) -> tuple[Finding, ...]:
    """What the held-out figures of a run point out, the gravest first; nothing in a sound one."""
    epochs = [point for point in history if point.held_out_elbo is not None]
    if len(epochs) < _LEAST_EPOCHS:
        return ()
    return tuple(found for look in (_collapse, _dead_unit, _overfitting) if (found := look(epochs)))


def _collapse(epochs: Sequence[HistoryPoint]) -> Finding | None:
    """The posterior is the prior (Bowman et al., arXiv 1511.06349, §3.1)."""
    last = epochs[-1]
    if last.held_out_kl is None or last.held_out_kl > _COLLAPSED:
        return None
    return Finding(
        "Posterior collapse",
        f"The KL term is {last.held_out_kl:.2f} nats: q(z|x) is the prior, z says nothing about x.",
        "Lower β, give it a KL warm-up of some epochs, or lower the learning rate.",
    )


def _dead_unit(epochs: Sequence[HistoryPoint]) -> Finding | None:
    """A dimension that does not vary with x (Burda et al., arXiv 1509.00519, §5.2)."""
    last = epochs[-1]
    if last.active_units is None or last.active_units > 1:
        return None
    if last.held_out_kl is not None and last.held_out_kl <= _COLLAPSED:
        return None  # said by the collapse
    return Finding(
        "A dead unit",
        f"{last.active_units} of the 2 latent dimensions vary with the image.",
        "Lower β or give it a KL warm-up; another seed may use both.",
    )


def _overfitting(epochs: Sequence[HistoryPoint]) -> Finding | None:
    best = max(epochs, key=lambda point: point.held_out_elbo or 0.0)
    last = epochs[-1]
    assert best.held_out_elbo is not None
    assert last.held_out_elbo is not None
    fallen = best.held_out_elbo - last.held_out_elbo
    if last.epoch - best.epoch < _PAST_BEST or fallen < _LOSS or last.elbo <= best.elbo:
        return None
    return Finding(
        "Over-fitting",
        f"The held-out ELBO was best at epoch {best.epoch:g} and has fallen by {fallen:.1f} nats "
        "since, while that of the training images rises.",
        f"Go back to epoch {best.epoch:g}; fewer epochs, more weight decay or smaller layers help.",
    )
