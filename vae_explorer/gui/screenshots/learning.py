"""The lessons."""

from vae_explorer.gui.screenshots.camera import Camera


def take(camera: Camera) -> None:
    """Take the learn layout."""
    camera.window.actions_["layout_learn"].trigger()
    camera.both_sizes("learn", camera.show_near)
