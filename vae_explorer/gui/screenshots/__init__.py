"""Pictures of the real window, for the README and for looking at.

``python -m vae_explorer.gui.screenshots FOLDER [TOPIC…]`` drives the window through its views and
saves each at two sizes, light and dark. Topics are "exploring", "training", "learning" and
"export"; all, if none is named.
"""

from importlib import import_module
from pathlib import Path

from vae_explorer.gui.app import start
from vae_explorer.gui.screenshots.camera import Camera

TOPICS = ("exploring", "training", "learning", "export")


def take(folder: Path, topics: tuple[str, ...] = TOPICS) -> list[Path]:
    """Take the pictures of some topics; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    _, window = start()
    camera = Camera(window, folder)
    for topic in topics:
        import_module(f"vae_explorer.gui.screenshots.{topic}").take(camera)
    window.close()
    window.deleteLater()
    return camera.files
