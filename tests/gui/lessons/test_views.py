"""The view of the three maps, on few real digits and the bundled model."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from tests.support.lessons import button, named
from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.lessons.code_map import CodeMap
from vae_explorer.gui.lessons.views import ViewsView
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.lessons import views
from vae_explorer.session.lessons import views as module
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.views import Views

_LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def experiment(context: LessonContext, monkeypatch: pytest.MonkeyPatch) -> Views:
    monkeypatch.setattr(module, "STEPS", 60)
    return Views(context)


def test_the_maps_say_how_far_they_can_be_trusted(
    view: ViewsView, experiment: Views, settle: Callable[[], None]
) -> None:
    assert experiment.result.plain is not None
    note = named(view, CodeMap, "PCA").accessibleDescription()
    assert note == f"trustworthiness {experiment.result.plain.trust:.3f}"
    assert named(view, CodeMap, "t-SNE").accessibleDescription() == ""
    experiment.set(embed=True)
    settle()
    assert experiment.result.embedding is not None
    assert experiment.result.embedding.trust is not None
    assert (
        named(view, CodeMap, "t-SNE").accessibleDescription()
        == f"trustworthiness {experiment.result.embedding.trust:.3f}"
    )


def test_a_digit_pointed_at_lights_up_in_every_map(
    view: ViewsView, experiment: Views, settle: Callable[[], None]
) -> None:
    experiment.set(embed=True)
    settle()
    maps = [named(view, CodeMap, name) for name in ("PCA", "VAE", "t-SNE")]
    before = [one.grab().toImage() for one in maps]
    assert experiment.result.encoded is not None
    # The one that is furthest from all others cannot be mistaken.
    codes = experiment.result.encoded.codes
    distances = views.squared_distances(codes.astype(float))
    inside = [
        maps[1].frame.adjusted(9, 9, -9, -9).contains(maps[1].to_pixel(x, y))
        for x, y in codes.tolist()
    ]
    distances += 1e9 * (distances == 0)
    number = int((distances.min(1) * inside).argmax())
    x, y = codes[number].tolist()
    QTest.mouseMove(maps[1], maps[1].to_pixel(x, y).toPoint())
    assert experiment.result.hovered == number
    for one, image in zip(maps, before, strict=True):
        assert one.grab().toImage() != image
    pointed = named(view, DigitView, "Digit under the pointer")
    assert pointed._image is not None
    picture = experiment.image(number)
    assert pointed._image.pixelColor(14, 14).red() == picture[14, 14]
    assert f"a {experiment.result.labels[number]}" in pointed.accessibleDescription()


def test_a_place_dragged_to_is_decoded_where_there_is_a_decoder(
    view: ViewsView, experiment: Views, settle: Callable[[], None]
) -> None:
    experiment.set(embed=True)
    settle()
    decoded = named(view, DigitView, "Decoded at the pointer")
    for title, name in (("PCA", "pca"), ("VAE", "vae")):
        code_map = named(view, CodeMap, title)
        at = code_map.frame.center().toPoint() + QPoint(25, 10)
        QTest.mouseClick(code_map, _LEFT, pos=at)
        expected = experiment.decode(name, code_map.to_data(at.toPointF()))
        assert expected is not None
        assert decoded._image is not None
        gray = decoded._image.pixelColor(14, 14).red()
        assert gray == pytest.approx(255 * expected[14, 14], abs=1)
    code_map = named(view, CodeMap, "t-SNE")
    QTest.mouseClick(code_map, _LEFT, pos=code_map.frame.center().toPoint())
    assert decoded._image is None
    assert decoded.accessibleDescription() == "no decoder"


def test_the_line_of_the_curve_and_the_box_are_one(view: ViewsView, experiment: Views) -> None:
    curve = named(view, Chart, "Variance kept")
    box = view.form.editor("components")
    assert isinstance(box, NumberBox)
    QTest.mousePress(curve, _LEFT, pos=curve.to_pixel(40, 0.5).toPoint())
    assert abs(experiment.settings.components - 40) <= 1
    assert box.value() == experiment.settings.components
    QTest.mouseRelease(curve, _LEFT, pos=curve.to_pixel(40, 0.5).toPoint())
    curve.setFocus()
    before = experiment.settings.components
    QTest.keyClick(curve, Qt.Key.Key_Right)
    QTest.keyClick(curve, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert experiment.settings.components == before + 11
    box.setValue(2)
    assert experiment.settings.components == 2
    made = [named(view, DigitView, "PCA, 2")]
    assert made[0].accessibleDescription().startswith("PCA, 2: ")


def test_buttons_run_and_restart(
    view: ViewsView, experiment: Views, settle: Callable[[], None]
) -> None:
    embed, again = button(view, "Embed"), button(view, "Restart")
    embed.click()
    assert embed.text() == "&Pause"
    settle()
    assert embed.text() == "&Embed"
    assert not embed.isEnabled()
    again.click()
    assert experiment.running
    settle()
    assert experiment.result.embedding is not None
    box = view.form.editor("perplexity")
    assert isinstance(box, NumberBox)
    box.setValue(10)
    settle()
    assert experiment.settings.perplexity == 10
    assert experiment.result.embedding is not None
    assert experiment.result.embedding.steps == 60


def test_figures_share_the_room_of_those_hidden(view: ViewsView) -> None:
    pca = named(view, CodeMap, "PCA")
    small = pca.height()
    view.set_hidden(["tsne", "variance", "pictures"])
    run_events(20)
    assert pca.geometry().bottom() < named(view, CodeMap, "VAE").geometry().top()
    view.resize(1270, 800)
    run_events(20)
    assert pca.geometry().right() < named(view, CodeMap, "VAE").geometry().left()
    assert pca.height() > 1.7 * small
    assert not named(view, CodeMap, "t-SNE").isVisible()
    assert not named(view, DigitView, "The digit").isVisible()
    view.set_hidden(["variance"])
    run_events(20)
    assert named(view, CodeMap, "t-SNE").width() > 1.7 * pca.width()
