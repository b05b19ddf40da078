"""A model whose figures are no likelihood: whatever calls them ELBO or log p(x) says so."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QWidget

from tests.support.person import Person
from vae_explorer.gui.curves.curve_panel import CurvePanel
from vae_explorer.gui.explore.decode.decode_panel import DecodePanel
from vae_explorer.gui.explore.sketch.draw_panel import DrawPanel
from vae_explorer.gui.map.point_tooltip import PointTooltip
from vae_explorer.training.checkpoint import write_checkpoint
from vae_explorer.training.snapshot import Snapshot

WHY = "Gray pixels under a Bernoulli give a cross-entropy, no likelihood"


@pytest.fixture
def gray(tmp_path: Path, trained: Snapshot) -> Path:
    """Of a model of gray pixels."""
    path = tmp_path / "gray.safetensors"
    recipe = trained.recipe.replace(treatment="gray")
    write_checkpoint(replace(trained, recipe=recipe), path)
    return path


def labels(widget: QWidget, pattern: str) -> dict[str, str]:
    """The texts of its labels that match in full, and their tool tips."""
    found = (label for label in widget.findChildren(QLabel) if re.fullmatch(pattern, label.text()))
    return {label.text(): label.toolTip() for label in found}


def curves(person: Person) -> dict[str, str]:
    """Titles and tool tips of the panels."""
    panels = person.window.findChildren(CurvePanel)
    return {panel.plot.title: panel.toolTip() for panel in panels}


def test_every_figure_of_it_is_marked_and_says_why(person: Person, gray: Path) -> None:
    window, app = person.window, person.window.app
    (decode,), (draw,) = (window.findChildren(panel) for panel in (DecodePanel, DrawPanel))
    pinned, drawn = r"(ELBO|log p\(x\)|gap|= log-likelihood)( ‡)?", r"(ELBO|log p\(x\)|Gap)( ‡)?"
    by = dict(app.coloring.choices)
    assert (by["log_marginal"], by["gap"]) == ("log p(x)", "ELBO gap")
    assert not [text for text in labels(decode, pinned) if "‡" in text]
    app.model.open(gray)
    person.wait(lambda: "‡" in person.model_line)
    assert "held-out ELBO ‡" in person.model_line
    person.wait(lambda: app.map.state.name == gray.name)
    for panel, pattern, count in ((decode, pinned, 4), (draw, drawn, 3)):
        found = labels(panel, pattern)
        assert len(found) == count
        for text, tip in found.items():
            assert text.endswith(" ‡")
            assert WHY in tip
    assert "− KL" in labels(decode, "− KL")
    by = dict(app.coloring.choices)
    assert (by["log_marginal"], by["gap"], by["width"]) == (
        "log p(x) ‡",
        "ELBO gap ‡",
        "Posterior width",
    )
    app.coloring.choose("gap")
    assert app.coloring.colors is not None
    assert app.coloring.colors.title == "log p(x) − ELBO ‡"
    assert WHY in app.coloring.colors.about
    person.trigger("layout_train")
    titles = curves(person)
    assert "ELBO ‡ cross-entropy, no likelihood" in titles
    assert WHY in titles["ELBO ‡ cross-entropy, no likelihood"]
    assert "KL" in titles
    person.hover(person.position(person.lone))
    (card,) = window.findChildren(PointTooltip)
    person.wait(lambda: any("log p(x) ‡" in text for text in labels(card, r"(?s).*ELBO.*")))
    (caption,) = labels(card, r"(?s).*ELBO.*")
    assert "ELBO ‡" in caption
    assert caption.endswith("‡ cross-entropy, no likelihood")

    app.model.reset()
    person.wait(lambda: "‡" not in person.model_line)
    assert not [text for text in labels(decode, pinned) if "‡" in text]
    assert "ELBO" in curves(person)
