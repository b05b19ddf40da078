import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QToolButton
from pytestqt.qtbot import QtBot

from vae_explorer.gui.training.stop_rule_form import StopRuleForm
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.training.stopping import StopRule

RULE = StopRule(epoch=2.5, seconds=90.0, elbo=-141.5, plateau=3)


@pytest.fixture
def form(qtbot: QtBot) -> StopRuleForm:
    form = StopRuleForm()
    qtbot.addWidget(form)
    form.resize(320, 160)
    with qtbot.waitExposed(form):
        form.show()
    return form


def header(form: StopRuleForm) -> QToolButton:
    (found,) = form.findChildren(QToolButton)
    return found


def check(form: StopRuleForm, text: str) -> QCheckBox:
    return next(box for box in form.findChildren(QCheckBox) if box.text() == text)


def editor(form: StopRuleForm, name: str) -> NumberBox:
    boxes: list[NumberBox] = [
        *form.findChildren(NumberBox),
        *form.findChildren(NumberBox),
    ]
    return next(box for box in boxes if box.accessibleName() == name)


def test_no_run_is_stopped_at_first(form: StopRuleForm) -> None:
    assert form.rule() == StopRule()
    assert header(form).text() == "Stop early: never"
    assert not check(form, "At epoch").isVisible()


def test_it_unfolds_by_keyboard(qtbot: QtBot, form: StopRuleForm) -> None:
    with qtbot.waitSignal(form.toggled):
        qtbot.keyClick(header(form), Qt.Key.Key_Space)
    assert check(form, "At epoch").isVisible()
    qtbot.keyClick(header(form), Qt.Key.Key_Space)
    assert not check(form, "At epoch").isVisible()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("At epoch", StopRule(epoch=10.0)),
        ("After", StopRule(seconds=300.0)),
        ("At held-out ELBO", StopRule(elbo=-150.0)),
        ("On a plateau of", StopRule(plateau=5)),
    ],
)
def test_a_check_box_makes_its_number_matter(
    qtbot: QtBot, form: StopRuleForm, text: str, rule: StopRule
) -> None:
    header(form).click()
    assert not editor(form, text).isEnabled()
    with qtbot.waitSignal(form.rule_changed) as told:
        check(form, text).click()
    assert told.args == [rule]
    assert editor(form, text).isEnabled()
    with qtbot.waitSignal(form.rule_changed) as told:
        check(form, text).click()
    assert told.args == [StopRule()]


def test_a_typed_number_counts_when_it_is_complete(qtbot: QtBot, form: StopRuleForm) -> None:
    header(form).click()
    check(form, "At held-out ELBO").click()
    box = editor(form, "At held-out ELBO")
    box.setFocus()
    box.selectAll()
    with qtbot.assertNotEmitted(form.rule_changed):
        qtbot.keyClicks(box, "-141.5")
    with qtbot.waitSignal(form.rule_changed) as told:
        qtbot.keyClick(box, Qt.Key.Key_Return)
    assert told.args == [StopRule(elbo=-141.5)]


def test_a_rule_is_shown_and_not_echoed(qtbot: QtBot, form: StopRuleForm) -> None:
    with qtbot.assertNotEmitted(form.rule_changed):
        form.set_rule(RULE)
    assert form.rule() == RULE
    assert header(form).text() == "Stop early: epoch 2.5, 90 s, ELBO −141.5, plateau 3"
    form.set_rule(StopRule())
    assert form.rule() == StopRule()
    assert editor(form, "At epoch").value() == 2.5
