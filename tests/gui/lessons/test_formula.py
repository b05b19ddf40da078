import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage, QMouseEvent, QPalette
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from vae_explorer.gui.lessons.formula import FormulaView, glyphs, value_text
from vae_explorer.lessons.course import FormulaPart, bundled_lessons
from vae_explorer.types import Bools

PARTS = (
    FormulaPart(r"H[p]", "H"),
    FormulaPart(r"= -\sum_{i=1}^{n}"),
    FormulaPart(r"p_i", "p"),
    FormulaPart(r"\log p_i"),
)
MEANINGS = {"H": "the entropy of p, in nats", "p": "the probability of a bar"}


@pytest.fixture
def view(qtbot: QtBot) -> FormulaView:
    view = FormulaView(PARTS, MEANINGS)
    qtbot.addWidget(view)
    palette = view.palette()
    palette.setColor(QPalette.ColorRole.Window, QColor("#ffffff"))
    palette.setColor(QPalette.ColorRole.WindowText, QColor("#000000"))
    palette.setColor(QPalette.ColorRole.Accent, QColor("#0000ff"))
    view.setPalette(palette)
    view.resize(400, view.sizeHint().height())
    view.show()
    return view


def _pixels(view: FormulaView) -> NDArray[np.int_]:
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    pixels: NDArray[np.int_] = rows[:, : 3 * image.width()].astype(np.int_)
    return pixels.reshape(image.height(), image.width(), 3)


def _blue(pixels: NDArray[np.int_]) -> Bools:
    blue: Bools = (pixels[..., 2] - pixels[..., 0]) > 100
    return blue


def test_it_is_drawn_and_its_symbols_stand_out(view: FormulaView) -> None:
    pixels = _pixels(view)
    dark = pixels.sum(2) < 200
    assert dark.any()
    columns = np.flatnonzero(_blue(pixels).any(0))
    first, third = view._boxes[0], view._boxes[2]
    inside = [(box.left() - 1 <= columns) & (columns <= box.right() + 1) for box in (first, third)]
    assert (inside[0] | inside[1]).all()
    assert inside[0].any()
    assert inside[1].any()


def test_live_values_stand_below_their_symbols(view: FormulaView) -> None:
    before = _blue(_pixels(view)).sum()
    view.set_values({"H": 1.386, "other": 3.0})
    assert _blue(_pixels(view)).sum() > before
    assert "the entropy of p, in nats: 1.386" in view.accessibleDescription()
    view.set_values({"H": "not yet"})
    assert "not yet" in view.accessibleDescription()


def test_a_value_stands_after_what_is_a_whole_by_itself(qtbot: QtBot) -> None:
    parts = [(r"R =", "R"), (r"\mathbb{E}", ""), (r"\qquad", ""), ("k", "k"), (r"\qquad n =", "n")]
    whole = FormulaView(tuple(FormulaPart(*part) for part in parts), {})
    qtbot.addWidget(whole)
    whole.resize(500, 60)
    without, tex = whole._lay_out(500)[0], {symbol: one for one, symbol in parts}
    whole.set_values({"R": 7.5, "k": 12.0, "n": 3.0})
    assert whole._lay_out(500)[0][2:] == without[2:]  # there was room for them
    for name, other in (("R", False), ("k", True), ("n", True)):
        box = without[["R", "", "k", "n"].index(name)]
        glyph = glyphs(tex[name].removeprefix(r"\qquad "), 18.0, "#000000").size
        assert (box.width() > glyph.width() + 30) == other
    assert [whole._value(number) for number in (0, 2, 3)] == ["7.500", "= 12.00", "3.000"]


def test_a_space_between_parts_never_indents_a_line(qtbot: QtBot) -> None:
    parts = tuple(
        FormulaPart(*part) for part in (("a", "a"), (r"\qquad b", "b"), (r"\quad c", "c"))
    )
    spaced = FormulaView(parts, {})
    qtbot.addWidget(spaced)
    one, three = spaced._lay_out(500)[0], spaced._lay_out(120)[0]
    assert one[0].right() + 18 < one[1].left()
    assert [box.left() for box in three] == [one[0].left()] * 3


