"""The figures of a run as TensorBoard event files, for those who watch their runs there.

Needs the package tensorboardX; importing this module without it raises UserError.
"""

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vae_explorer.errors import CheckpointError, UserError
from vae_explorer.shell import install_line
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.trainer import EpochMetrics, StepMetrics, Trainer, Turn

try:
    from tensorboardX import summary
    from tensorboardX.event_file_writer import EventsWriter
    from tensorboardX.proto.event_pb2 import Event, SessionLog
except ImportError as error:
    raise UserError(
        "TensorBoard's files need the package tensorboardX; install it with\n"
        f"  {install_line('tensorboard')}"
    ) from error


class EventFile:
    """Writes reports as they come to a new event file in the run's folder ``tensorboard``.

    TensorBoard shows the files of a run as one; of what an earlier one has, it drops the steps
    after the trainer's. Every method raises CheckpointError when the disk refuses.
    """

    def __init__(self, folder: RunFolder, trainer: Trainer) -> None:
        self._path = folder.path / "tensorboard"
        with self._refused():
            self._path.mkdir(exist_ok=True)
            # Its name has the time in seconds, which may be that of the file before.
            self._writer = EventsWriter(str(self._path / "events"), f".step-{trainer.step}")
            started = SessionLog(status=SessionLog.START)
            self._write(trainer.step + 1, session_log=started)
            fields = trainer.recipe.to_dict()
            table = "\n".join(f"| {name} | {value} |" for name, value in fields.items())
            self._write(trainer.step, summary=summary.text("recipe", f"| | |\n|-|-|\n{table}"))
            for part in summary.hparams(fields, {"held_out/elbo": None}):
                self._write(trainer.step, summary=part)

    def hear(self, event: Turn) -> None:
        """Write a report; at the end of an epoch all is on the disk."""
        if not isinstance(event, StepMetrics):
            return
        values = [summary.scalar(*pair).value[0] for pair in scalars(event.point).items()]
        with self._refused():
            self._write(event.step, summary=summary.Summary(value=values))
            if isinstance(event, EpochMetrics):
                self._writer.flush()

    def close(self) -> None:
        """Write what is left; nothing is heard any more."""
        with self._refused():
            self._writer.close()

    def _write(self, step: int, **content: Any) -> None:
        self._writer.write_event(Event(wall_time=time.time(), step=step, **content))

    @contextmanager
    def _refused(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CheckpointError(
                f"Cannot write to {self._path}: {error.strerror or error}."
            ) from error


def scalars(point: HistoryPoint) -> dict[str, float]:
    """The figures of a point that are known, each under ``train/`` or ``held_out/``."""
    known = {}
    for field, value in dataclasses.asdict(point).items():
        if value is None or field == "step":
            continue
        held_out = field.startswith("held_out_") or field == "active_units"
        known[f"{'held_out' if held_out else 'train'}/{field.removeprefix('held_out_')}"] = value
    return known
