"""What the view of every experiment is."""

from collections.abc import Collection, Mapping
from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from vae_explorer.data.dataset import Dataset
from vae_explorer.errors import UserError
from vae_explorer.gui.lessons.large_type import lesson_font
from vae_explorer.gui.theme import MARGIN, SPACE, Theme, Themed, current_theme
from vae_explorer.gui.widgets.controls import Controls
from vae_explorer.gui.widgets.rows import beside, button, fill
from vae_explorer.number_format import AXES
from vae_explorer.session.explore.sketch import NO_LABEL
from vae_explorer.session.lessons.experiment import (
    AnyExperiment,
    DigitExperiment,
    Result,
    class_in,
)
from vae_explorer.session.map.layer_contents import EncodedImage
from vae_explorer.session.map.state import class_name

_LARGE = 1.3
"""Type of the controls, of the usual size, when presenting: figures need the room."""


class LessonView(Themed):
    """Draws an experiment and sends it what a person sets.

    A subclass puts its widgets and lines of the form into ``page``, connects its charts and at
    last calls ``start``; it draws in ``draw``. ``controls`` are the widgets that a
    lesson may hide, by the names that its files use. ``concealed`` are symbols, and ``readouts``
    of its own, that it does not tell, or not yet. At the top is the digit that it is about, if it
    is about one.

    Args:
        experiment: what is shown.
        sliders: as of ``Controls``, and so the others.
        buttons: likewise.
        offers: likewise.
    """

    readouts: tuple[str, ...] = ()
    """What it can conceal besides symbols and controls."""

    def __init__(
        self,
        experiment: AnyExperiment,
        *,
        sliders: tuple[str, ...] = (),
        buttons: tuple[str, ...] = (),
        offers: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        super().__init__()
        self.setProperty("export", "lesson")
        self.experiment = experiment
        self.concealed: Collection[str] = ()
        self.large = False
        self._drawn: Result | None = None
        self._settings = experiment.settings
        self.form = Controls(
            experiment.settings, self, sliders=sliders, buttons=buttons, offers=offers
        )
        self.controls: dict[str, QWidget] = dict(self.form.rows)
        self.page = QVBoxLayout(self)
        self.page.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        self.page.setSpacing(SPACE)
        self._note = QLabel(wordWrap=True)
        self._note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.page.addWidget(self._note)
        self.digit_row: _DigitRow | None = None
        if isinstance(experiment, DigitExperiment):
            self.digit_row = _DigitRow(experiment, self.form.rows["image"])
            self.page.addWidget(self.digit_row)

    @property
    def axes(self) -> tuple[str, str]:
        """What the two coordinates of the model are called."""
        model = self.experiment.context.model
        return model.axes if model else AXES

    def line(self, *names: str) -> QWidget:
        """The controls of some settings side by side, at the left."""
        return beside(*(self.form.rows[name] for name in names), None)

    def start(self) -> None:
        """Show what there is, and from now on what comes."""
        self.form.changed.connect(self._on_edited)
        self.experiment.changed.connect(self._on_changed)
        self._show_digit()
        self.set_theme(current_theme())

    @override
    def set_theme(self, theme: Theme) -> None:
        self._refresh(None)

    def set_hidden(self, names: Collection[str]) -> None:
        """Hide these controls, symbols and readouts, and show all others."""
        for name, control in self.controls.items():
            control.setVisible(name not in names)
        if self.digit_row is not None:
            self.digit_row.hide_parts(names)
        if names != self.concealed:
            self.concealed = names
            self._refresh(None)

    def tells(self, *names: str) -> bool:
        """Whether none of these symbols and readouts is concealed."""
        return not any(name in self.concealed for name in names)

    def told(self, name: str, text: str) -> str:
        """A text that tells a symbol or readout; "?" as long as that is concealed."""
        return text if self.tells(name) else "?"

    def waits(self, *names: str) -> str:
        """What an empty figure says that would tell these; "" if it may."""
        return "" if self.tells(*names) else "Answer the question to see this"

    def set_large(self, large: bool) -> None:
        """Show large type, for a room, or the usual one."""
        self.large = large
        self.setFont(lesson_font(large, _LARGE))

    def draw(self, old: Any) -> None:
        """Draw settings and result; ``old`` is the result drawn before, None to draw all."""

    def show_problem(self, problem: str) -> None:
        """Say what is wrong with the value that was typed; "" if nothing is."""

    def _on_edited(self, name: str, value: object) -> None:
        try:
            self.experiment.set(**{name: value})
        except UserError as error:
            self.show_problem(str(error))
        else:
            self.show_problem("")

    def _on_changed(self, _: Result) -> None:
        experiment = self.experiment
        self.form.show(experiment.settings)
        self._show_digit()
        if experiment.settings != self._settings:
            self._settings = experiment.settings
            self.show_problem("")
        self._refresh(self._drawn)

    def _refresh(self, old: Result | None) -> None:
        # While it rests settings and result may be of different steps; it is told as it comes back.
        self._drawn = self.experiment.result if self.experiment.shown else None
        if self._drawn:
            self.draw(old)

    def _show_digit(self) -> None:
        self._note.setText(self.experiment.note)
        self._note.setVisible(self.experiment.note != "")
        if self.digit_row is not None:
            self.digit_row.show_digit()


class _DigitRow(QWidget):
    """Names the digit, and lets a person choose another: by its number, or their own.

    Args:
        experiment: what is about it.
        number: has the number of a training digit; a lesson may hide it as ``image``.
    """

    def __init__(self, experiment: DigitExperiment[Any, Any], number: QWidget) -> None:
        super().__init__()
        self._experiment, self._number = experiment, number
        self._hidden: Collection[str] = ()
        self._name = QLabel(wordWrap=True)
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        tip = "Let the lesson be about the digit that you drew or pinned on the map, or its own"
        self._switch = button("Use My Digit", tip, self._on_switch)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        fill(layout, (self._name, 1), number, self._switch)

    def hide_parts(self, names: Collection[str]) -> None:
        """Hide the ``image`` number, or all of it as ``digit``."""
        self._hidden = names
        self.show_digit()

    def show_digit(self) -> None:
        """Say which it is, and whether another can be chosen."""
        experiment, context = self._experiment, self._experiment.context
        own, mine = context.target.image, context.mine and context.target.image is not None
        settings = experiment.settings
        matters = settings.spec("image").applies(settings)
        self.setVisible(matters and "digit" not in self._hidden)
        self._number.setVisible("image" not in self._hidden and not mine)
        self._name.setText(_name_of(experiment.digit, mine, context.map.shown_data))
        self._switch.setText("Use the Lesson’s Digit" if mine else "Use My Digit")
        self._switch.setEnabled(own is not None)

    def _on_switch(self) -> None:
        context = self._experiment.context
        context.use_mine(not context.mine)


def _name_of(digit: EncodedImage | None, mine: bool, data: Dataset) -> str:
    """What a digit is called, and with a person's own a word on the numbers of the text."""
    if digit is None:
        return ""
    if not mine:
        return f"x: {digit.title}"
    name = "" if digit.label == NO_LABEL else class_name(data, digit.label)
    article = f"a{'n' * (name == '8')} " if name.isdecimal() else ""
    known = "" if not name or digit.title.endswith(f" {name}") else f", {article}{name}"
    return f"x: your digit, {digit.title}{known}. Numbers in the text are of the lesson’s digit."


def make_view(name: str, experiment: AnyExperiment) -> LessonView:
    """The view of an experiment: that of the module of its name beside this one."""
    found = class_in(f"{__name__.rpartition('.')[0]}.{name}", LessonView)
    assert found is not None, name
    return found(experiment)
