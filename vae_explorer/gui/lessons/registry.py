"""Which view goes with which instrument; each is imported when it is first wanted."""

from importlib import import_module

from vae_explorer.gui.lessons.instrument_view import InstrumentView
from vae_explorer.session.lessons.instrument import Instrument

VIEWS: dict[str, str] = {
    "trade": "TradeView",
    "pushforward": "PushforwardView",
    "geometry": "GeometryView",
    "views": "ViewsView",
    "functionals": "FunctionalsView",
    "bound": "BoundView",
    "reparameterisation": "ReparameterisationView",
    "sampling": "SamplingView",
    "tighter": "TighterView",
}
"""By the instrument's name, the class in the module of that name."""


def make_view(name: str, instrument: Instrument) -> InstrumentView:
    """The view of an instrument."""
    module = import_module(f"vae_explorer.gui.lessons.{name}")
    made: InstrumentView = getattr(module, VIEWS[name])(instrument)
    return made
