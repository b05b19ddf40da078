"""A run as it goes on, its past, its steps in slow motion, and all the runs there are."""

from functools import partial

from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.screenshots.camera import ALWAYS_ON, SETTLE_MS, SIZES, Camera, wait
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe

_EPOCHS = 3
_PAUSED_AT = 1.2
_SWEEP = ("beta", "0.5, 8"), ("seed", "0:3")


def take(camera: Camera) -> None:
    """Take all of them."""
    window, app = camera.window, camera.window.app
    time_machine = app.runs.timeline
    if app.pins.current is None:
        app.pinning.pin(7)
    camera.show_layers(ALWAYS_ON)
    window.actions_["layout_train"].trigger()
    window.training.set_recipe(Recipe(epochs=_EPOCHS))
    window.actions_["start"].trigger()
    wait(lambda: app.training.status.epoch > _PAUSED_AT)
    camera.both_sizes("train-live", moving=True)
    app.training.pause()
    wait(lambda: app.training.status.phase is Phase.PAUSED)
    wait(lambda: _whole(camera))
    camera.both_sizes("train")
    _slow_motion(camera)
    app.layers.choose("flow", "since", "start")
    camera.layer("flow")
    camera.show_layers(ALWAYS_ON)
    window.actions_["layout_train"].trigger()
    time_machine.show(time_machine.frames[len(time_machine.frames) // 3].step)
    wait(lambda: app.model.snapshot is not None and app.model.snapshot.step == _shown(camera))
    camera.both_sizes("train-scrubbed")
    time_machine.return_live()
    app.training.stop()
    wait(lambda: not app.training.active)
    _runs(camera)
    _sweep(camera)


def _slow_motion(camera: Camera) -> None:
    """Each stage of the next step."""
    window = camera.window
    slow, training = window.slow_motion, window.app.training
    window.actions_["slow_motion"].trigger()
    wait(lambda: slow.stages > 0 and training.status.phase is Phase.PAUSED)
    window.resize(*SIZES[0])
    for stage in range(slow.stages):
        camera.both_schemes(f"slow-{stage + 1}", partial(slow.set_stage, stage))


def _runs(camera: Camera) -> None:
    """All runs, with their curves beside those of the present one."""
    camera.window.actions_["runs"].trigger()
    run_events(SETTLE_MS)
    camera.both_sizes("runs")


def _sweep(camera: Camera) -> None:
    """A small sweep, when it is done."""
    sweeps = camera.window.app.sweeps
    small = Recipe(epochs=1).replace(encoder_hidden="128", decoder_hidden="128")
    camera.window.actions_["sweep"].trigger()
    sweeps.start(small, _SWEEP)
    wait(lambda: not sweeps.running)
    wait(lambda: all(chart.plot.marks for chart in camera.window.sweep.findChildren(Chart)))
    camera.both_sizes("sweep")


def _whole(camera: Camera) -> bool:
    """After the moving sample of the images, all of them."""
    points = camera.window.app.map.points
    return points is not None and len(points.positions) == points.total


def _shown(camera: Camera) -> int:
    frame = camera.window.app.runs.timeline.shown
    return frame.step if frame else -1
