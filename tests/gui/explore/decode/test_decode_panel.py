import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible, QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from vae_explorer.gui.explore.decode.decode_panel import DecodePanel
from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.decode.support_section import SupportSection
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.session.explore.decoding import Decoded
from vae_explorer.session.explore.pins import DataPoint

POINT = DataPoint(
    index=59_999,
    label=7,
    split="train",
    original=np.full((28, 28), 255, dtype=np.uint8),
    reconstruction=np.full((28, 28), 0.5, dtype=np.float32),
    mean=np.array([-1.123, -1.25], dtype=np.float32),
    covariance=np.diag([0.04**2, 0.02**2]).astype(np.float32),
    elbo=-1131.2,
    log_likelihood=-1124.1,
    kl=7.1,
    seed=7,
    title="digit 7",
)


def decoded(preview: bool = False, level: float = 1.0) -> Decoded:
    return Decoded((0.123, -1.25), np.full((28, 28), level, dtype=np.float32), 0.114, preview)


@pytest.fixture
def panel(qtbot: QtBot) -> DecodePanel:
    panel = DecodePanel()
    qtbot.addWidget(panel)
    panel.resize(300, 800)
    with qtbot.waitActive(panel):
        panel.show()
        panel.activateWindow()
    return panel


def digit(panel: DecodePanel) -> DigitView:
    return next(
        view for view in panel.findChildren(DigitView) if view.accessibleName() == "Decoded image"
    )


def button(panel: DecodePanel, text: str) -> QPushButton:
    return next(button for button in panel.findChildren(QPushButton) if button.text() == text)


def settle() -> None:
    for _ in range(4):
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
        QApplication.processEvents()


