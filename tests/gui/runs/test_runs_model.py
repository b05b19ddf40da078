import dataclasses
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QAbstractItemModelTester, QSignalSpy
from pytestqt.qtbot import QtBot

from vae_explorer.gui.runs.run_text import Column, describe, size_text
from vae_explorer.gui.runs.runs_model import OVERLAY_COLORS, RunsModel, RunsOrder
from vae_explorer.gui.theme import DARK, LIGHT, Theme
from vae_explorer.session.runs.run_info import RunFigures, RunInfo
from vae_explorer.session.training.events import Phase
from vae_explorer.training.presets import recipe_of
from vae_explorer.training.recipe import Recipe

ROLE = Qt.ItemDataRole
UP, DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder


def run(name: str, day: int = 1, **changes: object) -> RunInfo:
    info = RunInfo(
        path=Path("/runs") / name,
        name=name,
        note="",
        origin="",
        recipe=Recipe(),
        date=datetime(2026, 11, day, 12, 30),
        figures=RunFigures(20.0, -130.5, -128.25, 7.5, 2, 1234.5),
        size=3_400_000,
    )
    return dataclasses.replace(info, **changes)  # type: ignore[arg-type]


def with_elbo(name: str, elbo: float | None, **recipe: object) -> RunInfo:
    figures = RunFigures(20.0, elbo)
    return run(name, figures=figures, recipe=Recipe().replace(**recipe))


@pytest.fixture
def rows(qapp: object) -> RunsModel:
    model = RunsModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal, model)
    return model


@pytest.fixture
def order(rows: RunsModel) -> RunsOrder:
    return RunsOrder(rows, rows)


def texts(model: RunsModel | RunsOrder, column: Column) -> list[str]:
    return [str(model.index(row, column).data()) for row in range(model.rowCount())]


