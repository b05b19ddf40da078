"""The line at the foot of the window, alone and in the window."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from tests.support.person import Person
from tests.support.widgets import expose
from vae_explorer.gui.map.legend import LegendButton
from vae_explorer.gui.window.status_bar import StatusBar, _Field
from vae_explorer.session.files.open_model import ModelInfo
from vae_explorer.training.checkpoint import write_checkpoint
from vae_explorer.training.snapshot import DataReference, Snapshot

MODEL = ModelInfo(
    "mine.safetensors", Path("/runs/mine.safetensors"), 12.34, -128.804, (28, 28), 9_000
)
NAMES = (
    "Model",
    "Data",
    "Pinned and selected points",
    "Progress",
    "Position of the cursor",
    "Time of the last decoding",
)


class _Requests(QObject):
    """Counts the layout requests that reach a widget."""

    count = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


@pytest.fixture
def window() -> QMainWindow:
    """Of 1280 pixels."""
    return QMainWindow()


@pytest.fixture
def bar(qtbot: QtBot, window: QMainWindow) -> StatusBar:
    """At its foot."""
    bar = StatusBar()
    window.setStatusBar(bar)
    window.resize(1280, 200)
    expose(qtbot, window)
    return bar


def field(bar: StatusBar, name: str) -> _Field:
    return next(one for one in bar.findChildren(_Field) if one.accessibleName() == name)


def fill(bar: StatusBar) -> None:
    """As long as texts get."""
    bar.set_model(MODEL)
    bar.set_data("both", 70_000, 70_000)
    bar.set_marked(24, 70_000)
    bar.set_place(-1.2345, -6.0)
    bar.set_cost(123.456)
    bar.set_progress("Exact codes: 40,000 of 70,000")


def test_it_says_everything(bar: StatusBar) -> None:
    fill(bar)
    QApplication.processEvents()
    assert [field(bar, name).shown() for name in NAMES] == [
        "mine.safetensors · epoch 12.3 · held-out ELBO −128.80 nats",
        "train and test · 70,000 of 70,000",
        "24 pinned · 70,000 selected",
        "Exact codes: 40,000 of 70,000",
        "z = (−1.234, −6.000)",
        "123.46 ms",
    ]
    for name in NAMES:
        assert field(bar, name).accessibleDescription() == field(bar, name).shown()
    assert "9,000 weights" in field(bar, "Model").toolTip()


def test_new_figures_lay_nothing_out(qtbot: QtBot, bar: StatusBar) -> None:
    bar.set_progress("Exact codes: 0 of 70,000")
    qtbot.wait(20)
    requests = _Requests(bar)
    for widget in (bar, bar.window()):
        widget.installEventFilter(requests)
    positions = [field(bar, name).geometry() for name in NAMES]
    fill(bar)
    qtbot.wait(20)
    assert requests.count == 0
    assert [field(bar, name).geometry() for name in NAMES] == positions


def test_a_name_is_no_markup(bar: StatusBar) -> None:
    bar.set_model(ModelInfo("<b>R&D</b>", None, 0.0, None, (28, 28), 1))
    assert field(bar, "Model").shown() == "<b>R&D</b> · epoch 0.0"
    assert "&lt;b&gt;R&amp;D&lt;/b&gt;" in field(bar, "Model").toolTip()
    assert "not saved yet" in field(bar, "Model").toolTip()


def test_of_a_model_of_another_program_no_age_and_no_weights_are_told(bar: StatusBar) -> None:
    bar.set_model(ModelInfo("Mine", None, 0.0, None, (6, 5, 3), 0, data="its own, 3 images"))
    assert field(bar, "Model").shown() == "Mine"
    assert "Kept by its own program" in field(bar, "Model").toolTip()
    assert "Trained on" not in field(bar, "Model").toolTip()


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        (1_280, ()),
        (683, ("Data", "Pinned and selected points")),  # 1366 pixels at a scale of 2
        (500, ("Data", "Time of the last decoding", "Pinned and selected points")),
    ],
)
def test_a_narrow_window_shortens_the_name_and_leaves_whole_figures_out(
    bar: StatusBar, width: int, left_out: tuple[str, ...]
) -> None:
    fill(bar)
    assert bar.minimumSizeHint().width() < 400
    bar.window().resize(width, 200)
    QApplication.processEvents()
    assert bar.window().width() == width
    assert field(bar, "Model").shown().endswith("…") == (width < 1_280)
    assert field(bar, "Model").width() >= 100
    for name in set(NAMES) - {"Model", "Progress"}:
        one = field(bar, name)
        if name in left_out:
            assert one.width() == 0
        else:
            assert one.shown() == one.accessibleDescription(), name


def test_a_message_before_the_window_shows_hides_as_well(qtbot: QtBot, window: QMainWindow) -> None:
    bar = StatusBar()
    window.setStatusBar(bar)
    qtbot.addWidget(window)
    bar.set_message("Opened")
    with qtbot.waitExposed(window):
        window.show()
    assert not field(bar, "Model").isVisible()
    assert bar.currentMessage() == "Opened"
    bar.clearMessage()
    assert field(bar, "Model").isVisible()


def test_the_model_has_the_room_of_progress_when_there_is_none(
    qtbot: QtBot, bar: StatusBar
) -> None:
    fill(bar)
    qtbot.wait(20)
    before = field(bar, "Model").width()
    bar.set_progress("")
    qtbot.wait(20)
    assert field(bar, "Model").width() > before + 100


def test_a_message_leaves_place_and_time(bar: StatusBar) -> None:
    fill(bar)
    bar.showMessage("Saved")
    seen = [name for name in NAMES if field(bar, name).isVisible()]
    assert seen == ["Position of the cursor", "Time of the last decoding"]
    bar.clearMessage()
    assert all(field(bar, name).isVisible() for name in NAMES)


def test_it_follows_the_window(person: Person) -> None:
    app = person.window.app
    assert person.field("Data") == "train · 600 of 600"
    hidden = int((person.labels == 3).sum())
    button = next(b for b in person.window.findChildren(LegendButton) if b.label == 3)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    person.wait(lambda: person.field("Data") == f"train · {600 - hidden:,} of 600")
    assert person.status.startswith(f"{600 - hidden:,} of 600")
    person.trigger("split_both")
    person.wait(lambda: person.field("Data").endswith("of 900"))
    assert person.field("Data").startswith("train and test · ")
    assert person.field("Pinned and selected points") == "0 pinned · 0 selected"
    app.pinning.pin(3)
    app.pinning.pin(4, add=True)
    app.selection.replace([1, 2, 3])
    assert person.field("Pinned and selected points") == "2 pinned · 3 selected"
    app.cursor.move(0.5, -1.25)
    assert person.field("Position of the cursor") == "z = (0.500, −1.250)"
    person.wait(lambda: person.field("Time of the last decoding").endswith(" ms"))


def test_all_of_it_is_in_sight_at_1280(person: Person) -> None:
    for layout in ("explore", "train", "learn", "travel"):
        person.trigger(f"layout_{layout}")
        person.window.resize(1280, 800)
        QApplication.processEvents()
        assert person.window.width() == 1280
        person.window.status.clearMessage()
        fill(person.window.status)
        QApplication.processEvents()
        for name in NAMES:
            one = field(person.window.status, name)
            assert one.shown() == one.accessibleDescription(), layout
            assert one.visibleRegion().boundingRect().size() == one.size(), layout


def test_a_model_of_other_data_or_no_likelihood_is_marked(
    person: Person, tmp_path: Path, trained: Snapshot
) -> None:
    """At the foot of every view, in words in its tool tip, and in the exported table."""
    path = tmp_path / "clothes.safetensors"
    recipe = trained.recipe.replace(treatment="gray")
    data = DataReference("Fashion-MNIST", "f" * 64, 60_000)
    write_checkpoint(replace(trained, recipe=recipe, data=data), path)
    assert "⚠" not in person.model_line
    person.window.app.data.missing.connect(lambda missing: missing.take(missing.own))
    person.window.app.model.open(path)
    person.wait(lambda: "clothes" in person.model_line)
    assert "⚠ trained on Fashion-MNIST · ⚠ cross-entropy, no likelihood" in person.model_line
    fields = person.window.statusBar().findChildren(QWidget)
    tip = next(field.toolTip() for field in fields if field.accessibleName() == "Model")
    for part in (
        "Trained on Fashion-MNIST, 60,000 images",
        "shown on MNIST: every figure",
    ):
        assert part in tip
    person.wait(lambda: person.window.app.map.state.name == path.name)
    exports, exported = person.window.app.exports, tmp_path / "points.csv"
    exports.export(exports.offers()["points"], exported)
    person.wait(exported.is_file)
    with exported.open(newline="") as file:
        remarks = {row["remark"] for row in csv.DictReader(file)}
    assert remarks == {"trained on Fashion-MNIST; cross-entropy, no likelihood"}
