"""The program as a person starts it: on a real (virtual) screen, with all of MNIST."""

import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest

_LIMIT_S = 60


@pytest.mark.slow
def test_the_window_opens_decodes_trains_and_closes(
    monkeypatch: pytest.MonkeyPatch, xvfb_display: str
) -> None:
    monkeypatch.setenv("DISPLAY", xvfb_display)
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    program = [sys.executable, "-X", "faulthandler", __file__]
    result = subprocess.run(program, capture_output=True, text=True, timeout=4 * _LIMIT_S)
    assert result.stderr == "", "neither Qt nor Python has anything to complain about"
    assert result.stdout.splitlines() == ["opened", "decoded", "trained", "closed"]
    assert result.returncode == 0


def drive() -> None:
    """What the test does in a process of its own."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QImage
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QPushButton

    from vae_explorer.gui.app import start
    from vae_explorer.gui.explore.decode.digit_view import DigitView
    from vae_explorer.gui.main_thread import run_events
    from vae_explorer.session.training.events import Phase, Progress
    from vae_explorer.training.history import HistoryPoint
    from vae_explorer.training.recipe import Recipe

    def wait(what: str, condition: Callable[[], object]) -> None:
        limit = time.monotonic() + _LIMIT_S
        while not condition():
            if time.monotonic() > limit:
                sys.exit(f"waited in vain for {what}")
            run_events(20)

    _app, window = start()
    wait("the points of the map", lambda: window.app.map.points is not None)
    points = window.app.map.points
    assert points is not None
    assert points.positions.shape == (60_000, 2)
    assert window.isVisible()
    assert "mnist-elbo" in window.windowTitle()
    sys.stdout.write("opened\n")

    canvas, left = window.map.canvas, Qt.MouseButton.LeftButton
    QTest.mouseClick(canvas, left, pos=canvas.rect().center())
    wait("the cursor to move", lambda: window.app.cursor.position != (0.0, 0.0))
    run_events(100)
    views = window.decode.findChildren(DigitView)
    digit = next(view for view in views if view.accessibleName() == "Decoded image")
    image = digit.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    pixels = np.frombuffer(image.constBits(), np.uint8)
    assert pixels.max() > 150, "there is ink"
    assert len(np.unique(pixels)) > 50
    sys.stdout.write("decoded\n")

    figures: list[HistoryPoint] = []

    def note(event: object) -> None:
        if isinstance(event, Progress):
            figures.extend(event.points)

    window.app.training.events.connect(note)
    window.training.set_recipe(
        Recipe(
            epochs=100,
            batch_size=1_000,
            encoder_hidden="32",
            decoder_hidden="32",
            validation_images=500,
        )
    )
    buttons = window.training.findChildren(QPushButton)
    QTest.mouseClick(next(button for button in buttons if button.text() == "Start"), left)
    wait("a held-out figure", lambda: [p for p in figures if p.held_out_elbo is not None])
    assert len(figures) >= 2
    assert window.app.training.status.phase is Phase.RUNNING
    sys.stdout.write("trained\n")

    assert window.close()
    assert not window.isVisible()
    sys.stdout.write("closed\n")


if __name__ == "__main__":
    drive()
