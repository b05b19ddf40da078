"""Two ONNX networks, chosen or dropped, become the model on the map."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtWidgets import QComboBox, QFileDialog, QFormLayout, QLabel, QMenu

import vae_explorer as vx
from tests.model.test_onnx_pair import DEEP, PLANE, images
from tests.support.person import Person
from vae_explorer.gui.dialogs.onnx_pair import OnnxPairDialog
from vae_explorer.model.onnx_pair import in_order, other_of
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.files.given_model import dataset_of
from vae_explorer.session.files.settings import Settings


def choose(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> list[str]:
    """Answer the next dialogs for files; returns their titles."""
    answers, titles = [*map(str, paths)], list[str]()

    def answer(_: object, title: str, *__: object) -> tuple[str, str]:
        titles.append(title)
        return answers.pop(0), ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
    return titles


def asked(person: Person) -> dict[str, QComboBox]:
    """The rows of the dialog, by their labels, once it is open."""
    dialogs = person.window.findChildren
    person.wait(lambda: dialogs(OnnxPairDialog) or person.errors)
    assert not person.errors
    (dialog,) = dialogs(OnnxPairDialog)
    form = dialog.layout()
    assert isinstance(form, QFormLayout)
    labels = ((form.labelForField(box), box) for box in dialog.findChildren(QComboBox))
    return {label.text(): box for label, box in labels if isinstance(label, QLabel)}


def accept(person: Person, **choices: str) -> None:
    (dialog,) = person.window.findChildren(OnnxPairDialog)
    rows = asked(person)
    for label, text in choices.items():
        row = next(rows[name] for name in rows if name.lower().startswith(label))
        row.setCurrentIndex(row.findText(text))
        assert row.currentText() == text
    dialog.go.click()


def model(person: Person) -> TrainedVAE:
    state = person.window.app.map.state
    assert state is not None
    return state.model


def show(person: Person, *shape: int) -> None:
    """Have images of the size of the pairs open."""
    person.window.app.data.use(dataset_of(images(*shape)))


def test_one_is_chosen_and_the_other_found_beside_it(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(person, 3)
    titles = choose(monkeypatch, PLANE[1])
    person.trigger("open")
    rows = asked(person)
    assert {*rows} == {"The decoder gives", "Likelihood p(x|z)", "Pixels of the data"}
    gives = rows["The decoder gives"]
    assert [gives.itemText(at) for at in range(gives.count())] == ["Logits"], "as images tell"
    accept(person, likelihood="Bernoulli")
    person.wait(lambda: person.model_line.startswith("plane-encoder.onnx + plane-decoder.onnx"))
    assert titles == ["Open Model"]
    assert model(person).vae.has_likelihood
    assert not model(person).no_marginal
    assert not person.errors


def test_what_names_and_shapes_leave_open_is_asked_too(
    person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    show(person)
    first, second = tmp_path / "inference.onnx", tmp_path / "generator.onnx"
    shutil.copy(DEEP[0], first)
    shutil.copy(DEEP[1], second)
    titles = choose(monkeypatch, second, first)
    person.trigger("open")
    rows = asked(person)
    assert titles[1] == "Open the Other Network of generator.onnx"
    assert [rows[name].currentText() for name in ("Mean of q(z|x)", "Its spread")] == [
        "fc21",
        "fc22",
    ]
    assert "Decoded image" not in rows
    assert rows["The decoder gives"].currentText() == "Pixels from 0 to 1"
    (dialog,) = person.window.findChildren(OnnxPairDialog)
    assert any("inference.onnx" in label.text() for label in dialog.findChildren(QLabel))
    accept(person, likelihood="Not known: no log p(x)")
    person.wait(lambda: person.window.app.plane.view is not None)
    assert person.window.app.plane.view.dimensions == 20
    assert "no likelihood" in model(person).no_marginal
    person.trigger("reset")
    person.wait(lambda: person.model_line.startswith("mnist"))
    show(person)
    (menu,) = (
        menu
        for menu in person.window.actions_.menus["File"].findChildren(QMenu)
        if menu.title() == "Open Recent"
    )
    menu.actions()[0].trigger()
    person.wait(lambda: person.model_line.startswith("inference.onnx + generator.onnx"))
    assert not person.window.findChildren(OnnxPairDialog), "what was said once is remembered"
    assert "no likelihood" in model(person).no_marginal
    settings = person.window.app.settings.now
    settings.write(tmp_path / "settings.toml")
    assert Settings.read(tmp_path / "settings.toml").pairs == settings.pairs
    second.unlink()
    menu.actions()[0].trigger()
    person.wait(lambda: person.errors)
    assert "generator.onnx cannot be read as an ONNX network" in person.errors[0]


def test_two_that_we_exported_say_all_of_themselves(person: Person, tmp_path: Path) -> None:
    paths = [tmp_path / "decoder.onnx", tmp_path / "encoder.onnx"]
    for path in paths:
        vx.export("model", path, "mnist-paper", network=path.stem)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    assert person.drop(data)
    person.wait(lambda: person.model_line.startswith("encoder.onnx + decoder.onnx"))
    ours, theirs = vx.load("mnist-paper"), model(person)
    few = vx.mnist("test").images[:3]
    np.testing.assert_allclose(theirs.encode(few).mean, ours.encode(few).mean, atol=1e-4)
    np.testing.assert_allclose(vx.log_marginal(theirs, few), vx.log_marginal(ours, few), atol=0.02)
    assert not person.window.findChildren(OnnxPairDialog)
    assert not person.errors


def test_images_that_do_not_fit_are_told(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(monkeypatch, PLANE[0])
    person.trigger("open")
    person.wait(lambda: person.errors)
    (error,) = person.errors
    assert "images of 28×28 pixels (784 numbers) do not go; open images of its size" in error
    assert person.model_line.startswith("mnist-elbo")


def test_two_networks_are_told_apart_by_name_or_by_size(tmp_path: Path) -> None:
    assert in_order(*PLANE[::-1]) == PLANE
    plain = tmp_path / "a.onnx", tmp_path / "b.onnx"
    for source, path in zip(DEEP, plain, strict=True):
        shutil.copy(source, path)
    assert in_order(*plain[::-1]) == in_order(*plain) == plain
    assert other_of(plain[0]) is None
    for one, other in (
        ("VAE_Enc.onnx", "vae_dec.onnx"),
        ("my-decoder.v2.onnx", "My-Encoder.v2.onnx"),
    ):
        (tmp_path / other).touch()
        assert other_of(tmp_path / one) == tmp_path / other
    assert other_of(tmp_path / "none" / "encoder.onnx") is None
