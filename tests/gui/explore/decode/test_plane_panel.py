"""The plane of a model of more than two dimensions, chosen by hand in the window."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QDockWidget, QPushButton, QSlider, QWidget

from tests.model.test_outside import VARIANCE, Linear
from tests.support.person import Person
from vae_explorer.session.explore.latent_plane import PlaneView
from vae_explorer.session.files.given_model import given_model


def named(panel: QWidget, kind: type[QWidget], name: str) -> QWidget:
    return next(found for found in panel.findChildren(kind) if found.accessibleName() == name)


def pick(combo: QWidget, text: str) -> None:
    assert isinstance(combo, QComboBox)
    combo.setCurrentIndex(combo.findText(text))
    combo.activated.emit(combo.currentIndex())


def test_the_plane_is_chosen_and_moved_by_hand(person: Person) -> None:
    window = person.window
    dock = window.findChild(QDockWidget, "plane")
    assert dock is not None
    panel, app = dock.widget(), window.app
    assert dock.isHidden()
    assert not window.actions_["reset_plane"].isEnabled()

    def view() -> PlaneView:
        person.wait(lambda: app.plane.view is not None)
        assert app.plane.view is not None
        return app.plane.view

    linear = Linear(4)
    model = given_model(linear, linear.images(70), likelihood="gaussian", variance=VARIANCE)
    app.model.open_read(model)
    person.wait(lambda: app.plane.view is not None)
    assert dock.isVisible()
    assert window.actions_["principal_plane"].isEnabled()
    pick(named(panel, QComboBox, "Plane"), "Two coordinates")
    person.wait(lambda: view().along == (0, 1))
    pick(named(panel, QComboBox, "Horizontal axis"), "z₂")
    person.wait(lambda: view().along is not None and view().along != (0, 1))
    assert view().along == (1, 2)
    assert view().names == ("z₁", "z₄")
    slider = named(panel, QSlider, "z₁ slider")
    before = view().others[0]
    QTest.keyClick(slider, Qt.Key.Key_Right)
    person.wait(lambda: view().others[0] > before)
    reset = next(one for one in panel.findChildren(QPushButton) if one.text() == "Reset")
    reset.click()
    person.wait(lambda: abs(view().others[0] - before) < 1e-6)
    window.actions_["principal_plane"].trigger()
    person.wait(lambda: view().along is None)
    app.model.reset()
    person.wait(lambda: app.plane.view is None)
    assert dock.isHidden()
