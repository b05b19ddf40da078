"""Runs whose figures are numbers that nothing can be drawn with: listed, opened and drawn."""

import dataclasses
from functools import partial

from tests.support.person import Person
from vae_explorer import paths
from vae_explorer.gui.curves.plots import ElboPlot
from vae_explorer.training.checkpoint import write_checkpoint
from vae_explorer.training.history import HistoryPoint, to_csv
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot

INFINITE, NAN = float("inf"), float("nan")
EXTREME = (5e-324, -1e-310, 1e308, -1.7e308, INFINITE, -INFINITE, NAN)


def history(a: float, b: float) -> tuple[HistoryPoint, ...]:
    first = HistoryPoint(0.5, a, b, a, b, step=5, learning_rate=a, gradient_norm=b, seconds=b)
    figures = dict.fromkeys(("elbo", "log_likelihood", "kl", "objective", "held_out_elbo"), b)
    more = dict.fromkeys(("held_out_log_likelihood", "held_out_kl", "held_out_log_marginal"), a)
    return first, HistoryPoint(1.0, step=10, **figures, **more)  # type: ignore[arg-type]


def make_run(snapshot: Snapshot, points: tuple[HistoryPoint, ...]) -> RunFolder:
    run = RunFolder.create(paths.runs(), snapshot.recipe)
    (run.path / run.HISTORY).write_text(to_csv(points))
    write_checkpoint(dataclasses.replace(snapshot, history=points), run.model_path)
    return run


def shows(plot: ElboPlot, history: str) -> bool:
    return str(tuple(plot.history.points)) == history  # NaN is not equal to itself


def test_a_run_of_extreme_figures_is_shown(person: Person, trained: Snapshot) -> None:
    window = person.window
    person.trigger("runs")
    for a, b in zip(EXTREME, (*EXTREME[3:], *EXTREME[:3]), strict=True):
        run = make_run(trained, history(a, b))
        window.app.model.open(run.model_path)
        person.wait(partial(shows, window.curves, str(run.history())))
        window.grab()
    assert not person.errors
