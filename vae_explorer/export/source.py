"""What exports are made from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import Dataset
from vae_explorer.errors import ExportError
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.training.snapshot import BUNDLED, Snapshot
from vae_explorer.types import Float32, Float64

Progress = Callable[[float], object]
"""Told now and then how much is done, from 0 to 1; what it raises ends the work."""


@dataclass(frozen=True, eq=False)
class Source:
    """A model and what is beside it, frozen while a file is made.

    Args:
        snapshot: the model as its checkpoint has it.
        path: where that is, None of a model in memory alone.
        rotation: how the plane is turned, (2, 2), see ``TrainedVAE.turned``.
        open_data: gives the data that the model is shown on; by None those that it was trained on,
            if these are bundled.
        workspace: the JSON of a workspace, for what shows a view of the map.
        known: figures of ``Points`` that need not be computed again, by name, of all images of its
            split; NaN where they are not known.
    """

    snapshot: Snapshot
    path: Path | None = None
    rotation: Float64 | None = None
    open_data: Callable[[], Dataset] | None = None
    workspace: Mapping[str, Any] | None = None
    known: Mapping[str, Float32] = field(default_factory=dict)

    @cached_property
    def model(self) -> TrainedVAE:
        """The model, its plane turned."""
        model = self.snapshot.model
        return model if self.rotation is None else model.turned(self.rotation)

    @cached_property
    def data(self) -> Dataset:
        """The data that the model is shown on.

        Raises:
            ExportError: nobody knows them here.
        """
        if self.open_data is not None:
            return self.open_data()
        if self.snapshot.data.fingerprint != BUNDLED.fingerprint:
            raise ExportError(
                f"The model was trained on {self.snapshot.data.name}; say where these images are: "
                "--data PATH, or data=… in Python."
            )
        return mnist_dataset()
