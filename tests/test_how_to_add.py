"""Each of ARCHITECTURE's "How to add …" done with a dummy; no more than it says is touched.

A command and a panel are added in ``gui/window/test_commands.py``, by a record each.
"""

import dataclasses
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

import vae_explorer
from tests.support.person import Person
from vae_explorer.cli.recipes import read_recipe, recipe_fields
from vae_explorer.data.dataset import ImageSet
from vae_explorer.fields import FieldSpec, field
from vae_explorer.gui.lessons.lesson_view import LessonView
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.marks import Line
from vae_explorer.gui.training.recipe_form import RecipeForm
from vae_explorer.model import architecture, likelihood
from vae_explorer.model.trained import Check
from vae_explorer.session.map import layers
from vae_explorer.session.map.layer_contents import LAYER_CONTENTS, Scene
from vae_explorer.session.map.marks import LayerContent, Spots
from vae_explorer.training import recipe as recipe_module
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.sweep import Axis, Sweep
from vae_explorer.training.trainer import Trainer

Stand = Callable[[object, object], None]


@pytest.fixture
def stand_for(monkeypatch: pytest.MonkeyPatch) -> Stand:
    """``stand_for(new, old)``: as if ``new`` had been written where ``old`` is, for all modules."""

    def put(new: object, old: object) -> None:
        ours = [m for name, m in sys.modules.items() if name.startswith("vae_explorer")]
        positions = [(m, name) for m in ours for name, value in vars(m).items() if value is old]
        assert positions
        for module, name in positions:
            monkeypatch.setattr(module, name, new)

    return put


# A layer: a row in session/map/layers.py, a function and a row in session/map/layer_contents.py


def test_a_layer(
    stand_for: Stand, open_person: "Callable[..., Person]", monkeypatch: pytest.MonkeyPatch
) -> None:
    def dummy(scene: Scene, chosen: Mapping[str, str], check: Check) -> LayerContent:
        return LayerContent(
            (Spots(np.zeros((1, 2), np.float32)),), f"{len(scene.points.labels)} points"
        )

    spec = layers.LayerSpec("dummy", "Dummy", "A spot in the middle.", "F5")
    stand_for((spec, *layers.LAYERS), layers.LAYERS)
    monkeypatch.setitem(LAYER_CONTENTS, "dummy", (dummy, frozenset({"points"})))
    person = open_person()
    drawn: list[tuple[str, LayerContent]] = []
    person.window.app.layers.drawn.connect(lambda layer, made: drawn.append((layer, made)))
    assert person.window.actions_["layer_dummy"] in person.window.actions_.menus["Layers"].actions()
    before = person.window.map.canvas.grab().toImage()
    person.press("F5", person.window.map.canvas)
    person.wait(lambda: ("dummy", "600 points") in [(layer, made.note) for layer, made in drawn])
    person.wait(lambda: person.window.map.canvas.grab().toImage() != before)


# A field of recipes: a field in training/recipe.py (and what it decides)


@dataclass(frozen=True)
class _Grown(Recipe):
    dummies: int = field(
        3, FieldSpec("Training", "Dummies", "How many there are.", "dummies", 1, 9)
    )


def test_a_recipe_field(stand_for: Stand, qtbot: QtBot, tmp_path: Path) -> None:
    stand_for(_Grown, Recipe)
    grown = recipe_module.Recipe().replace(dummies=5)
    grown.write(tmp_path / "recipe.toml")
    assert _Grown.read(tmp_path / "recipe.toml") == grown
    form = RecipeForm()
    qtbot.addWidget(form)
    form.set_recipe(grown)
    assert form.recipe() == grown
    assert read_recipe(tmp_path / "recipe.toml", ["dummies=4"]) == grown.replace(dummies=4)
    assert "\n  dummies " in recipe_fields()
    with pytest.raises(Exception, match="'dummies' is 10; it must lie between 1 and 9"):
        grown.replace(dummies=10)
    cells = Sweep(grown, (Axis("dummies", (1, 2)),)).cells
    assert [cell.recipe.to_dict()["dummies"] for cell in cells] == [1, 2]


# A likelihood: a class and a row in model/likelihood.py, its name in model/architecture.py


class _Dummy(likelihood.Gaussian):
    """With a variance of one."""

    def __init__(self) -> None:
        super().__init__()
        torch.nn.init.zeros_(self.log_variance).requires_grad_(False)


