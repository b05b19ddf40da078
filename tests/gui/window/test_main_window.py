import numpy as np
import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QFileDialog

from tests.support.person import Person
from vae_explorer import paths
from vae_explorer.data.dataset import ImageSet
from vae_explorer.gui.dialogs.help import TextDialog
from vae_explorer.gui.theme import DARK, LIGHT, Theme, current_theme
from vae_explorer.session.files.settings import Settings
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Float32


@pytest.fixture(autouse=True)
def no_file_dialogs(monkeypatch: pytest.MonkeyPatch) -> None:
    """File dialogs are cancelled, unless a test gives an answer."""
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *_: ("", ""))


def decode(snapshot: Snapshot, z: tuple[float, float]) -> Float32:
    image: Float32 = snapshot.model.decode(np.array([z], np.float32))[0]
    return image


def test_it_opens_on_the_bundled_model(
    person: Person, bundled: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    assert person.window.windowTitle() == "mnist-elbo.safetensors — VAE Explorer"
    assert person.model_line.startswith("mnist-elbo.safetensors · epoch ")
    figure = f"{bundled.held_out_elbo:.2f}".replace("-", "−")
    assert person.model_line.endswith(f"held-out ELBO {figure} nats")
    wanted = bundled.model.encode(small_mnist["train"].images).mean
    np.testing.assert_array_equal(person.positions, wanted)
    np.testing.assert_array_equal(person.labels, small_mnist["train"].labels)
    person.wait(lambda: person.sees(decode(bundled, (0.0, 0.0))))
    assert not person.errors


def test_a_click_on_a_point_pins_its_digit(
    person: Person, bundled: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    extreme = int(person.positions[:, 0].argmax())  # alone, so that no other is nearer
    z1, z2 = person.positions[extreme]
    person.click((z1, z2))
    assert person.window.app.cursor.position == (z1, z2)
    assert person.markers.cursor_place == person.markers.pin_place == (z1, z2)
    original = small_mnist["train"].images[extreme]
    np.testing.assert_array_equal(person.picture("Original image"), original)
    wanted = np.rint(255 * decode(bundled, (z1, z2))).astype(int)
    assert np.abs(person.picture("Reconstruction") - wanted).max() <= 1
    person.wait(lambda: person.sees(decode(bundled, (z1, z2))))
    person.press("Esc")
    assert person.markers.pin_place is None
    assert person.view("Original image")._image is None
    assert person.window.app.cursor.position == (z1, z2), "the cursor stays"


def test_hovering_previews_and_leaving_brings_the_cursors_digit_back(
    person: Person, bundled: Snapshot
) -> None:
    person.click(person.empty)
    cursor = person.window.app.cursor.position
    person.wait(lambda: person.sees(decode(bundled, cursor)))
    before = person.picture()
    person.hover((2.0, 0.5))
    person.wait(lambda: not np.array_equal(person.picture(), before))
    caption = person.view("Decoded image").accessibleDescription()
    assert "preview" in caption
    assert person.window.app.cursor.position == cursor
    assert person.markers.cursor_place == cursor
    person.leave_map()
    person.wait(lambda: np.array_equal(person.picture(), before))
    assert "preview" not in person.view("Decoded image").accessibleDescription()


def test_the_other_split_comes_onto_the_map(
    person: Person, bundled: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    person.window.app.pinning.pin(3)
    person.trigger("split_test")
    person.wait(lambda: len(person.positions) == 300)
    wanted = bundled.model.encode(small_mnist["test"].images).mean
    np.testing.assert_array_equal(person.positions, wanted)
    assert person.markers.pin_place is None
    assert Settings.read(paths.settings_file()).split == "test"
    person.trigger("split_train")
    person.wait(lambda: len(person.positions) == 600)
    assert person.window.actions_["split_train"].isChecked()


@pytest.mark.parametrize(("name", "theme"), [("dark", DARK), ("light", LIGHT)])
def test_a_scheme_recolours_every_view(person: Person, name: str, theme: Theme) -> None:
    window = person.window
    person.trigger("scheme_light" if name == "dark" else "scheme_dark")
    QApplication.processEvents()
    person.trigger(f"scheme_{name}")
    QApplication.processEvents()
    assert current_theme() is theme
    assert window.actions_[f"scheme_{name}"].isChecked()
    assert Settings.read(paths.settings_file()).scheme == name
    canvas, window_color = QColor(theme.canvas), QColor(theme.window)
    for view, color in ((window.map, canvas), (window.decode, window_color)):
        image = view.grab().toImage()
        assert image.pixelColor(3, image.height() // 2) == color
    assert window.curves.palette().color(QPalette.ColorRole.Window) == canvas
    person.press("F1")
    (dialog,) = window.findChildren(TextDialog)
    page = dialog.grab().toImage()
    assert page.pixelColor(20, page.height() // 2) == canvas


def test_full_screen_and_back(person: Person) -> None:
    person.press("F11")
    assert person.window.isFullScreen()
    person.press("F11")
    assert not person.window.isFullScreen()


def test_a_close_that_fails_keeps_the_window(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> bool:
        raise OSError("no room")

    monkeypatch.setattr(type(person.window.app), "close", fail)
    assert not person.window.close()
    assert person.window.isVisible()
    assert person.errors == ["Closing failed: no room"]
    monkeypatch.undo()
