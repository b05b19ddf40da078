import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from tests.support.widgets import expose, type_over
from vae_explorer.errors import RecipeError
from vae_explorer.fields import FieldSpec
from vae_explorer.gui.training.recipe_form import CHANGED, FIRST_FIELDS, LIVE, RecipeForm
from vae_explorer.gui.widgets.editors import Editor, SizesBox
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.training.recipe import STEERABLE, Recipe

SPECS = Recipe.specs()


def _values(name: str) -> st.SearchStrategy[int | float | str]:
    spec, default = SPECS[name], getattr(Recipe(), name)
    if spec.choices:
        return st.sampled_from(spec.choices)
    if spec.sizes:
        sizes = st.lists(st.integers(int(spec.low), int(spec.high)), min_size=1, max_size=16)
        return sizes.map(lambda stack: "-".join(map(str, stack)))
    if isinstance(default, int):
        return st.integers(int(spec.low), int(spec.high))
    # Nobody means 1e-310, and Qt cannot write all of its digits.
    return st.floats(spec.low, spec.high, allow_subnormal=False).filter(
        lambda value: value == 0 or value > 1e-300
    )


RECIPES = st.fixed_dictionaries({name: _values(name) for name in SPECS}).map(Recipe.from_dict)


@pytest.fixture
def form(qtbot: QtBot) -> RecipeForm:
    form = RecipeForm()
    qtbot.addWidget(form)
    return form


def editor_of(form: RecipeForm, name: str) -> Editor:
    label = next(label for label in form.findChildren(QLabel) if label.text() == SPECS[name].label)
    editor = label.buddy()
    assert isinstance(editor, Editor)
    return editor


def number_of(form: RecipeForm, name: str) -> NumberBox:
    editor = editor_of(form, name)
    assert isinstance(editor, NumberBox)
    return editor


def mark_of(form: RecipeForm, name: str) -> str:
    tip = editor_of(form, name).toolTip()
    marks = [mark for mark in form.findChildren(QLabel) if mark.toolTip() == tip]
    return next(mark for mark in marks if mark.buddy() is None).text()


def enabled(form: RecipeForm) -> set[str]:
    return {name for name in SPECS if editor_of(form, name).isEnabled()}


def visible(form: RecipeForm) -> set[str]:
    return {name for name in SPECS if editor_of(form, name).isVisible()}


def used(objective: str) -> set[str]:
    return {name for name, spec in SPECS.items() if spec.applies(Recipe(objective=objective))}


def test_every_field_is_explained_and_has_an_editor_with_its_bounds(form: RecipeForm) -> None:
    for name, spec in SPECS.items():
        editor, default = editor_of(form, name), getattr(Recipe(), name)
        if isinstance(editor, QComboBox):
            assert tuple(editor.itemText(i) for i in range(editor.count())) == spec.choices
        elif isinstance(editor, SizesBox):
            assert spec.sizes
            assert editor.text() == default
        else:
            assert (editor.minimum(), editor.maximum()) == (spec.low, spec.high)
            assert editor.suffix().strip() == spec.unit
            assert editor.whole == isinstance(default, int), name
        assert spec.help in editor.toolTip()
        assert name in editor.toolTip()
        said = QAccessible.queryAccessibleInterface(editor)
        assert spec.help in said.text(QAccessible.Text.Description)
        if isinstance(editor, QComboBox):  # named after its choice on Linux, labelled by relation
            ((said, _),) = said.relations(QAccessible.RelationFlag.Label)
        assert said.text(QAccessible.Text.Name) == spec.label
    assert "1 to 10,000 epochs" in editor_of(form, "epochs").toolTip()
    assert "1e-06 to 1" in editor_of(form, "learning_rate").toolTip()
    sizes = "1 to 16 sizes, 1 to 8,192 units each, such as 512-256"
    assert sizes in editor_of(form, "encoder_hidden").toolTip()
    assert "binarized | gray | threshold | fixed" in editor_of(form, "treatment").toolTip()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(recipe=RECIPES)
