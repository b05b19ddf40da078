from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from vae_explorer.gui.lessons.prose import Prose
from vae_explorer.gui.theme import DARK, LIGHT, SchemeChoice, apply_scheme


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
