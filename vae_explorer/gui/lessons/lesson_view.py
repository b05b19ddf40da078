"""What the view of every experiment is."""

from collections.abc import Collection, Mapping
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget
from typing_extensions import override

from vae_explorer.errors import UserError
from vae_explorer.gui.theme import Theme, Themed, current_theme
from vae_explorer.gui.widgets.controls import Controls
from vae_explorer.gui.widgets.rows import beside
from vae_explorer.session.lessons.experiment import AnyExperiment, Result, class_in


class LessonView(Themed):
    """Draws an experiment and sends it what a person sets.

    A subclass puts its widgets and lines of the form into ``page``, connects its charts and at
    last calls ``start``; it draws in ``draw``. ``controls`` are the widgets that a
    lesson may hide, by the names that its files use.

    Args:
        experiment: what is shown.
        sliders: as of ``Controls``, and so the others.
        buttons: likewise.
        offers: likewise.
    """

    def __init__(
        self,
        experiment: AnyExperiment,
        *,
        sliders: tuple[str, ...] = (),
        buttons: tuple[str, ...] = (),
        offers: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        super().__init__()
        self.experiment = experiment
        self._drawn: Result | None = None
        self._settings = experiment.settings
        self.form = Controls(
            experiment.settings, self, sliders=sliders, buttons=buttons, offers=offers
        )
        self.controls: dict[str, QWidget] = dict(self.form.rows)
        self.page = QVBoxLayout(self)
        self.page.setContentsMargins(8, 6, 8, 6)
        self.page.setSpacing(4)

    def line(self, *names: str) -> QWidget:
        """The controls of some settings side by side, at the left."""
        return beside(*(self.form.rows[name] for name in names), None)

    def start(self) -> None:
        """Show what there is, and from now on what comes."""
        self.form.changed.connect(self._on_edited)
        self.experiment.changed.connect(self._on_changed)
        self.set_theme(current_theme())

    @override
    def set_theme(self, theme: Theme) -> None:
        self._drawn = self.experiment.result
        self.draw(None)

    def set_hidden(self, names: Collection[str]) -> None:
        """Hide these controls, and show all others."""
        for name, control in self.controls.items():
            control.setVisible(name not in names)

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

    def _on_changed(self, result: Result) -> None:
        experiment, old = self.experiment, self._drawn
        self.form.show(experiment.settings)
        if experiment.settings != self._settings:
            self._settings = experiment.settings
            self.show_problem("")
        self._drawn = result
        self.draw(old)


def make_view(name: str, experiment: AnyExperiment) -> LessonView:
    """The view of an experiment: that of the module of its name beside this one."""
    found = class_in(f"{__name__.rpartition('.')[0]}.{name}", LessonView)
    assert found is not None, name
    return found(experiment)
