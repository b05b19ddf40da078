from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from vae_explorer.gui.decode.digit_view import DigitView
from vae_explorer.gui.decode.pinned_section import PinnedSection
from vae_explorer.gui.theme import CLASS_COLORS, DARK, LIGHT, Theme
from vae_explorer.session.state import DataPoint


@pytest.fixture
def point() -> DataPoint:
    """Ink 255 on the left half, decoded as ink on the right half."""
    original = np.zeros((28, 28), dtype=np.uint8)
    original[:, :14] = 255
    return DataPoint(
        index=1234,
        label=7,
        split="train",
        original=original,
        reconstruction=(original == 0).astype(np.float32),
        mean=np.array([0.123, -1.25], dtype=np.float32),
        covariance=np.diag([0.04**2, 0.02**2]).astype(np.float32),
        elbo=-131.2,
        log_likelihood=-124.1,
        kl=7.1,
    )


@pytest.fixture
def section(qtbot: QtBot) -> PinnedSection:
    section = PinnedSection()
    qtbot.addWidget(section)
    section.set_theme(LIGHT)
    section.resize(300, 260)
    section.show()
    return section


def texts(section: PinnedSection) -> list[str]:
    return [label.text() for label in section.findChildren(QLabel) if label.isVisible()]


def pictures(section: PinnedSection) -> list[QImage]:
    return [view.grab().toImage() for view in section.findChildren(DigitView)]


def halves(picture: QImage) -> tuple[QColor, QColor]:
    """The colours on the left and right of the middle of a digit."""
    x, y = picture.width() // 2, picture.height() // 3
    return picture.pixelColor(x - 10, y), picture.pixelColor(x + 10, y)


def test_it_begins_with_a_hint(section: PinnedSection) -> None:
    assert texts(section) == ["Click a point to pin it"]


def test_it_names_the_digit_and_its_figures(section: PinnedSection, point: DataPoint) -> None:
    section.set_point(point)
    shown = texts(section)
    assert shown[0] == "digit 7 · #1,234 train"
    assert dict(zip(shown[1::2], shown[2::2], strict=True)) == {
        "ELBO": "−131.2 nats",
        "= log-likelihood": "−124.1 nats",
        "− KL": "7.1 nats",
        "Posterior mean": "(0.123, −1.250)",
        "Posterior width": "0.040 × 0.020",
    }


@pytest.mark.parametrize(("theme", "warm"), [(LIGHT, 2), (DARK, 6)])
def test_the_error_is_the_reconstruction_minus_the_original(
    section: PinnedSection, point: DataPoint, theme: Theme, warm: int
) -> None:
    section.set_point(point)
    section.set_theme(theme)
    original, reconstruction, error = pictures(section)
    assert halves(original) == (QColor("white"), QColor("black"))
    assert halves(reconstruction) == (QColor("black"), QColor("white"))
    assert halves(error) == tuple(QColor(*CLASS_COLORS[row].tolist()) for row in (0, warm))


def test_a_perfect_reconstruction_leaves_the_canvas(
    section: PinnedSection, point: DataPoint
) -> None:
    section.set_point(replace(point, reconstruction=(point.original > 0).astype(np.float32)))
    assert halves(pictures(section)[2]) == (QColor(LIGHT.canvas), QColor(LIGHT.canvas))


def test_letting_go_restores_the_empty_state(section: PinnedSection, point: DataPoint) -> None:
    empty, height = pictures(section), section.minimumSizeHint().height()
    section.set_point(point)
    assert pictures(section) != empty
    assert section.minimumSizeHint().height() == height
    section.set_point(None)
    assert pictures(section) == empty
    assert texts(section) == ["Click a point to pin it"]


def test_figures_of_a_broken_model_are_shown_as_they_are(
    section: PinnedSection, point: DataPoint
) -> None:
    broken = np.full((28, 28), np.nan, dtype=np.float32)
    section.set_point(
        replace(
            point,
            reconstruction=broken,
            elbo=float("nan"),
            covariance=np.full((2, 2), np.nan, dtype=np.float32),
        )
    )
    shown = texts(section)
    assert "nan nats" in shown
    assert "nan × nan" in shown
    assert halves(pictures(section)[2]) == (QColor(LIGHT.canvas), QColor(LIGHT.canvas))
