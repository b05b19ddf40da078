"""What a controller declares to the window: its commands, its menus of names and its panels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from psygnal import SignalInstance
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QWidget

from vae_explorer.errors import UserError
from vae_explorer.session.app import App

LEFT = Qt.DockWidgetArea.LeftDockWidgetArea
RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea

MENUS = ("File", "Edit", "Go", "Select", "Map", "Layers", "Training", "Course", "View", "Help")

LAYOUTS = ("explore", "train", "learn", "travel")
"""Arrangements of the panels; each shows those that name it."""


@dataclass(frozen=True)
class Command:
    """One action: a line of a menu, perhaps a button of the toolbar, and its keys.

    Args:
        id: its name in the program.
        menu: one of ``MENUS``.
        text: what the menu says.
        help: a phrase on what it does.
        run: does it.
        keys: portable key sequences, of which one is on every keyboard: a letter with Ctrl, a
            function key or one that has a name. None has Ctrl and Alt, with which many keyboards
            type, nor Ctrl and Space, which changes the input method.
        enabled: whether it can be run now; without it, always.
        lacks: what the model on the map does not know that it needs, or "": then it cannot be run,
            and tells this instead of its help.
        checked: whether what it switches is on; without it, it is no switch.
        named: another text for the menu, as things are now.
        group: the set of switches of which one is on.
        toolbar: the word on its button there; without it, it has none.
        icon: the sign on that button, of ``icons.NAMES``.
        separator: a line is drawn above it in the menu.
    """

    id: str
    menu: str
    text: str
    help: str
    run: Callable[[], object]
    keys: tuple[str, ...] = ()
    enabled: Callable[[], bool] | None = None
    lacks: Callable[[], str] | None = None
    checked: Callable[[], bool] | None = None
    named: Callable[[], str] | None = None
    group: str = ""
    toolbar: str = ""
    icon: str = ""
    separator: bool = False


def with_keys(command: Command, chosen: Mapping[str, str]) -> Command:
    """A command with the key that a person chose for its id: a sequence, or "" for none."""
    key = chosen.get(command.id)
    if key is None or (key and not is_key(QKeySequence(key))):
        return command
    return replace(command, keys=(key,) if key else ())


def is_key(sequence: QKeySequence) -> bool:
    """Whether it is one press of a key that Qt knows."""
    return sequence.count() == 1 and sequence.toString() != ""


@dataclass(frozen=True)
class Choices:
    """A menu inside another that lists names, disabled while there are none.

    ``run`` is given the name chosen; ``label`` makes the text shown of a name. Names that are
    ``checked`` have a tick, if any may.
    """

    menu: str
    text: str
    names: Callable[[], Sequence[str]]
    run: Callable[[str], object]
    label: Callable[[str], str] = str
    checked: Callable[[str], bool] | None = None


@dataclass(frozen=True)
class Panel:
    """A widget in a dock, which the View menu shows and hides.

    Args:
        id: its name in the program, and in files.
        widget: what is in the dock.
        area: the side it is at first; panels of one side are tabs, of which the first is in front.
        layouts: the arrangements that bring it to the front, each with the least width and height
            of a window that has room for it there.
        hidden: it is hidden at first, and by arrangements that do not name it.
        size: how wide it is beside the map, or how high below it, in a window of 1280 × 800.
        title: on screen, if that is not the id.
        under: it stands below the tabs of its side, not among them.

    All are in logical pixels at a type of 9 points, and grow with it.
    """

    id: str
    widget: QWidget
    area: Qt.DockWidgetArea
    layouts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    hidden: bool = False
    size: int = 0
    title: str = ""
    under: bool = False


class Controller:
    """Joins the views of one subject to its parts of the session.

    Controllers are plain objects that their window keeps. Qt and psygnal hold a bound method
    weakly, but Qt holds any other function, with all that it refers to, until the sender is
    destroyed: a window would so keep itself. So controllers connect methods; the functions in
    their records are called by ``Actions``, which the window owns.
    """

    commands: Sequence[Command | Choices] = ()
    panels: Sequence[Panel] = ()
    changes: Sequence[SignalInstance] = ()
    """Signals after which the rules of the commands are asked again."""

    def __init__(self, app: App) -> None:
        self._app = app

    def commands_as_chosen(self) -> tuple[Command, ...]:
        """The commands with the keys that a person chose."""
        chosen = self._app.settings.now.keys
        return tuple(with_keys(c, chosen) for c in self.commands if isinstance(c, Command))

    def attempt(self, title: str, action: Callable[[str], object]) -> Callable[[str], None]:
        """What does something with a name that a person gave; ``title`` is that of a refusal."""

        def run(name: str) -> None:
            try:
                action(name)
            except UserError as error:
                self._app.messages.fail(title, error)

        return run