def middle(image: QImage) -> QColor:
    return image.pixelColor(image.width() // 2, image.height() // 3)


def test_the_decoded_image_is_shown_with_its_place_and_cost(panel: DecodePanel) -> None:
    panel.set_decoded(decoded())
    assert digit(panel).accessibleDescription() == "z = (0.123, −1.250) · 0.11 ms"
    assert middle(digit(panel).grab().toImage()) == QColor("white")
    panel.set_decoded(decoded(level=0.0))
    assert middle(digit(panel).grab().toImage()) == QColor("black")


def test_a_preview_says_so_and_leaves_the_sliders(panel: DecodePanel) -> None:
    panel.sliders.set_z(1.0, 2.0)
    panel.set_decoded(decoded(preview=True))
    assert digit(panel).accessibleDescription().endswith("preview")
    assert [box.value() for box in panel.findChildren(NumberBox)] == [1.0, 2.0]


def test_buttons_wait_for_something_to_act_on(qtbot: QtBot, panel: DecodePanel) -> None:
    export, unpin = button(panel, "Export Image…"), button(panel, "Unpin All")
    assert not export.isEnabled()
    assert not unpin.isEnabled()
    panel.set_decoded(decoded())
    panel.set_pins((POINT,), POINT)
    with qtbot.waitSignal(panel.export.clicked):
        QTest.mouseClick(export, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(panel.unpin.clicked):
        QTest.keyClick(unpin, Qt.Key.Key_Space)
    panel.set_pins((), None)
    assert not unpin.isEnabled()


@pytest.mark.parametrize("pinned", [None, POINT])
@pytest.mark.parametrize("height", [400, 560, 700, 1000])
@pytest.mark.parametrize("width", [300, 360, 500])
def test_nothing_is_cut_at_any_size_of_dock(
    panel: DecodePanel, width: int, height: int, pinned: DataPoint | None
) -> None:
    panel.set_decoded(decoded(preview=True))
    panel.set_pins((pinned,) if pinned else (), pinned)
    panel.resize(width, height)
    settle()
    scroll = panel.findChildren(QScrollArea)[0]
    assert scroll.horizontalScrollBar().maximum() == 0
    for widget in panel.findChildren(QWidget):
        if isinstance(widget, QLabel | QPushButton | NumberBox) and widget.isVisible():
            hint = widget.minimumSizeHint()
            assert widget.width() >= hint.width(), widget
            assert widget.height() >= hint.height(), widget
        if isinstance(widget, DigitView):
            assert widget.height() >= widget.minimumSizeHint().height()
            assert widget.width() >= widget.minimumSizeHint().width()


def test_as_height_grows_short_the_digit_shrinks_then_parts_fold_then_it_scrolls(
    panel: DecodePanel,
) -> None:
    scroll = panel.findChildren(QScrollArea)[0]
    others = [view for view in panel.findChildren(DigitView) if view is not digit(panel)]
    sizes = [view.size() for view in others]
    tall = digit(panel).height()
    seen = []
    for height in (620, 540, 400):
        panel.resize(300, height)
        settle()
        assert digit(panel).height() < tall
        assert scroll.verticalScrollBar().maximum() == 0
        assert [view.size() for view in others] == sizes
        seen.append((panel.support.fold.is_open, panel.inspector.fold.is_open))
    assert seen == [(True, True), (False, True), (True, False)]
    panel.resize(300, 250)
    settle()
    assert not panel.support.fold.is_open
    assert scroll.verticalScrollBar().maximum() > 0
    assert digit(panel).height() == digit(panel).minimumSizeHint().height()
    panel.resize(300, 800)
    settle()
    assert panel.support.fold.is_open
    assert panel.inspector.fold.is_open


def test_what_a_person_folds_or_opens_stays_so(panel: DecodePanel) -> None:
    fold = panel.inspector.fold
    arrow = next(x for x in fold.findChildren(QToolButton) if x.text() == "Pinned")
    arrow.click()
    settle()
    assert not fold.is_open
    assert not panel.unpin.visibleRegion().isEmpty()
    panel.resize(300, 1_000)
    settle()
    assert not fold.is_open
    QTest.keyClick(arrow, Qt.Key.Key_Space)
    panel.resize(300, 400)
    settle()
    assert fold.is_open


def test_the_layout_comes_to_rest_where_the_scroll_bar_appears(panel: DecodePanel) -> None:
    scroll = panel.findChildren(QScrollArea)[0]
    for height in range(440, 520, 3):
        panel.resize(345, height)
        settle()
        before = scroll.viewport().size()
        settle()
        assert scroll.viewport().size() == before


def test_pinning_does_not_move_the_decoded_digit(panel: DecodePanel) -> None:
    settle()
    before = digit(panel).geometry()
    panel.set_pins((POINT,), POINT)
    settle()
    assert digit(panel).geometry() == before


def test_a_larger_font_still_shows_whole_zooms(panel: DecodePanel) -> None:
    fixed = (digit(panel), panel.findChild(SupportSection).findChild(DigitView))
    small = [view for view in panel.findChildren(DigitView) if view not in fixed]
    before = [view.height_for(view.width()) for view in small]
    font = panel.font()
    font.setPointSizeF(font.pointSizeF() * 1.5)
    panel.setFont(font)
    settle()
    after = [view.height() for view in small]
    assert all(new > old for new, old in zip(after, before, strict=True))
    assert all(view.height() >= view.minimumSizeHint().height() for view in small)


def test_made_in_a_larger_font_it_needs_no_more_width(qtbot: QtBot, panel: DecodePanel) -> None:
    font = QApplication.font()
    larger = QApplication.font()
    larger.setPointSizeF(2 * font.pointSizeF())
    try:
        QApplication.setFont(larger)
        other = DecodePanel()
        qtbot.addWidget(other)
        assert other.minimumSizeHint().width() > panel.minimumSizeHint().width()
    finally:
        QApplication.setFont(font)
    other.show()
    settle()
    assert other.minimumSizeHint().width() == panel.minimumSizeHint().width()


def test_everything_that_takes_the_keyboard_has_a_name(panel: DecodePanel) -> None:
    panel.set_decoded(decoded())
    panel.set_pins((POINT,), POINT)
    reached = []
    panel.setFocus()
    for _ in range(16):
        panel.focusNextChild()
        widget = QApplication.focusWidget()
        if widget is not None and widget not in reached:
            reached.append(widget)
    names = [
        QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
        for widget in reached
    ]
    sliders = ["z₁", "z₁ slider", "z₂", "z₂ slider"]
    card = ["Mean of q(z|x)", "Refine", "Pinned image", "Nearest real image and drift"]
    assert sorted(names) == sorted(["Export Image…", "Pinned images", "Unpin All", *sliders, *card])


def test_every_picture_has_a_name(panel: DecodePanel) -> None:
    names = [view.accessibleName() for view in panel.findChildren(DigitView)]
    assert all(names)
    assert len(set(names)) == len(names) == 6
