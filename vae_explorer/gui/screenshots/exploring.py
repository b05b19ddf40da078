"""The map, its layers, paths, a drawing, a refinement, the palette and a comparison."""

from functools import partial

from vae_explorer.gui.compare.window import CompareWindow
from vae_explorer.gui.dialogs.palette import CommandPalette
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.screenshots.camera import ALWAYS_ON, SETTLE_MS, SIZES, Camera, wait
from vae_explorer.paths import bundled_checkpoint
from vae_explorer.session.explore.refinement import RefinementStep
from vae_explorer.session.map.layers import LAYERS

PINNED_ROWS = (7, 2_001)
_FRAMES = 24
_DRAWN_ROW = 15


def take(camera: Camera) -> None:
    """Take all of them."""
    window = camera.window
    for row in PINNED_ROWS:
        window.app.pinning.pin(row, add=True)
    window.actions_["layout_explore"].trigger()
    camera.both_sizes("explore")
    for spec in LAYERS:
        if spec.id not in ("points", "flow", "path", "refined"):
            camera.layer(spec.id)
    camera.show_layers(ALWAYS_ON | {"path", "refined"})
    for part in (_paths, _drawing, _refinement, _palette, _comparison):
        part(camera)
    camera.show_layers(ALWAYS_ON)


def _paths(camera: Camera) -> None:
    """The shortest way between the pinned digits, and the straight one."""
    playback = camera.window.app.playback
    camera.window.actions_["layout_travel"].trigger()
    for kind in ("geodesic", "straight"):
        came: list[object] = []
        playback.path_changed.connect(came.append)
        playback.choose(kind, _FRAMES, False)
        wait(partial(bool, came))
        playback.path_changed.disconnect(came.append)
        camera.both_sizes(f"path-{kind}")
    playback.choose("", _FRAMES, False)


def _drawing(camera: Camera) -> None:
    """A digit on the pad, which is one of the data, enlarged."""
    window = camera.window
    window.actions_["layout_explore"].trigger()
    window.docks.show("draw")
    ink = window.app.map.thumbnail(_DRAWN_ROW).image.repeat(10, 0).repeat(10, 1)
    window.draw.pad.set_image(ink)
    window.draw.drawn.emit(ink)
    run_events(SETTLE_MS)
    camera.both_sizes("draw")
    window.draw.cleared.emit()


def _refinement(camera: Camera) -> None:
    """The encoder's guess, on the way, and the best there is."""
    app = camera.window.app
    refinement = app.refinement
    camera.window.docks.show("refine")
    app.layers.set_on("posterior", on=True)
    for name, share in (("start", 0.0), ("middle", 0.08), ("end", 1.0)):
        steps: list[RefinementStep] = []
        refinement.stepped.connect(steps.append)
        refinement.start()
        wait(partial(_reached, steps, share))
        refinement.stop()
        refinement.stepped.disconnect(steps.append)
        camera.both_sizes(f"refine-{name}", camera.show_near)


def _reached(steps: list[RefinementStep], share: float) -> bool:
    return bool(steps) and steps[-1].step >= share * steps[-1].steps


def _palette(camera: Camera) -> None:
    camera.window.docks.show("decode")
    camera.widget("palette", partial(_open_palette, camera))
    _open_palette(camera).close()


def _open_palette(camera: Camera) -> CommandPalette:
    camera.window.actions_["palette"].trigger()
    palette = camera.window.findChild(CommandPalette)
    assert palette is not None
    return palette


def _comparison(camera: Camera) -> None:
    """The model on the map beside another."""
    camera.window.actions_["compare"].trigger()
    compare = camera.window.findChild(CompareWindow)
    assert compare is not None
    compare.model_chosen.emit("B", bundled_checkpoint().with_name("mnist-iwae.safetensors"))
    run_events(4 * SETTLE_MS)
    for width, height in SIZES:
        compare.resize(width, height)
        camera.widget(f"compare-{width}x{height}", lambda: compare)
    compare.close()
