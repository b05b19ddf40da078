from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.gui.widgets.rows import beside, label_of, row


def test_the_room_left_over_goes_to_the_wide_one_or_to_none(qtbot: QtBot) -> None:
    def widths(*positions: int | None, wide: int | None = None) -> list[int]:
        page, buttons = QWidget(), [QPushButton("A"), QPushButton("B")]
        qtbot.addWidget(page)
        page.setLayout(
            row(
                *(None if at is None else buttons[at] for at in positions),
                wide=None if wide is None else buttons[wide],
            )
        )
        page.resize(600, 40)
        page.show()
        return [button.width() for button in buttons]

    first, second = widths(0, None, 1)
    assert first == second < 200
    first, second = widths(0, 1, wide=0)
    assert first > 2 * second


def test_beside_has_no_margins_and_a_label_its_editor(qtbot: QtBot) -> None:
    button = QPushButton("A")
    whole = beside(label_of(button, "&Which"), button)
    qtbot.addWidget(whole)
    assert whole.sizeHint().height() == button.sizeHint().height()
    assert label_of(button, "&Which").buddy() is button