def test_any_recipe_comes_back_unchanged(form: RecipeForm, recipe: Recipe) -> None:
    form.set_recipe(recipe)
    assert form.recipe() == recipe


def test_setting_a_recipe_is_not_a_change(qtbot: QtBot, form: RecipeForm) -> None:
    def last(name: str, spec: FieldSpec) -> object:
        kind = int if spec.sizes else type(getattr(Recipe(), name))
        return spec.choices[-1] if spec.choices else kind(spec.high)

    every_field = Recipe.from_dict({name: last(name, spec) for name, spec in SPECS.items()})
    with qtbot.assertNotEmitted(form.recipe_changed):
        form.set_recipe(every_field)
        form.set_base(every_field)
        form.set_editable(False)
        form.set_editable(True)
        form.set_columns(2)
    assert form.recipe() == every_field


def test_a_change_of_any_field_is_told(qtbot: QtBot, form: RecipeForm) -> None:
    for name in (name for name, spec in SPECS.items() if len(spec.choices) != 1):
        form.set_recipe(Recipe())
        editor = editor_of(form, name)
        with qtbot.waitSignal(form.recipe_changed) as told:
            if isinstance(editor, QComboBox):
                editor.setCurrentIndex((editor.currentIndex() + 1) % editor.count())
            elif isinstance(editor, SizesBox):
                type_over(qtbot, editor, "64-32")
                qtbot.keyClick(editor, Qt.Key.Key_Return)
            else:
                editor.stepBy(1)
        changed: Recipe = told.args[0]
        assert [f for f in SPECS if getattr(changed, f) != getattr(Recipe(), f)] == [name]


def test_typing_a_learning_rate(qtbot: QtBot, form: RecipeForm) -> None:
    editor = number_of(form, "learning_rate")
    editor.selectAll()
    with qtbot.assertNotEmitted(form.recipe_changed):
        qtbot.keyClicks(editor, "3e-4")
    with qtbot.waitSignal(form.recipe_changed) as told:
        recipe = form.recipe()
    assert recipe.learning_rate == 3e-4
    assert told.args == [recipe]


def test_what_is_not_understood_never_starts_a_run(qtbot: QtBot, form: RecipeForm) -> None:
    beta = number_of(form, "beta")
    type_over(qtbot, beta, "1.2.3")
    with pytest.raises(RecipeError, match="β: “1.2.3” is not a number"):
        form.recipe()
    type_over(qtbot, beta, "1,5")
    assert form.recipe().beta == 1.5


def test_half_typed_sizes_never_reach_a_recipe(qtbot: QtBot, form: RecipeForm) -> None:
    editor = editor_of(form, "decoder_hidden")
    assert isinstance(editor, SizesBox)
    editor.selectAll()
    with qtbot.assertNotEmitted(form.recipe_changed):
        qtbot.keyClicks(editor, "64-")
        assert form.recipe() == Recipe()
    assert editor.text() == Recipe().decoder_hidden
    type_over(qtbot, editor, "64-32")
    with qtbot.waitSignal(form.recipe_changed) as told:
        recipe = form.recipe()
    assert recipe.decoder_hidden == "64-32"
    assert told.args == [recipe]
    assert mark_of(form, "decoder_hidden") == "●"


def test_changed_fields_are_marked(form: RecipeForm) -> None:
    form.set_recipe(Recipe(epochs=40, schedule="constant"))
    assert mark_of(form, "epochs") == "●"
    assert "changed from 20 epochs" in editor_of(form, "epochs").toolTip()
    assert "changed from cosine" in editor_of(form, "schedule").toolTip()
    assert mark_of(form, "beta") == ""
    assert "changed" not in editor_of(form, "beta").toolTip()
    assert form.findChild(QToolButton).text() == "More (1 changed)"
    form.set_base(Recipe(epochs=40))
    assert (mark_of(form, "epochs"), mark_of(form, "schedule")) == ("", "●")
    form.set_recipe(Recipe(epochs=40))
    assert mark_of(form, "schedule") == ""
    assert form.findChild(QToolButton).text() == "More"
    for way, mark in ((1, "●"), (-1, "")):
        number_of(form, "seed").stepBy(way)
        assert mark_of(form, "seed") == mark