def test_a_symbol_under_the_pointer_says_what_it_is(view: FormulaView) -> None:
    view.set_values({"p": 0.25})
    view.grab()
    spot = view._boxes[2].center()
    at = spot.toPoint()
    event = QHelpEvent(QEvent.Type.ToolTip, at, view.mapToGlobal(at))
    QApplication.sendEvent(view, event)
    assert QToolTip.text() == "the probability of a bar: 0.250"
    QToolTip.hideText()
    none = Qt.MouseButton.NoButton
    held = Qt.KeyboardModifier.NoModifier
    move = QMouseEvent(QEvent.Type.MouseMove, spot, QPointF(view.mapToGlobal(at)), none, none, held)
    QApplication.sendEvent(view, move)
    assert view._hovered == "p"
    view.leaveEvent(QEvent(QEvent.Type.Leave))
    assert view._hovered == ""


def test_a_narrow_place_breaks_the_line_and_large_type_needs_more(view: FormulaView) -> None:
    one_line = view.sizeHint().height()
    view.resize(120, one_line)
    QApplication.processEvents()
    assert view.sizeHint().height() > 1.5 * one_line
    tops = {round(box.center().y()) // one_line for box in view._lay_out(120)[0]}
    assert len(tops) > 1
    view.resize(400, one_line)
    view.set_em(36)
    assert view.sizeHint().height() > 1.5 * one_line


def test_no_part_is_cut_off(view: FormulaView) -> None:
    """The ink ends before the widget does, on all sides."""
    dark = _pixels(view).sum(2) < 500
    assert not dark[0].any()
    assert not dark[-1].any()
    assert not dark[:, 0].any()
    assert not dark[:, -1].any()
    assert view.mapFromGlobal(view.mapToGlobal(QPoint(3, 4))) == QPoint(3, 4)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.000"),
        (-1.5, "−1.500"),
        (-175.64, "−175.6"),
        (12.345, "12.35"),
        (4_321.0, "4,321"),
        (111_361.0, "111,361"),
        (2.5e-7, "2.5·10⁻⁷"),
        (3e9, "3.0·10⁹"),
        ("uniform", "uniform"),
    ],
)
def test_values_are_written_short(value: float | str, text: str) -> None:
    assert value_text(value) == text


def test_a_part_that_finds_no_room_is_set_smaller(qtbot: QtBot) -> None:
    long = FormulaView((FormulaPart(r"\mathbb{E}_{q(z|x)}[\log p(x|z) + \log p(z)]"),), {})
    qtbot.addWidget(long)
    assert long.minimumSizeHint().width() < 100
    long.resize(150, 40)
    (box,), _ = long._lay_out(150)
    assert box.right() <= 150
    long.resize(600, 40)
    (box,), _ = long._lay_out(600)
    assert box.width() > 160


def test_every_formula_of_the_lessons_is_typeset() -> None:
    for lesson in bundled_lessons():
        for step in lesson.steps:
            for part in (part for formula in step.formulas for part in formula):
                assert glyphs(part.tex, 18.0, "#000000").error == "", (lesson.id, part.tex)


@pytest.mark.parametrize("tex", [r"\left( \frac{1}{", r"= 1 \right)", r"\left(x", "p^", r"\hat"])
def test_what_is_no_latex_is_written_in_words(qtbot: QtBot, tex: str) -> None:
    broken = FormulaView((FormulaPart(tex),), {})
    qtbot.addWidget(broken)
    broken.resize(300, 40)
    broken.show()
    dark = _pixels(broken).sum(2) < 300
    assert glyphs(tex, 18.0, "#000000").error
    assert dark.any()