def test_a_row_says_what_is_known(rows: RunsModel) -> None:
    recipe = Recipe(beta=4, seed=2, epochs=30)
    rows.set_runs([run("one", recipe=recipe, note="first")])
    said = {column: rows.index(0, column).data() for column in Column}
    assert said == {
        Column.CURVE: "",
        Column.NAME: "one",
        Column.RECIPE: "β 4 · seed 2",
        Column.ELBO: "−130.50",
        Column.LOG_MARGINAL: "−128.25",
        Column.EPOCHS: "20 of 30",
        Column.SECONDS: "1,234",
        Column.DATE: "2026-11-01 12:30",
        Column.NOTE: "first",
    }
    right = {
        column
        for column in Column
        if rows.index(0, column).data(ROLE.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight
    }
    assert right == {Column.ELBO, Column.LOG_MARGINAL, Column.EPOCHS, Column.SECONDS}


def test_the_recipe_of_a_preset_goes_by_its_name(rows: RunsModel) -> None:
    quick, best = recipe_of("quick"), recipe_of("best")
    recipes = (quick, quick.replace(seed=3), best, quick.replace(beta=2.0))
    rows.set_runs([run(str(number), recipe=recipe) for number, recipe in enumerate(recipes)])
    *named, changed = texts(rows, Column.RECIPE)
    assert named == ["Quick", "Quick · seed 3", "Best"]
    assert "β 2" in changed


def test_what_is_not_known_is_a_dash(rows: RunsModel) -> None:
    rows.set_runs([run("new", figures=RunFigures(), recipe=None, damaged="recipe.toml is gone.")])
    said = [rows.index(0, column).data() for column in Column]
    assert said[1:7] == ["⚠ new", "recipe.toml is gone.", "—", "—", "0", "—"]
    assert rows.index(0, Column.NAME).data(ROLE.AccessibleTextRole) == "new, damaged"
    assert not rows.flags(rows.index(0, Column.CURVE)) & Qt.ItemFlag.ItemIsUserCheckable


def test_the_run_under_way_is_marked(rows: RunsModel) -> None:
    rows.set_runs([run("now", phase=Phase.RUNNING), run("then")])
    assert texts(rows, Column.NAME) == ["▶ now", "then"]
    assert rows.index(0, Column.NAME).data(ROLE.FontRole).bold()
    assert rows.index(1, Column.NAME).data(ROLE.FontRole) is None
    assert rows.index(0, Column.NAME).data(ROLE.EditRole) == "now"
    assert rows.index(0, Column.NAME).data(ROLE.AccessibleTextRole) == "now, running"
    rows.set_run(run("now", phase=Phase.PAUSED))
    assert rows.index(0, Column.NAME).data(ROLE.AccessibleTextRole) == "now, paused"


def test_headers_name_nats(rows: RunsModel) -> None:
    across = Qt.Orientation.Horizontal
    titles = [rows.headerData(column, across) for column in Column]
    assert titles[3:5] == ["Best ELBO", "log p(x)"]
    for column in (Column.ELBO, Column.LOG_MARGINAL):
        tip = rows.headerData(column, across, ROLE.ToolTipRole)
        assert "nats per image" in tip
        assert "cannot be compared" in tip
    assert all(rows.headerData(column, across, ROLE.ToolTipRole) for column in Column)
    assert rows.headerData(0, Qt.Orientation.Vertical) is None


def test_rows_that_stay_are_the_same_rows(rows: RunsModel) -> None:
    rows.set_runs([run("a"), run("b"), run("c")])
    kept = QPersistentModelIndex(rows.index(2, Column.NAME))
    removed, inserted = QSignalSpy(rows.rowsRemoved), QSignalSpy(rows.rowsInserted)
    reset, changed = QSignalSpy(rows.modelReset), QSignalSpy(rows.dataChanged)
    rows.set_runs([run("d"), run("c", note="new"), run("a")])
    assert [info.name for info in rows.runs] == ["a", "c", "d"]
    assert kept.isValid()
    assert kept.data() == "c"
    assert (removed.count(), inserted.count(), reset.count()) == (1, 1, 0)
    assert changed.count() == 1
    index = changed.at(0)[0]
    assert (index.row(), index.column()) == (1, Column.NOTE)


def test_only_the_cells_that_change_are_told(rows: RunsModel) -> None:
    rows.set_runs([run("a")])
    changed = QSignalSpy(rows.dataChanged)
    rows.set_run(run("a", figures=RunFigures(21.0, -130.5, -128.25, 7.5, 2, 1300.0)))
    columns = {changed.at(number)[0].column() for number in range(changed.count())}
    assert columns == {Column.EPOCHS, Column.SECONDS}
    rows.set_run(run("unknown"))
    assert rows.rowCount() == 1


def test_names_and_notes_are_told_and_no_more_is_written(qtbot: QtBot, rows: RunsModel) -> None:
    info = run("a", note="old")
    rows.set_runs([info])
    with qtbot.waitSignal(rows.renamed) as told:
        assert rows.setData(rows.index(0, Column.NAME), "b")
    assert told.args == [info, "b"]
    with qtbot.waitSignal(rows.noted) as told:
        assert rows.setData(rows.index(0, Column.NOTE), "new")
    assert told.args == [info, "new"]
    assert rows.runs == (info,), "it is not the table that knows"
    with qtbot.assertNotEmitted(rows.renamed), qtbot.assertNotEmitted(rows.noted):
        rows.setData(rows.index(0, Column.NAME), "a")
        rows.setData(rows.index(0, Column.NOTE), "old")
        assert not rows.setData(rows.index(0, Column.ELBO), "0")
    editable = [c for c in Column if rows.flags(rows.index(0, c)) & Qt.ItemFlag.ItemIsEditable]
    assert editable == [Column.NAME, Column.NOTE]


def test_curves_get_colours_of_their_own(qtbot: QtBot, rows: RunsModel) -> None:
    names = [f"run {number}" for number in range(10)]
    rows.set_runs([run(name) for name in names] + [run("empty", figures=RunFigures())])
    with qtbot.waitSignal(rows.curves_changed):
        rows.toggle_curves(range(11))
    paths, colors = zip(*rows.curves, strict=True)
    assert [path.name for path in paths] == names, "one without points has no curve"
    assert colors == OVERLAY_COLORS + OVERLAY_COLORS[:2]
    rows.toggle_curves([0])
    rows.toggle_curves([0, 3])
    assert rows.curves[-1] == (Path("/runs/run 0"), OVERLAY_COLORS[0]), "one of the least used"
    cell = rows.index(0, Column.CURVE)
    assert Qt.CheckState(cell.data(ROLE.CheckStateRole)) == Qt.CheckState.Checked
    assert cell.data(ROLE.UserRole) == QColor(OVERLAY_COLORS[0])
    assert cell.data(ROLE.AccessibleTextRole) == "Curve of run 0"
    with qtbot.waitSignal(rows.curves_changed):
        rows.setData(cell, Qt.CheckState.Unchecked, ROLE.CheckStateRole)
    assert len(rows.curves) == 9
    with qtbot.assertNotEmitted(rows.curves_changed):
        rows.set_runs([run("run 1")])
    assert [path.name for path, _ in rows.curves] == ["run 1"]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_curves_are_seen_on_both_canvases(theme: Theme) -> None:
    # WCAG 2.2, 1.4.11: graphics need a contrast of 3.
    for color in OVERLAY_COLORS:
        light, dark = sorted((luminance(color), luminance(theme.canvas)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, color


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("column", "direction", "wanted"),
    [
        (Column.NAME, UP, ["a", "B", "c"]),
        (Column.DATE, DOWN, ["a", "c", "B"]),
        (Column.ELBO, UP, ["c", "a", "B"]),
        (Column.ELBO, DOWN, ["a", "c", "B"]),
        (Column.SECONDS, UP, ["a", "c", "B"]),
        (Column.SECONDS, DOWN, ["c", "a", "B"]),
        (Column.NOTE, UP, ["c", "a", "B"]),
        (Column.NOTE, DOWN, ["c", "a", "B"]),
        (Column.EPOCHS, UP, ["B", "a", "c"]),
        (Column.RECIPE, UP, ["c", "B", "a"]),
    ],
)
def test_rows_are_ordered_and_unknowns_come_last(
    rows: RunsModel, order: RunsOrder, column: Column, direction: Qt.SortOrder, wanted: list[str]
) -> None:
    rows.set_runs(
        [
            run("a", 3, figures=RunFigures(5.0, -99.0, seconds=9.0), recipe=Recipe(seed=2)),
            run("B", 1, figures=RunFigures(), recipe=Recipe(samples=20)),
            run("c", 2, figures=RunFigures(10.0, -100.0, seconds=10.0), note="see"),
        ]
    )
    order.sort(column, direction)
    assert texts(order, Column.NAME) == wanted


def test_elbos_of_another_treatment_are_marked_and_do_not_mingle(
    rows: RunsModel, order: RunsOrder
) -> None:
    rows.set_runs(
        [
            with_elbo("gray low", -150.0, treatment="gray"),
            with_elbo("low", -140.0),
            with_elbo("gray high", -100.0, treatment="gray"),
            with_elbo("high", -120.0),
            with_elbo("none", None, treatment="gray"),
        ]
    )
    order.sort(Column.ELBO, DOWN)
    assert texts(order, Column.NAME) == ["gray high", "gray low", "high", "low", "none"]
    wanted = ["−100.00 ‡", "−150.00 ‡", "−120.00", "−140.00", "—"]
    assert texts(order, Column.ELBO) == wanted
    rows.set_runs([with_elbo("density", 851.0, treatment="gray", likelihood="gaussian")])
    assert texts(order, Column.ELBO) == ["851.00 †"], "of other pixels, but a likelihood"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ["a", "b"]),
        ("NIGHT", ["b"]),
        ("β", ["a"]),
        ("β 4", ["a"]),
        ("sweep β", ["a"]),
        ("sweep night", []),
        ("seed", []),
    ],
)
def test_a_filter_looks_for_every_word(
    rows: RunsModel, order: RunsOrder, text: str, wanted: list[str]
) -> None:
    rows.set_runs(
        [run("a", recipe=Recipe(beta=4), origin="Sweep betas"), run("b", note="over night")]
    )
    order.set_filter(text)
    assert texts(order, Column.NAME) == wanted
    if wanted:
        assert order.run(order.index(0, 0)).name == wanted[0]


