"""The first and the last step of each lesson."""

from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.screenshots.camera import SETTLE_MS, Camera

_COMPUTE_MS = 4 * SETTLE_MS


def take(camera: Camera) -> None:
    """Take all of them."""
    window = camera.window
    learning = window.app.learning
    if window.app.pins.current is None:
        window.app.pinning.pin(7)
    window.actions_["layout_learn"].trigger()
    for lesson in learning.lessons:
        learning.open(lesson.id)
        for name, number in (("first", 0), ("last", len(lesson.steps) - 1)):
            learning.go(number)
            run_events(_COMPUTE_MS)
            camera.both_sizes(f"lesson-{lesson.id}-{name}", lambda: None)
    window.actions_["layout_explore"].trigger()
