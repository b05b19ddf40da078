"""In the real window every term is explained, and every tip names its key."""

from collections.abc import Iterator
from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, Qt, QUrl
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QTableView, QWidget

from tests.support.person import Person
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.gui.curves.curve_panel import CurvePanel
from vae_explorer.gui.curves.curve_table import PANELS
from vae_explorer.gui.curves.rate_distortion import RateDistortionPanel
from vae_explorer.gui.dialogs.help import TextDialog
from vae_explorer.gui.widgets.terms import TermBox, TermCard, TermHeader, TermLabel
from vae_explorer.gui.window.actions import native
from vae_explorer.session.compare.metrics import comparison_table
from vae_explorer.session.terms import TERMS, term_of
from vae_explorer.training.recipe import Recipe


def written(person: Person) -> Iterator[str]:
    """What stands where terms are explained."""
    window = person.window
    yield from (label.text() for label in window.findChildren(TermLabel))
    yield from (box.text() for box in window.findChildren(TermBox))
    for table in window.findChildren(QTableView):
        if isinstance(table.horizontalHeader(), TermHeader):
            model = table.model()
            for column in range(model.columnCount()):
                yield str(model.headerData(column, Qt.Orientation.Horizontal))
    for spec in PANELS:
        yield CurvePanel(spec).plot.title
        yield from (curve.name for curve in spec.curves)
    yield RateDistortionPanel().plot.title
    yield from (row.name for row in comparison_table(None, None, None, mnist_dataset()).rows)
    yield from map(str, Recipe.specs()["objective"].choices)


def test_every_term_is_explained_somewhere(person: Person) -> None:
    found = {term_of(text) for text in written(person)}
    assert [term.name for term in TERMS if term not in found] == []


def test_the_inspector_and_the_sketch_explain_their_figures(person: Person) -> None:
    for part, names in (
        (person.window.decode, {"ELBO", "log-likelihood", "KL", "log p(x)", "gap"}),
        (person.window.draw, {"ELBO", "log p(x)", "Gap", "q mean", "q width"}),
    ):
        assert {one.text().strip(" =−") for one in part.findChildren(TermLabel)} == names


def test_the_status_bar_explains_the_elbo_and_keeps_its_tip(person: Person) -> None:
    status = person.window.status
    (field,) = (w for w in status.findChildren(QWidget) if w.accessibleName() == "Model")
    before = field.accessibleDescription().partition("ELBO")[0]
    x = field.fontMetrics().horizontalAdvance(before) + 4
    for at, explained in ((QPoint(2, 4), False), (QPoint(x, 4), True)):
        QApplication.sendEvent(field, QHelpEvent(QEvent.Type.ToolTip, at, field.mapToGlobal(at)))
        cards = person.window.findChildren(TermCard)
        assert (
            any(card.isVisible() and "ELBO" in card.accessibleName() for card in cards) is explained
        )
    assert "weights" in field.toolTip()


def test_the_list_of_terms_leads_to_their_lessons(person: Person) -> None:
    person.trigger("terms")
    dialog = person.window.findChild(TextDialog)
    assert "Lesson 7" in dialog.text.toPlainText()
    dialog.text.anchorClicked.emit(QUrl("lesson:7-trade"))
    assert not dialog.isVisible()
    assert person.window.app.learning.lesson.id == "7-trade"
    assert person.window.learn.isVisible()


def test_buttons_that_do_what_a_command_does_name_its_key_as_it_is_now(person: Person) -> None:
    window = person.window
    tips = {
        button.property("command"): button
        for button in window.findChildren(QAbstractButton)
        if button.property("command")
    }
    assert {"export_digit", "refine", "play_path", "next_step"} <= set(tips)
    keys_of = {command.id: command.keys for command in window.actions_.commands}
    for name, button in tips.items():
        keys = keys_of[name]
        assert button.toolTip().endswith(f" ({native(keys[:1])})"), name
    settings = window.app.settings
    settings.change(replace(settings.now, keys={"refine": "Ctrl+E"}))
    assert tips["refine"].toolTip().endswith("(Ctrl+E)")
    settings.change(replace(settings.now, keys={"refine": ""}))
    assert not tips["refine"].toolTip().endswith(")")