def test_a_likelihood(
    stand_for: Stand, monkeypatch: pytest.MonkeyPatch, recipe: Recipe, digits: ImageSet
) -> None:
    names = (*architecture.LIKELIHOODS, "dummy")
    spec = dataclasses.replace(Recipe.specs()["likelihood"], choices=names, about=())
    monkeypatch.setitem(likelihood.FAMILIES, "dummy", _Dummy)
    stand_for(names, architecture.LIKELIHOODS)
    specs = Recipe.specs() | {"likelihood": spec}
    monkeypatch.setattr(Recipe, "specs", staticmethod(lambda: specs))
    trainer = Trainer(recipe.replace(likelihood="dummy", treatment="gray"), digits, "cpu")
    trainer.take_step()
    model = trainer.snapshot().model
    assert isinstance(model.vae.likelihood, _Dummy)
    assert np.isfinite(model.elbo(digits.images[:10])).all()


# A lesson: a module in session/lessons, a view in gui/lessons, a file in resources/lessons

_EXPERIMENT = """
from dataclasses import dataclass

from vae_explorer.session.lessons.experiment import Experiment, Result, Settings, setting


@dataclass(frozen=True)
class DummySettings(Settings):
    number: float = setting(1.0, "Number", "What is squared", low=0, high=10)


class Dummy(Experiment[DummySettings, Result]):
    def __init__(self, context):
        super().__init__(context, DummySettings(), Result())

    def symbols(self):
        return {"square": self.settings.number**2}

    def data(self):
        return self.symbols()
"""

_VIEW = """
from PySide6.QtWidgets import QLabel

from vae_explorer.gui.lessons.lesson_view import LessonView


class DummyView(LessonView):
    def __init__(self, experiment):
        super().__init__(experiment)
        self._experiment = experiment
        self.figure = QLabel()
        self.page.addWidget(self.figure)
        self.page.addWidget(self.form.rows["number"])
        self.start()

    def draw(self, old):
        self.figure.setText(str(self._experiment.data()["square"]))
"""

_TEXT = """+++
title = "Dummy"
instrument = "dummy"
references = ["Nobody"]
[symbols]
square = "the square of the number"
+++
## A step

Square it.

```formula
x^2 :: square
```

```state
number = 3.0
```

```python
data = {"square": 3.0**2}
```
"""


def test_a_lesson(person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, text in (("session", _EXPERIMENT), ("gui", _VIEW)):
        module = ModuleType(f"vae_explorer.{name}.lessons.dummy")
        exec(text, vars(module))
        monkeypatch.setitem(sys.modules, module.__name__, module)
    path = tmp_path / "dummy.md"
    path.write_text(_TEXT)
    window, learning = person.window, person.window.app.learning
    person.trigger("layout_learn")
    learning.open_file(path)
    person.wait(lambda: learning.lesson and learning.lesson.title == "Dummy")
    (view,) = (one for one in window.findChildren(LessonView) if one.isVisible())
    assert not person.errors
    assert learning.experiment is not None
    assert learning.step is not None
    assert learning.experiment.values == {"square": 9.0}
    assert [label.text() for label in view.findChildren(QLabel) if label.text() == "9.0"]
    made: dict[str, object] = {}
    exec(learning.step.code, made)
    assert made["data"] == learning.experiment.data()


# A chart: a ``Chart`` and its marks, from gui/plot


def test_a_chart(qtbot: QtBot) -> None:
    chart = Chart("Dummy", "x", "y")
    qtbot.addWidget(chart)
    chart.show()
    chart.set_range(0.0, 2.0, 0.0, 4.0)
    empty = chart.grab().toImage()
    chart.set_marks([Line(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 4.0]), "accent", "x²")])
    assert chart.grab().toImage() != empty
    assert [entry.name for entry in chart.plot.legend] == ["x²"]
    assert chart.to_data(chart.to_pixel(1.0, 2.0)) == pytest.approx((1.0, 2.0))
    for kind, start in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        assert chart.export(kind).startswith(start)
    assert "x²" in chart.export("csv").decode()


def test_the_files_that_architecture_names_exist() -> None:
    root = Path(vae_explorer.__file__).parents[1]
    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = [name for name in re.findall(r"`([\w/]+/[\w/]+(?:\.py)?)`", text) if "NAME" not in name]
    assert len(named) > 10
    missing = [
        name
        for name in named
        if not any(p.exists() for p in (root / name, *_modules(root / "vae_explorer" / name)))
    ]
    assert missing == []


def _modules(path: Path) -> tuple[Path, Path]:
    return path, path.with_suffix(".py")
