"""Models that a program hands over, on the map with every part of the session."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vae_explorer as vx
from tests.model.test_outside import VARIANCE, Linear
from tests.support.desk import Desk
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, UserError
from vae_explorer.paths import is_entry_point
from vae_explorer.session.files.given_model import dataset_of, given_model
from vae_explorer.session.files.open_model import SavedModel
from vae_explorer.training.snapshot import Snapshot


def saved(size: int, **choices: Any) -> SavedModel:
    linear = Linear(size)
    return given_model(linear, linear.images(70), **choices)


def test_the_map_shows_a_model_in_colour_from_elsewhere(desk: Desk) -> None:
    model = saved(2, likelihood="gaussian", variance=VARIANCE)
    desk.app.model.open_read(model)
    desk.settle()
    assert desk.models[-1].name == "Linear"
    assert desk.models[-1].path is None
    assert desk.models[-1].image_shape == (4, 3, 3)
    assert "from another program" in [remark.mark for remark in desk.models[-1].remarks]
    state = desk.app.map.state
    assert state is not None
    assert state.points is not None
    assert len(state.points.positions) == 60
    desk.app.pins.toggle("train", 3)
    desk.settle()
    pin = desk.pins[-1]
    assert pin is not None
    assert pin.original.shape == (4, 3, 3)
    assert np.isfinite(pin.elbo)
    assert not desk.failures


@pytest.mark.parametrize(
    ("size", "choices", "reason"),
    [
        (2, {}, "no likelihood"),
        (20, {"likelihood": "gaussian", "variance": VARIANCE}, "20 latent dimensions"),
    ],
)
def test_what_is_not_known_has_its_reason_and_no_failure(
    desk: Desk, size: int, choices: dict[str, Any], reason: str
) -> None:
    app = desk.app
    app.model.open_read(saved(size, **choices))
    desk.settle()
    remark = desk.models[-1].no_likelihood
    assert remark is not None
    assert reason in remark.text
    inspections: list[Any] = []
    contents: dict[str, Any] = {}
    heard = [
        app.inspector.inspected.connect(inspections.append),
        app.layers.drawn.connect(contents.__setitem__),
    ]
    app.pins.toggle("train", 3)
    for layer in ("posterior", "likelihood", "manifold", "metric"):
        app.layers.set_on(layer, True)
    desk.settle()
    assert heard
    pin = desk.pins[-1]
    assert pin is not None
    assert np.isnan(pin.elbo)
    assert inspections[-1].reconstructions.keys() == {"mean", "sample"}
    assert np.isnan(inspections[-1].truth.log_marginal)
    assert reason in contents["posterior"].note
    assert contents["manifold"].marks
    assert contents["metric"].marks
    assert (reason in contents["likelihood"].note) == (size == 2)
    assert not desk.failures


def test_images_without_a_split_are_cut() -> None:
    images = np.zeros((70, 4, 4), np.uint8)
    assert dataset_of(images).sizes() == {"train": 60, "test": 10, "both": 70}
    assert dataset_of(ImageSet(images[:2])).sizes() == {"train": 1, "test": 1, "both": 2}
    assert len(dataset_of(images[:1]).test) == 1
    data = dataset_of(images)
    assert dataset_of(data) is data


def test_ours_are_taken_as_they_are(trained: Snapshot, checkpoint: Path) -> None:
    assert given_model(trained).snapshot is trained
    by_path = given_model(checkpoint)
    assert (by_path.path, by_path.name) == (checkpoint, "tiny.safetensors")
    bare = given_model(trained.model)
    assert bare.snapshot.model is trained.model
    with pytest.raises(UserError, match="variance: only a model from elsewhere"):
        given_model(trained, variance=1.0)
    with pytest.raises(UserError, match="give images of its size"):
        given_model(trained, np.zeros((3, 4, 4), np.uint8))


def test_an_entry_point_makes_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_models.py").write_text(
        "from tests.model.test_outside import Linear\n"
        "def make_model():\n    return Linear(2)\n"
        "def broken():\n    raise OSError('no weights here')\n"
    )
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    found = given_model("my_models:make_model", Linear(2).images(10))
    assert found.name == "my_models:make_model"
    assert sys.path == path
    for entry, says in {
        "my_models:broken": "OSError: no weights here",
        "my_models:none": "AttributeError",
        "no_such_module:make": "No module named 'no_such_module'",
    }.items():
        with pytest.raises(CheckpointError, match=says):
            given_model(entry, Linear(2).images(10))


def test_a_file_is_a_file_and_no_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_entry_point("package.module:make")
    assert not is_entry_point("model.safetensors")
    assert not is_entry_point("C:\\model")
    assert not is_entry_point("1a:b")
    Path("package.module:make").write_text("")
    assert not is_entry_point("package.module:make")


def test_explore_opens_the_window_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[SavedModel] = []
    main: Callable[[SavedModel], None] = opened.append
    monkeypatch.setattr("vae_explorer.gui.app.main", main)
    linear = Linear(2)
    vx.explore(linear, linear.images(9), likelihood="gaussian", variance=VARIANCE)
    assert opened[0].snapshot.model.image_shape == (4, 3, 3)
    vx.explore("mnist-paper")
    assert opened[1].data.name == "MNIST"


@pytest.mark.parametrize("what", ["gap", "log_marginal", "error", "width"])
def test_colours_of_figures_that_are_not_known_are_refused_with_the_reason(
    desk: Desk, what: str
) -> None:
    desk.app.model.open_read(saved(2))
    desk.settle()
    said: list[str] = []
    desk.app.messages.published.connect(said.append)
    desk.app.coloring.choose(what)
    desk.settle()
    assert not desk.failures
    known = what == "width"
    assert [text for text in said if "is not known: This model has no likelihood" in text] == said
    assert bool(said) != known
    assert desk.app.coloring.by == ("width" if known else "label")
    assert (desk.app.coloring.colors is not None) == known