def test_more_shows_the_other_fields_by_keyboard(qtbot: QtBot, form: RecipeForm) -> None:
    expose(qtbot, form)
    more = form.findChild(QToolButton)
    assert visible(form) == set(FIRST_FIELDS)
    with qtbot.waitSignal(form.rest_toggled):
        qtbot.keyClick(more, Qt.Key.Key_Space)
    assert visible(form) == set(SPECS)
    qtbot.keyClick(more, Qt.Key.Key_Space)
    assert visible(form) == set(FIRST_FIELDS)


@pytest.mark.parametrize("columns", [1, 2])
def test_tab_goes_through_the_fields_in_their_order(
    qtbot: QtBot, form: RecipeForm, columns: int
) -> None:
    form.set_columns(columns)
    more = form.findChild(QToolButton)
    more.setChecked(True)
    expose(qtbot, form)
    others = [name for name in SPECS if name in used("elbo") - set(FIRST_FIELDS)]
    first, rest = ([editor_of(form, name) for name in names] for names in (FIRST_FIELDS, others))
    wanted = [*first, more, *rest]
    first[0].setFocus()
    visited: list[QWidget | None] = []
    for _ in wanted:
        visited.append(form.focusWidget())
        qtbot.keyClick(form.focusWidget(), Qt.Key.Key_Tab)
    assert visited == wanted


def test_two_columns_are_wide_and_one_is_tall(form: RecipeForm) -> None:
    one = form.sizeHint()
    form.set_columns(2)
    two = form.sizeHint()
    assert two.width() > 1.6 * one.width()
    assert two.height() < 0.8 * one.height()
    form.set_columns(1)
    assert form.sizeHint() == one


def test_a_run_locks_the_form_but_for_what_it_can_take(form: RecipeForm) -> None:
    form.set_editable(False)
    assert enabled(form) == set()
    assert form.findChild(QToolButton).isEnabled()
    form.set_editable(True)
    assert enabled(form) == used("elbo")
    form.set_editable(False, live=True)
    assert enabled(form) == set(STEERABLE)
    for name in SPECS:
        live = name in STEERABLE
        assert mark_of(form, name) == LIVE * live
        assert ("takes effect at the next step" in editor_of(form, name).toolTip()) == live
        assert form.locks(editor_of(form, name), live=True) != live
        assert form.locks(editor_of(form, name), live=False)
    form.set_editable(True)
    assert mark_of(form, "beta") == ""
    assert not form.locks(None, live=True)
    form.set_recipe(Recipe(objective="exact"))
    form.set_editable(False, live=True)
    assert "beta" not in enabled(form), "the objective does not use it"
    assert "learning_rate" in enabled(form)


def test_steering_tells_the_value_that_was_meant(qtbot: QtBot, form: RecipeForm) -> None:
    form.set_editable(False, live=True)
    editor = number_of(form, "samples")
    told: list[tuple[str, object]] = []
    form.steered.connect(lambda name, value: told.append((name, value)))
    with qtbot.waitSignal(form.steered):
        for _ in range(4):
            editor.stepBy(1)
    assert told == [("samples", 5)], "not each of the values on the way"
    assert type(told[0][1]) is int
    assert mark_of(form, "samples") == CHANGED + LIVE
    rate = number_of(form, "learning_rate")
    type_over(qtbot, rate, "3e-4")
    with qtbot.waitSignal(form.steered) as last:
        qtbot.keyClick(rate, Qt.Key.Key_Return)
    assert last.args == ["learning_rate", 3e-4]


