"""A painter left open by an exception ends the process at the next paint event."""

import re
from pathlib import Path

from vae_explorer import gui


def test_every_painter_is_closed_by_a_with() -> None:
    folder = Path(gui.__path__[0])
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.rglob("*.py")}
    made = {name for name, text in texts.items() if re.search(r"\bQPainter\([^)]", text)}
    left_open = {
        name
        for name, text in texts.items()
        if re.search(r"^(?!.*\bwith QPainter\().*\bQPainter\([^)]", text, re.MULTILINE)
    }
    assert len(made) > 20
    assert not left_open
