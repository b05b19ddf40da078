"""The inspector of the pinned digit, of real images and of two halves."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.decode.pin_inspector import PinInspector
from vae_explorer.gui.plot.color_maps import sequential
from vae_explorer.gui.theme import CLASS_COLORS, DARK, LIGHT, Theme
from vae_explorer.session.explore.image_truth import ImageBound, ImageTruth
from vae_explorer.session.explore.inspector import Code, Inspection, Reconstruction
from vae_explorer.session.explore.pins import DataPoint

LEFT = np.arange(28) < 14
"""The columns of the left half."""


def halves(left: float, right: float) -> np.ndarray:
    return np.broadcast_to(np.where(LEFT, left, right), (28, 28)).astype(np.float32)


def reconstruction(
    z: float, left: float, right: float, costs: tuple[float, float]
) -> Reconstruction:
    image = halves(left, right)
    log_likelihood = -halves(*costs).astype(np.float64)
    position = np.array([z, -1.25], np.float32)
    return Reconstruction(position, image, image - halves(1, 0), log_likelihood)


@pytest.fixture
def point() -> DataPoint:
    """Ink on the left half, decoded as ink on the right half."""
    return DataPoint(
        index=1234,
        label=7,
        split="train",
        original=(255 * halves(1, 0)).astype(np.uint8),
        reconstruction=halves(0, 1),
        mean=np.array([0.123, -1.25], dtype=np.float32),
        covariance=np.diag([0.04**2, 0.02**2]).astype(np.float32),
        elbo=-131.2,
        log_likelihood=-124.1,
        kl=7.1,
        seed=7,
        title="digit 7",
    )


def truth(elbo: float, log_likelihood: float) -> ImageTruth:
    """With a KL divergence of 7.1 nats and log p(x) 0.8 nats above the ELBO."""
    x, covariance = np.zeros((1, 28, 28), np.float32), np.eye(2, dtype=np.float32)
    bound = ImageBound(x, np.zeros(2, np.float32), covariance, elbo, log_likelihood, 7.1)
    return ImageTruth(bound, elbo + 0.8, 2e-5, np.zeros(2), np.zeros(2), np.eye(2), 0.0)


@pytest.fixture
def inspection() -> Inspection:
    """The mean is all wrong, the sample half wrong, the exact one right."""
    reconstructions: dict[Code, Reconstruction] = {
        "mean": reconstruction(0.123, 0, 1, (4.0, 4.0)),
        "sample": reconstruction(0.2, 0, 0, (4.0, 0.0)),
        "exact": reconstruction(0.3, 1, 0, (0.0, 2.0)),
    }
    return Inspection("train", 1234, 0, reconstructions, truth(-131.2, -124.1))


@pytest.fixture
def shown(qtbot: QtBot) -> PinInspector:
    shown = PinInspector()
    qtbot.addWidget(shown)
    shown.fit(260)
    shown.resize(260, shown.sizeHint().height())
    shown.show()
    return shown


def choose(shown: PinInspector, code: Code) -> None:
    (choice,) = shown.findChildren(QComboBox)
    choice.setCurrentIndex(choice.findData(code))


def button(shown: PinInspector, text: str) -> QToolButton:
    return next(one for one in shown.findChildren(QToolButton) if one.text() == text)


def figures(shown: PinInspector) -> dict[str, str]:
    texts = [label.text() for label in shown.findChildren(QLabel) if label.isVisible()][1:]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def sides(shown: PinInspector) -> list[tuple[QColor, QColor]]:
    """The colours of both halves of each picture."""
    pictures: list[QImage] = [view.grab().toImage() for view in shown.findChildren(DigitView)]
    middles = [(picture.width() // 2, picture.height() // 3) for picture in pictures]
    return [
        (picture.pixelColor(x - 10, y), picture.pixelColor(x + 10, y))
        for picture, (x, y) in zip(pictures, middles, strict=True)
    ]


def test_it_begins_with_a_hint(shown: PinInspector) -> None:
    texts = [label.text() for label in shown.findChildren(QLabel) if label.isVisible()]
    assert texts == ["click a point to pin it"]


def test_a_point_is_shown_at_once_and_the_rest_with_its_card(
    shown: PinInspector, point: DataPoint, inspection: Inspection
) -> None:
    shown.set_point(point)
    known = {"ELBO": "−131.2 nats", "= log-likelihood": "−124.1 nats", "− KL": "7.1 nats"}
    assert figures(shown) == known | {"log p(x)": "—", "gap": "—"}
    blue, red = (QColor(*CLASS_COLORS[row].tolist()) for row in (0, 2))
    white, black = QColor("white"), QColor("black")
    assert sides(shown)[:3] == [(white, black), (black, white), (blue, red)]
    shown.set_inspection(inspection)
    assert figures(shown) == known | {"log p(x)": "−130.4 nats", "gap": "0.8 nats"}
    assert sides(shown)[:3] == [(white, black), (black, white), (blue, red)]


@pytest.mark.parametrize(("theme", "warm"), [(LIGHT, 2), (DARK, 6)])
def test_each_code_has_its_pictures(
    shown: PinInspector,
    point: DataPoint,
    inspection: Inspection,
    theme: Theme,
    warm: int,
    show_theme: Callable[[Theme], None],
) -> None:
    shown.set_point(point)
    shown.set_inspection(inspection)
    show_theme(theme)
    white, black, canvas = QColor("white"), QColor("black"), QColor(theme.canvas)
    blue, red = (QColor(*CLASS_COLORS[row].tolist()) for row in (0, warm))
    # One scale for all three, from 0 to 4 nats lost.
    none, half, most = (QColor(int(sequential(theme)[step])) for step in (0, 128, 255))
    expected: dict[Code, list[tuple[QColor, QColor]]] = {
        "mean": [(black, white), (blue, red), (most, most)],
        "sample": [(black, black), (blue, canvas), (most, none)],
        "exact": [(white, black), (canvas, canvas), (none, half)],
    }
    for code, pictures in expected.items():
        choose(shown, code)
        assert sides(shown) == [(white, black), *pictures], code
        view = next(
            one for one in shown.findChildren(DigitView) if one.accessibleName() == "Reconstruction"
        )
        assert f"({inspection.reconstructions[code].z[0]:.3f}, −1.250)" in view.toolTip()


def test_without_a_card_only_the_mean_is_known(shown: PinInspector, point: DataPoint) -> None:
    empty = sides(shown)
    shown.set_point(point)
    choose(shown, "exact")
    assert sides(shown)[1:] == empty[1:]


def test_the_card_of_another_image_goes_and_of_the_same_stays(
    shown: PinInspector, point: DataPoint, inspection: Inspection
) -> None:
    shown.set_point(point)
    shown.set_inspection(inspection)
    before = figures(shown)
    assert before["gap"] == "0.8 nats"
    shown.set_point(replace(point, elbo=-90.0))
    assert figures(shown) == before, "all of one model, until the inspection by this one comes"
    shown.set_point(replace(point, split="test"))
    assert figures(shown)["gap"] == "—"
    shown.set_point(None)
    shown.set_inspection(None)
    assert not figures(shown)


def test_the_buttons_ask(
    qtbot: QtBot, shown: PinInspector, point: DataPoint, inspection: Inspection
) -> None:
    said: list[str] = []
    shown.resample_requested.connect(lambda: said.append("resample"))
    shown.refine_requested.connect(lambda: said.append("refine"))
    shown.set_point(point)
    shown.set_inspection(inspection)
    qtbot.mouseClick(button(shown, "Resample"), Qt.MouseButton.LeftButton)
    assert said == [], "the mean is no sample"
    choose(shown, "sample")
    for name in ("Resample", "Refine"):
        qtbot.mouseClick(button(shown, name), Qt.MouseButton.LeftButton)
    shown.set_inspection(replace(inspection, seed=1))
    shown.set_point(None)
    assert said == ["resample", "refine"]


def test_it_fits_the_dock_and_nothing_moves_or_is_clipped(
    shown: PinInspector, point: DataPoint, inspection: Inspection
) -> None:
    height = shown.minimumSizeHint().height()
    shown.set_point(replace(point, index=59_999, elbo=-1131.2, log_likelihood=-1124.1))
    shown.set_inspection(replace(inspection, index=59_999, truth=truth(-1131.2, -1124.1)))
    QApplication.processEvents()
    assert shown.width() == 260
    assert shown.minimumSizeHint().height() == height
    shown.fit(300)
    assert shown.sizeHint().height() <= 260
    shown.fit(260)
    for part in shown.findChildren(QWidget):
        if part.isVisible() and not isinstance(part.parent(), QComboBox):
            corner = part.mapTo(shown, part.rect().bottomRight())
            assert shown.rect().contains(corner), part
            assert part.width() >= part.minimumSizeHint().width(), part
