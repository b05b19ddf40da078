"""The section that says whether a picture can be trusted, with readings of real digits."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QColor
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.data.bundled import mnist
from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.decode.support_section import SupportSection, _Gauge
from vae_explorer.gui.theme import DARK, LIGHT, Theme
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.explore.data_support import PositionSupport
from vae_explorer.session.map.state import Thumbnail

READING = PositionSupport(
    (0.5, -1.0),
    62.5,
    "on the data",
    Thumbnail(1234, 7, mnist("train").images[1234], "7"),
    "train",
    0.03,
    5.14,
    0.04,
    1.18,
)
WIDEST = replace(
    READING,
    percentile=100.0,
    nearest=Thumbnail(59_888, 8, mnist("train").images[59_888], "8"),
    latent_distance=10.44,
    image_distance=14.44,
    drift_latent=10.44,
    drift_pixels=14.44,
)


@pytest.fixture
def section(qtbot: QtBot) -> SupportSection:
    section = SupportSection()
    qtbot.addWidget(section)
    section.resize(260, section.sizeHint().height())
    section.show()
    return section


def texts(section: SupportSection) -> list[str]:
    readouts = section.findChildren(Readout)
    return [readout.text() for readout in readouts]


def gauge(section: SupportSection) -> _Gauge:
    (found,) = section.findChildren(_Gauge)
    return found


def marker(section: SupportSection, theme: Theme) -> float:
    """Where the marker is on screen, the middle of its columns."""
    image = gauge(section).grab().toImage()
    right = image.width() // 2
    columns = [x for x in range(right) if image.pixelColor(x, 2) == QColor(theme.text)]
    return float(np.mean(columns))


def test_a_reading_in_words(section: SupportSection) -> None:
    section.set_reading(READING)
    assert texts(section) == [
        "nearest: 7 · train 1,234\n0.03 latent · 5.1 pixels",
        "after a round trip:\n0.04 latent, 1.2 pixels",
    ]
    assert "on the data" in gauge(section).accessibleDescription()
    section.set_reading(None)
    assert texts(section) == ["nearest: known once\nthe map is at rest", ""]
    assert gauge(section).accessibleDescription() == "—"


def test_the_nearest_digit_is_seen(section: SupportSection) -> None:
    (view,) = section.findChildren(DigitView)
    section.set_reading(READING)
    shown = view._image
    assert shown is not None
    pixels = [[shown.pixelColor(x, y).red() for x in range(28)] for y in range(28)]
    np.testing.assert_array_equal(pixels, READING.nearest.image)
    section.set_reading(None)
    assert view._image is None


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_marker_is_at_the_percentile(
    section: SupportSection, theme: Theme, show_theme: Callable[[Theme], None]
) -> None:
    section.resize(600, section.height())  # so that the words are in the right half
    show_theme(theme)
    positions = []
    for percentile in (0.0, 20.0, 40.0):
        section.set_reading(replace(READING, percentile=percentile))
        positions.append(marker(section, theme))
    assert positions[0] == 1
    assert positions[2] - positions[0] == pytest.approx(2 * (positions[1] - positions[0]), abs=2)
    assert positions[2] - positions[0] > 0.25 * section.width()


def test_each_verdict_looks_otherwise_without_colour(section: SupportSection) -> None:
    seen = set()
    for verdict in ("on the data", "at the edge", "off the data"):
        section.set_reading(replace(READING, percentile=0.0, verdict=verdict))
        picture = gauge(section).grab().toImage()
        seen.add(picture.convertToFormat(picture.Format.Format_Mono).constBits().tobytes())
    assert len(seen) == 3


def test_nothing_is_clipped_or_moved_by_a_reading(section: SupportSection) -> None:
    parts = section.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
    before = [part.geometry() for part in parts]
    height = section.sizeHint().height()
    for reading in (READING, WIDEST, None):
        section.set_reading(reading)
        QApplication.processEvents()
        assert [part.geometry() for part in parts] == before
        assert section.sizeHint().height() == height <= 110
        for readout in section.findChildren(Readout):
            (label,) = readout.findChildren(QLabel)
            flags = int(Qt.TextFlag.TextWordWrap)
            needed = label.fontMetrics().boundingRect(label.rect(), flags, label.text())
            assert needed.height() <= readout.height()
            assert needed.width() <= readout.width()
    assert section.width() == 260


def test_every_part_has_a_name_and_a_tooltip(section: SupportSection) -> None:
    for widget in (
        gauge(section),
        *section.findChildren(Readout),
        *section.findChildren(DigitView),
    ):
        interface = QAccessible.queryAccessibleInterface(widget)
        assert interface.text(QAccessible.Text.Name), widget
        assert widget.toolTip(), widget
