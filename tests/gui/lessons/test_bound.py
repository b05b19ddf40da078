"""The bound under the hand."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QKeySequence, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from tests.support.lessons import Clock, Shown, no_model
from tests.support.stand_ins import Failures, InlineExecutor
from vae_explorer.gui.lessons.bound import BoundView
from vae_explorer.gui.lessons.bound_plane import Handle
from vae_explorer.gui.theme import DARK, LIGHT, Theme
from vae_explorer.latent.normal import Normal
from vae_explorer.number_format import figure
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.lessons.bound import BoundExperiment
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.tasks import Tasks


@pytest.fixture
def tasks() -> Tasks:
    """Work is done, and answered, as soon as it is asked for."""
    return Tasks(Jobs(lambda call: call(), lambda _: InlineExecutor()), Failures())


@pytest.fixture
def experiment(context: LessonContext) -> Iterator[BoundExperiment]:
    made = BoundExperiment(context)
    yield made
    made.hide()


@pytest.fixture
def view(shown: Shown, experiment: BoundExperiment) -> BoundView:
    """Shown, with q twice as wide as the posterior."""
    made = shown(BoundView(experiment))
    experiment.set_state({"q": "moments", "scale": 2.0})
    QApplication.processEvents()
    return made


def at(view: BoundView, handle: Handle) -> QPointF:
    """The pixel of a handle."""
    return view.plane.to_pixel(*view.plane.handles[handle])


def scale(view: BoundView) -> float:
    """Pixels per latent unit."""
    left, right, _, _ = view.plane.region
    return view.plane.frame.width() / (right - left)


def drag(view: BoundView, handle: Handle, by: QPointF) -> None:
    """Take hold of a handle and move it by some pixels."""
    plane, left = view.plane, Qt.MouseButton.LeftButton
    start = at(view, handle)
    QTest.mousePress(plane, left, pos=start.toPoint())
    for share in (0.5, 1.0):
        position = QPointF(start.toPoint()) + by * share
        held, none = left, Qt.KeyboardModifier.NoModifier
        spot = QPointF(plane.mapToGlobal(position))
        event = QMouseEvent(QEvent.Type.MouseMove, position, spot, held, held, none)
        QApplication.sendEvent(plane, event)
    QTest.mouseRelease(plane, left, pos=start.toPoint())


def q_of(view: BoundView) -> Normal:
    q = view.plane.q
    assert q is not None
    return q


def test_the_middle_moves_q_by_what_the_hand_moves(view: BoundView) -> None:
    before = q_of(view)
    drag(view, Handle.CENTRE, QPointF(30, -20))
    after = q_of(view)
    assert after.mean[0] - before.mean[0] == pytest.approx(30 / scale(view), abs=1e-9)
    assert after.mean[1] - before.mean[1] == pytest.approx(20 / scale(view), abs=1e-9)
    assert after.widths == before.widths
    assert after.angle == pytest.approx(before.angle)


@pytest.mark.parametrize(("handle", "axis"), [(Handle.FIRST, 0), (Handle.SECOND, 1)])
def test_a_square_handle_widens_its_axis_alone(view: BoundView, handle: Handle, axis: int) -> None:
    """The handles stand at two standard deviations."""
    before = q_of(view)
    angle = before.angle + axis * math.pi / 2
    drag(view, handle, QPointF(40 * math.cos(angle), -40 * math.sin(angle)))
    after = q_of(view)
    assert after.widths[axis] - before.widths[axis] == pytest.approx(20 / scale(view), rel=1e-6)
    assert after.widths[1 - axis] == before.widths[1 - axis]
    assert after.mean == before.mean
    assert after.angle == pytest.approx(before.angle)


def test_the_knob_turns_q(view: BoundView, experiment: BoundExperiment) -> None:
    experiment.set_q(replace(q_of(view), angle=0.0))
    reach = at(view, Handle.TURN).x() - at(view, Handle.CENTRE).x()
    drag(view, Handle.TURN, QPointF(0, -reach))
    after = q_of(view)
    assert after.angle == pytest.approx(math.pi / 4, abs=0.02)


def test_a_narrow_q_can_still_be_held(view: BoundView, experiment: BoundExperiment) -> None:
    experiment.set_q(replace(q_of(view), widths=(0.003, 0.003)))
    experiment.set(view=(-3, 3, -3, 3))
    assert [view.plane.handle_under(at(view, handle)) for handle in Handle] == list(Handle)
    for width in (0.006, 0.012):
        drag(view, Handle.FIRST, QPointF(18, 0))
        assert q_of(view).widths[0] == pytest.approx(width, rel=0.1)


def test_a_moved_view_is_pictured_again(
    view: BoundView, qtbot: QtBot, experiment: BoundExperiment
) -> None:
    before, q = experiment.result.picture, q_of(view)
    corner = view.plane.frame.topLeft() + QPointF(20, 20)
    assert view.plane.handle_under(corner) is None
    QTest.mousePress(view.plane, Qt.MouseButton.LeftButton, pos=corner.toPoint())
    QTest.mouseMove(view.plane, (corner + QPointF(50, 0)).toPoint())
    QTest.mouseRelease(view.plane, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: experiment.result.picture is not before)

    def covered() -> None:
        assert experiment.result.picture is not None
        (left, right, _, _), (first, last, _, _) = experiment.result.picture.region, view.plane.view
        assert left < first < last < right
        assert (left + right) / 2 == pytest.approx((first + last) / 2)

    qtbot.waitUntil(covered)
    assert q_of(view) is q
    QTest.keyClick(view.plane, Qt.Key.Key_Home)
    assert view.plane.region != pytest.approx(experiment.result.picture.region)


def test_the_bars_follow_and_add_up(view: BoundView, experiment: BoundExperiment) -> None:
    assert experiment.result.bound is not None
    before = experiment.result.bound
    drag(view, Handle.CENTRE, QPointF(40, 30))
    after = experiment.result.bound
    assert after.kl_posterior > before.kl_posterior
    assert after.elbo + after.kl_posterior == pytest.approx(after.log_marginal, abs=1e-3)
    bars = view.bars
    sum_of = f"= {figure(after.elbo, 3)} + {figure(after.kl_posterior, 3)}"
    assert bars.accessibleName().endswith(sum_of)
    elbo, end = (bars.to_pixel(nats, -2.2).toPoint() for nats in (after.elbo, after.log_marginal))
    assert elbo.x() < end.x()
    drawn, aside = bars.grab().toImage(), QPoint(4, 0)
    assert drawn.pixelColor(elbo - aside) == QColor(LIGHT.accent)
    assert drawn.pixelColor(elbo + aside) == QColor(LIGHT.held_out)
    assert drawn.pixelColor(end - aside) == QColor(LIGHT.held_out)
    assert drawn.pixelColor(end + aside) != QColor(LIGHT.held_out)


def test_widening_by_the_keyboard_pulls_both_ways(
    view: BoundView, experiment: BoundExperiment
) -> None:
    view.plane.setFocus()
    before = experiment.result.bound
    QTest.keyClicks(view.plane, "++")
    after = experiment.result.bound
    assert before is not None
    assert after is not None
    assert after.q.widths[0] == pytest.approx(1.21 * before.q.widths[0])
    assert after.log_likelihood < before.log_likelihood
    assert after.kl_prior < before.kl_prior


@pytest.mark.parametrize(("key", "what"), [("]", "first"), ("}", "second"), (",", "angle")])
def test_a_key_changes_one_thing(view: BoundView, key: str, what: str) -> None:
    before = q_of(view)
    QTest.keyClicks(view.plane, key)
    after = q_of(view)
    changed = {
        "first": after.widths[0] > before.widths[0],
        "second": after.widths[1] > before.widths[1],
        "angle": after.angle > before.angle,
    }
    assert [name for name, is_so in changed.items() if is_so] == [what]


@pytest.mark.parametrize(
    ("key", "same"),
    [
        ("PgUp", "+"),
        ("PgDown", "-"),
        ("Shift+PgUp", "]"),
        ("Shift+PgDown", "["),
        ("End", ","),
        ("Shift+End", "."),
    ],
)
def test_keys_that_every_keyboard_has_do_the_same(view: BoundView, key: str, same: str) -> None:
    steps = [q_of(view)]
    QTest.keySequence(view.plane, QKeySequence(key))
    steps.append(q_of(view))
    QTest.keyClicks(view.plane, same)
    steps.append(q_of(view))
    widths, angles = [q.widths for q in steps], [q.angle for q in steps]
    assert np.divide(widths[1], widths[0]) == pytest.approx(np.divide(widths[2], widths[1]))
    assert angles[1] - angles[0] == pytest.approx(angles[2] - angles[1])
    assert steps[1] != steps[0]


def test_arrows_move_q(view: BoundView) -> None:
    before = q_of(view)
    QTest.keyClick(view.plane, Qt.Key.Key_Right)
    QTest.keyClick(view.plane, Qt.Key.Key_Up)
    after, step = q_of(view), min(before.widths) / 2
    assert np.subtract(after.mean, before.mean) == pytest.approx([step, step])


def test_buttons_put_q(view: BoundView, experiment: BoundExperiment) -> None:
    assert experiment.result.truth is not None
    for name, expected in (
        ("encoder", experiment.result.truth.encoder),
        ("moments", experiment.result.truth.moments),
    ):
        button = view.controls[name]
        assert isinstance(button, QPushButton)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert q_of(view) == expected
        assert all(view.plane.frame.contains(at(view, handle)) for handle in Handle)


def test_refining_by_the_button(view: BoundView, experiment: BoundExperiment, clock: Clock) -> None:
    refine = view.controls["refine"]
    assert isinstance(refine, QPushButton)
    QTest.mouseClick(refine, Qt.MouseButton.LeftButton)
    assert refine.text() == "Stop"
    for _ in range(3):
        clock.tick()
    QTest.mouseClick(refine, Qt.MouseButton.LeftButton)
    assert refine.text() == "Refine"
    clock.tick()
    assert clock.waiting == []
    assert not experiment.result.refining


def test_hidden_controls_and_rows(view: BoundView) -> None:
    whole = view.bars.height()
    view.set_hidden({"encoder", "terms", "gap"})
    QApplication.processEvents()
    assert view.controls["encoder"].isHidden()
    assert not view.controls["moments"].isHidden()
    assert view.bars.height() < whole
    view.set_hidden(())
    QApplication.processEvents()
    assert not view.controls["encoder"].isHidden()
    assert view.bars.height() == whole


def test_the_posterior_is_pictured_in_both_themes(
    view: BoundView, qtbot: QtBot, experiment: BoundExperiment, show_theme: Callable[[Theme], None]
) -> None:
    assert experiment.result.truth is not None
    before = experiment.result.picture
    experiment.put("prior")
    experiment.set_state({"q": "moments", "scale": 3.0})
    qtbot.waitUntil(lambda: experiment.result.picture is not before)
    inside = view.plane.to_pixel(*experiment.result.truth.moments.mean) + QPointF(12, 0)
    colors = []
    for theme in (LIGHT, DARK):
        show_theme(theme)
        color = view.plane.grab().toImage().pixelColor(inside.toPoint())
        assert color != QColor(theme.canvas)
        colors.append(color.name())
    assert colors[0] != colors[1]


def test_it_waits_for_the_truth(qtbot: QtBot, experiment: BoundExperiment, view: BoundView) -> None:
    no_model(experiment.context)
    assert view.plane.q is None
    view.plane.setFocus()
    QTest.keyClick(view.plane, Qt.Key.Key_Right)
    QTest.mouseClick(view.plane, Qt.MouseButton.LeftButton, pos=view.plane.rect().center())
    assert not view.grab().isNull()
    assert view.plane.q is None


def test_bars_that_answer_a_question_wait(view: BoundView) -> None:
    view.set_hidden({"kl_post"})
    assert "Answer the question" in view.bars.plot.note
    assert "KL(q ‖ p(z|x))" not in view.bars.accessibleName()
    view.set_hidden(())
    assert "KL(q ‖ p(z|x))" in view.bars.accessibleName()
