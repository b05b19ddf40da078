from typing import Any

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tests.support.dialogs import ARGUMENTS, Open
from vae_explorer.gui.dialogs.form import FormDialog


@pytest.fixture
def answers() -> list[tuple[object, ...]]:
    """What the forms were accepted with."""
    return []


@pytest.fixture
def opened(qtbot: QtBot, answers: list[tuple[object, ...]]) -> Open:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()

    def opened(kind: type[Any], *arguments: object) -> FormDialog:
        dialog: FormDialog = kind(*(arguments or ARGUMENTS[kind]), parent)
        with qtbot.waitExposed(dialog):
            dialog.ask(lambda *values: answers.append(values))
        return dialog

    return opened
