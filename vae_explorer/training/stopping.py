"""When a run is to end before its recipe does. It changes nothing of what is computed."""

from collections.abc import Sequence
from dataclasses import dataclass

from vae_explorer.training.history import HistoryPoint


@dataclass(frozen=True)
class StopRule:
    """Ends a run at whichever comes first; None, or no epochs, for what does not matter.

    ``epoch`` and ``seconds`` of training; ``elbo``, of the held-out images, nats; ``plateau``, the
    epochs in which the held-out ELBO has not risen by more than ``least_gain`` nats.
    """

    epoch: float | None = None
    seconds: float | None = None
    elbo: float | None = None
    plateau: int | None = None
    least_gain: float = 0.1

    def reason(self, epoch: float, seconds: float, history: Sequence[HistoryPoint]) -> str:
        """Why the run is to end at this moment, in words, or "" if it is not."""
        if self.epoch is not None and epoch >= self.epoch:
            return f"epoch {self.epoch:g} is reached"
        if self.seconds is not None and seconds >= self.seconds:
            return f"{self.seconds:g} seconds are over"
        elbos = [point.held_out_elbo for point in history if point.held_out_elbo is not None]
        if self.elbo is not None and elbos and elbos[-1] >= self.elbo:
            return f"the held-out ELBO has reached {self.elbo:g} nats"
        if self.plateau and len(elbos) > self.plateau:
            best = max(elbos[: -self.plateau])
            if max(elbos[-self.plateau :]) <= best + self.least_gain:
                return (
                    f"the held-out ELBO has not risen by {self.least_gain:g} nats "
                    f"in {self.plateau} epochs"
                )
        return ""