def test_a_run_that_is_over_is_not_steered(qtbot: QtBot, form: RecipeForm) -> None:
    editor = number_of(form, "samples")
    with qtbot.assertNotEmitted(form.steered, wait=400):
        editor.stepBy(1)
        form.set_editable(False, live=True)
        editor.stepBy(1)
        form.set_editable(False)
        form.set_editable(True)
        form.set_recipe(Recipe(samples=7))


def test_the_field_under_keyboard_or_pointer_is_told(qtbot: QtBot, form: RecipeForm) -> None:
    expose(qtbot, form)
    told: list[str] = []
    form.pointed.connect(told.append)
    form.set_recipe(Recipe(learning_rate=0.01))
    editor_of(form, "learning_rate").setFocus()
    for part in ("Learning rate", "1e-06 to 1", "AdamW's peak step size.", "changed from 0.0015"):
        assert part in told[-1]
    QApplication.sendEvent(editor_of(form, "beta"), QEvent(QEvent.Type.Enter))
    assert "Weight of the KL term" in told[-1]
    QApplication.sendEvent(editor_of(form, "beta"), QEvent(QEvent.Type.Leave))
    assert "Learning rate" in told[-1]
    form.findChild(QToolButton).setFocus()
    assert told[-1] == ""


def test_only_the_fields_that_matter_to_the_objective_can_be_edited(form: RecipeForm) -> None:
    objectives = SPECS["objective"].names
    for objective in objectives:
        form.set_recipe(Recipe(objective=objective))
        assert enabled(form) == used(objective), objective
    assert "beta" in used("elbo") - used("exact")
    assert "lattice_points" not in used("iwae")
    assert form.recipe() == Recipe(objective=objectives[-1]), "what is not used is kept"
    for features in (0, 1):
        form.set_recipe(Recipe(fourier_features=features))
        assert editor_of(form, "fourier_scale").isEnabled() == bool(features)


def test_a_combination_that_is_no_likelihood_is_told(qtbot: QtBot, form: RecipeForm) -> None:
    form.show()
    labels = form.findChildren(QLabel)
    (remark,) = (x for x in labels if x.accessibleName() == "What the figures are")
    assert not remark.isVisible()
    box = editor_of(form, "treatment")
    assert isinstance(box, QComboBox)
    box.setCurrentText("gray")
    assert remark.isVisible()
    assert "cross-entropy" in remark.text()
    form.set_recipe(Recipe(treatment="gray", likelihood="continuous-bernoulli"))
    assert not remark.isVisible()
    form.set_recipe(Recipe(likelihood="gaussian"))
    assert "density of pixels that are 0 or 1" in remark.text()


def test_every_choice_explains_itself_in_a_line(form: RecipeForm) -> None:
    for name in ("objective", "network", "likelihood", "posterior", "treatment"):
        spec, editor = SPECS[name], editor_of(form, name)
        assert len(spec.about) == len(spec.choices), name
        assert isinstance(editor, QComboBox)
        for index, (choice, about) in enumerate(zip(spec.choices, spec.about, strict=True)):
            assert editor.itemData(index, Qt.ItemDataRole.ToolTipRole) == about
            assert f"{choice}: {about}" in editor.toolTip()


def test_another_network_gets_sizes_of_its_own(form: RecipeForm, qtbot: QtBot) -> None:
    network, decoder = editor_of(form, "network"), editor_of(form, "decoder_hidden")
    assert isinstance(network, QComboBox)
    assert isinstance(decoder, SizesBox)
    with qtbot.waitSignal(form.recipe_changed) as told:
        network.setCurrentText("conv")
    assert told.args == [Recipe().replace(network="conv")]
    assert decoder.text() == "64-32"
    network.setCurrentText("mlp")
    assert form.recipe() == Recipe()
