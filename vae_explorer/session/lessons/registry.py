"""Which instrument a lesson file names; each is imported when it is first wanted."""

from importlib import import_module

from vae_explorer.lessons.course import LessonError
from vae_explorer.session.lessons.instrument import Instrument
from vae_explorer.session.lessons.workbench import Workbench

INSTRUMENTS: dict[str, str] = {
    "trade": "Trade",
    "pushforward": "Pushforward",
    "geometry": "Geometry",
    "views": "Views",
    "functionals": "Functionals",
    "bound": "BoundInstrument",
    "reparameterisation": "Reparameterisation",
    "sampling": "Sampling",
    "tighter": "Tighter",
}
"""By name, the class in the module of that name."""


def make_instrument(name: str, bench: Workbench) -> Instrument:
    """The instrument of this name.

    Raises:
        LessonError: there is none.
    """
    if name not in INSTRUMENTS:
        known = ", ".join(sorted(INSTRUMENTS))
        raise LessonError(f"There is no instrument '{name}'; a lesson can use {known}.")
    module = import_module(f"vae_explorer.session.lessons.{name}")
    made: Instrument = getattr(module, INSTRUMENTS[name])(bench)
    return made
