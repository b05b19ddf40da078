"""Stand-ins for the commands of training, for views that show them without a window."""

from collections.abc import Callable
from functools import partial

from vae_explorer.gui.training.transport import NAMES
from vae_explorer.gui.window.records import Command
from vae_explorer.session.training.events import Phase

_ACTIVE = {*NAMES} - {"new_seed"}
USABLE = {
    Phase.IDLE: {"start", *NAMES} - {"pause", "stop"},
    Phase.RUNNING: _ACTIVE,
    Phase.PAUSED: _ACTIVE,
    Phase.STOPPING: set[str](),
}
"""What can be done in each phase."""


def training_commands(
    phase: Callable[[], Phase], run: Callable[[str], object]
) -> tuple[Command, ...]:
    """The commands of the transport; each calls ``run`` with its id."""

    def usable(name: str) -> bool:
        return name in USABLE[phase()]

    return tuple(
        Command(
            name,
            "Training",
            name.capitalize(),
            "What it does",
            partial(run, name),
            (".",) if name == "step" else (),
            enabled=partial(usable, name),
        )
        for name in ("start", *NAMES)
    )
