import pytest
from PySide6.QtCore import QLocale, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QSlider, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.gui.explore.decode.latent_sliders import LatentSliders
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.session.explore.cursor import LATENT_LIMIT


@pytest.fixture
def sliders(qtbot: QtBot) -> LatentSliders:
    widget = LatentSliders()
    qtbot.addWidget(widget)
    widget.resize(300, 80)
    with qtbot.waitActive(widget):
        widget.show()
        widget.activateWindow()
    return widget


def boxes(sliders: LatentSliders) -> list[NumberBox]:
    return sliders.findChildren(NumberBox)


def bars(sliders: LatentSliders) -> list[QSlider]:
    return sliders.findChildren(QSlider)


def spy_on(sliders: LatentSliders) -> QSignalSpy:
    return QSignalSpy(sliders.z_changed)


def calls(spy: QSignalSpy) -> list[tuple[float, float]]:
    return [(spy.at(i)[0], spy.at(i)[1]) for i in range(spy.count())]


def enter(box: NumberBox, text: str) -> None:
    box.setFocus()
    box.selectAll()
    QTest.keyClick(box, Qt.Key.Key_Delete)
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Return)


def turn_wheel(widget: QWidget) -> bool:
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(middle)),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def test_a_slider_moves_its_box_and_speaks(sliders: LatentSliders) -> None:
    spy = spy_on(sliders)
    bars(sliders)[1].setValue(-1234)
    assert boxes(sliders)[1].value() == -1.234
    assert boxes(sliders)[0].value() == 0.0
    assert calls(spy) == [(0.0, -1.234)]


def test_a_box_moves_its_slider_and_speaks(sliders: LatentSliders) -> None:
    spy = spy_on(sliders)
    enter(boxes(sliders)[0], "-1.257")
    assert bars(sliders)[0].value() == -1257
    assert calls(spy) == [(-1.257, 0.0)]


def test_arrow_keys_step_by_a_tenth(sliders: LatentSliders) -> None:
    spy = spy_on(sliders)
    QTest.keyClick(boxes(sliders)[0], Qt.Key.Key_Up)
    QTest.keyClick(bars(sliders)[1], Qt.Key.Key_Left)
    assert calls(spy) == [(0.1, 0.0), (0.1, -0.1)]


def test_setting_says_nothing_and_shows_three_decimals(sliders: LatentSliders) -> None:
    spy = spy_on(sliders)
    sliders.set_z(0.12345, -2.9996)
    assert [box.text() for box in boxes(sliders)] == ["0.123", "-3.000"]
    assert [bar.value() for bar in bars(sliders)] == [123, -3000]
    sliders.set_z(0.12345, -9.0)
    assert [box.text() for box in boxes(sliders)] == ["0.123", "-6.000"]
    assert spy.count() == 0


def test_moving_one_coordinate_does_not_round_the_other(sliders: LatentSliders) -> None:
    sliders.set_z(0.12345, 0.0)
    spy = spy_on(sliders)
    bars(sliders)[1].setValue(500)
    assert calls(spy) == [(0.12345, 0.5)]


def test_the_range_is_the_limit(sliders: LatentSliders) -> None:
    for box, bar in zip(boxes(sliders), bars(sliders), strict=True):
        assert (box.minimum(), box.maximum()) == (-LATENT_LIMIT, LATENT_LIMIT)
        assert (bar.minimum(), bar.maximum()) == (-1000 * LATENT_LIMIT, 1000 * LATENT_LIMIT)


def test_a_place_beyond_the_limit_is_clamped(sliders: LatentSliders) -> None:
    sliders.set_z(99.0, -99.0)
    spy = spy_on(sliders)
    assert [box.value() for box in boxes(sliders)] == [6.0, -6.0]
    bars(sliders)[0].setValue(0)
    assert calls(spy) == [(0.0, -6.0)]


@pytest.mark.parametrize("text", ["", "nan", "inf", "-", "1e999", "99", "--1", "0x10", "1.2.3"])
def test_bad_text_never_gets_out(sliders: LatentSliders, text: str) -> None:
    sliders.set_z(0.25, 0.5)
    spy = spy_on(sliders)
    box = boxes(sliders)[0]
    enter(box, text)
    bars(sliders)[1].setFocus()
    assert all(-6.0 <= z1 <= 6.0 and z2 == 0.5 for z1, z2 in calls(spy))
    assert box.text() == (text if box.refusal else f"{box.value():.3f}")
    assert bars(sliders)[0].value() == round(box.value() * 1000)


def test_an_emptied_box_goes_back(sliders: LatentSliders) -> None:
    sliders.set_z(0.25, 0.5)
    spy = spy_on(sliders)
    enter(boxes(sliders)[0], "")
    assert boxes(sliders)[0].text() == "0.250"
    assert spy.count() == 0


def test_keys_on_the_way_say_nothing(sliders: LatentSliders) -> None:
    spy = spy_on(sliders)
    box = boxes(sliders)[0]
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, "1.25")
    assert spy.count() == 0
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert calls(spy) == [(1.25, 0.0)]


def test_a_decimal_comma_and_a_true_minus_are_read(sliders: LatentSliders) -> None:
    spy = spy_on(sliders)
    box = boxes(sliders)[0]
    box.selectAll()
    box.lineEdit().insert("−0,5")
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert calls(spy) == [(-0.5, 0.0)]
    assert box.text() == "-0.500"


def test_a_german_desktop_shows_and_reads_a_point(qtbot: QtBot) -> None:
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.German))
    try:
        sliders = LatentSliders()
        qtbot.addWidget(sliders)
        sliders.show()
        enter(boxes(sliders)[0], "0.5")
        assert boxes(sliders)[0].text() == "0.500"
        assert bars(sliders)[0].value() == 500
    finally:
        QLocale.setDefault(before)


def test_the_wheel_turns_only_what_has_the_focus(sliders: LatentSliders) -> None:
    box, bar = boxes(sliders)[0], bars(sliders)[1]
    box.setFocus()
    assert not turn_wheel(bar)
    assert bar.value() == 0
    assert turn_wheel(box)
    assert box.value() == 0.1
    bar.setFocus()
    assert not turn_wheel(box)
    assert turn_wheel(bar)
    assert bar.value() != 0
