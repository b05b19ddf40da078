import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from vae_explorer.gui.lessons.large_type import lesson_font
from vae_explorer.gui.lessons.prose import Prose
from vae_explorer.gui.theme import DARK, LIGHT, SchemeChoice, apply_scheme
from vae_explorer.lessons.course import Lesson, bundled_lessons


def test_it_is_as_tall_as_its_text_at_any_width(qtbot: QtBot) -> None:
    prose = Prose("Text")
    qtbot.addWidget(prose)
    prose.set_text("Many words that need some room, as a text has them. " * 12)
    prose.resize(600, 100)
    prose.show()
    QApplication.processEvents()
    wide = prose.sizeHint().height()
    prose.resize(200, 100)
    QApplication.processEvents()
    assert prose.sizeHint().height() > 2 * wide
    assert prose.minimumSizeHint().height() == prose.sizeHint().height()


def test_markdown_is_read_and_an_empty_text_takes_no_room(qtbot: QtBot) -> None:
    prose = Prose("Text")
    qtbot.addWidget(prose)
    prose.set_text("A **bold** [link](https://arxiv.org/abs/1312.6114)")
    assert prose.toPlainText() == "A bold link"
    assert "1312.6114" in prose.toHtml()
    assert prose.openExternalLinks()
    prose.set_text("")
    assert prose.isHidden()


def test_links_take_the_colour_of_the_scheme(qtbot: QtBot, system_scheme: None) -> None:
    prose = Prose("Text")
    qtbot.addWidget(prose)
    prose.show()
    prose.set_text("A [link](https://arxiv.org)")
    for choice, theme in ((SchemeChoice.DARK, DARK), (SchemeChoice.LIGHT, LIGHT)):
        apply_scheme(choice)
        QApplication.processEvents()
        assert theme.accent in prose.toHtml()


@pytest.mark.parametrize("lesson", bundled_lessons(), ids=lambda lesson: lesson.id)
def test_no_word_of_a_table_is_broken_in_large_type(lesson: Lesson, qtbot: QtBot) -> None:
    prose = Prose("Text")
    qtbot.addWidget(prose)
    prose.setFont(lesson_font(large=True))
    prose.resize(345, 600)  # what a dock leaves it in a window of 1280
    prose.show()
    for text in [block for step in lesson.steps for block in step.blocks if "|---" in str(block)]:
        assert isinstance(text, str)
        prose.set_text(text)
        QApplication.processEvents()
        block = prose.document().begin()
        while block.isValid():
            layout, said = block.layout(), block.text()
            starts = [layout.lineAt(n).textStart() for n in range(1, layout.lineCount())]
            assert all(said[start - 1] in " -/" for start in starts), said
            block = block.next()


def test_what_is_given_stays_on_the_line(qtbot: QtBot) -> None:
    prose = Prose("Text")
    qtbot.addWidget(prose)
    prose.set_text(
        "one two three p(x|z) | and | bars, (|det J|) or KL(q ‖ p(z|x)) and (log p) for (k = 5,000)"
        " of (t-SNE) at (−1/(2σ²))"
    )
    prose.show()
    lines = set()
    for width in range(90, 240, 3):
        prose.resize(width, 200)
        QApplication.processEvents()
        layout = prose.document().firstBlock().layout()
        text = prose.document().firstBlock().text()
        spans = [layout.lineAt(n) for n in range(layout.lineCount())]
        lines |= {text[one.textStart() : one.textStart() + one.textLength()] for one in spans}
    assert any("p(x" in line for line in lines)
    assert all(line.count("(") == line.count(")") for line in lines)