def test_a_live_row_finds_its_place(rows: RunsModel, order: RunsOrder) -> None:
    rows.set_runs([with_elbo("a", -120.0), with_elbo("b", -130.0)])
    order.sort(Column.ELBO, DOWN)
    kept = QPersistentModelIndex(order.index(1, 0))
    chosen = QItemSelectionModel(order)
    chosen.select(order.index(1, 0), QItemSelectionModel.SelectionFlag.Select)
    rows.set_run(with_elbo("b", -110.0))
    assert texts(order, Column.NAME) == ["b", "a"]
    assert kept.row() == 0
    assert [order.run(index).name for index in chosen.selectedIndexes()] == ["b"]


def test_the_tool_tip_has_the_full_recipe(rows: RunsModel) -> None:
    info = run("a", origin="b, epoch 3.00", note="see", phase=Phase.RUNNING)
    rows.set_runs([info])
    tip = rows.index(0, Column.ELBO).data(ROLE.ToolTipRole)
    assert tip == describe(info)
    for name, value in Recipe().to_dict().items():
        assert f"{name} {value}" in " ".join(tip.split())
    for text in (
        "/runs/a",
        "From b, epoch 3.00",
        "Running",
        "20 of 20 epochs · 1,234 s · 3.4 MB",
    ):
        assert text in tip
    assert "best held-out ELBO −130.50 nats · log p(x) −128.25 nats · KL 7.50 nats" in tip
    assert "2 of 2 units" in tip
    assert max(map(len, tip.splitlines())) <= 90


def test_sizes_are_read_easily() -> None:
    assert [size_text(size) for size in (0, 3_400_000, 2_340_000_000)] == [
        "0.0 MB",
        "3.4 MB",
        "2.3 GB",
    ]
