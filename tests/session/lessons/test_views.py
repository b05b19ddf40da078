"""The experiment of other views on real digits and the bundled model."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.support.lessons import no_model
from tests.support.stand_ins import MainThread
from vae_explorer.data.bundled import mnist
from vae_explorer.lessons import views
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.lessons import views as module
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.views import Views

_FEW = 200


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200 digits t-SNE takes a step in a third of a millisecond."""
    monkeypatch.setattr(views, "DIGITS", _FEW)
    monkeypatch.setattr(module, "STEPS", 60)


def test_it_shows_the_digits_by_components_and_by_the_model(
    experiment: Views, model: TrainedVAE
) -> None:
    assert experiment.result.plain is not None
    assert experiment.result.encoded is not None
    digits = views.digits()
    expected = views.pca(mnist("train").images[:1_000]).encode(digits, 2)
    np.testing.assert_allclose(experiment.result.plain.codes, expected)
    np.testing.assert_array_equal(experiment.result.encoded.codes, model.encode(digits).mean)
    assert len(experiment.result.labels) == _FEW
    np.testing.assert_array_equal(experiment.image(7), digits[7])
    assert experiment.result.explained[-1] < 1
    assert experiment.values["share2"] == pytest.approx(experiment.result.explained[1])
    assert experiment.values["Tvae"] == experiment.result.encoded.trust
    assert experiment.values["Ttsne"] == "—"


def test_more_components_bring_more_of_the_digit_back(experiment: Views) -> None:
    errors = []
    for count in (3, 20, 100):
        experiment.move(components=count)
        names = [one.name for one in experiment.result.reconstructions]
        assert names == ["PCA, 2", f"PCA, {count}", "VAE, 2"]
        errors.append(experiment.data()["errors"][1])
    assert errors == sorted(errors, reverse=True)
    experiment.move(components=1_000)
    assert experiment.settings.components == 100
    assert experiment.values["k"] == "100"


def test_another_digit_has_other_reconstructions(experiment: Views, context: LessonContext) -> None:
    before = experiment.data()["errors"]
    no_model(context)
    assert experiment.result.reconstructions == ()
    assert before


def test_tsne_runs_to_its_end(experiment: Views, settle: Callable[[], None]) -> None:
    seen: list[tuple[int, bool]] = []

    def note() -> None:
        now = experiment.result.embedding
        seen.append((now.steps if now else -1, experiment.running))

    experiment.changed.connect(note)
    experiment.set(embed=True)
    settle()
    assert [steps for steps, _ in seen] == sorted(steps for steps, _ in seen)
    assert seen[-1] == (60, False)
    assert all(running for _, running in seen[:-1])
    now = experiment.result.embedding
    assert now is not None
    assert now.trust is not None
    assert experiment.result.plain is not None
    assert now.trust > experiment.result.plain.trust
    assert experiment.values["Ttsne"] == now.trust
    experiment.set(embed=True)
    assert not experiment.running


def test_it_pauses_and_goes_on(
    experiment: Views, settle: Callable[[], None], main: MainThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = views.Tsne.step

    def step_and_pause(run: views.Tsne) -> None:
        step(run)
        if run.steps == 22:
            main.run()
            experiment.set(embed=False)

    monkeypatch.setattr(views.Tsne, "step", step_and_pause)
    experiment.set(embed=True)
    settle()
    assert not experiment.running
    assert experiment.result.embedding is not None
    assert experiment.result.embedding.steps == 20
    assert experiment.result.embedding.trust is None
    experiment.set(embed=True)
    settle()
    assert experiment.result.embedding.steps == 60
    straight = Views(experiment.context)
    monkeypatch.setattr(views.Tsne, "step", step)
    straight.show()
    straight.set(embed=True)
    settle()
    assert straight.result.embedding is not None
    np.testing.assert_array_equal(
        straight.result.embedding.points, experiment.result.embedding.points
    )


def test_another_perplexity_starts_again(experiment: Views, settle: Callable[[], None]) -> None:
    experiment.set(embed=True)
    settle()
    first = experiment.result.embedding
    assert first is not None
    experiment.move(perplexity=5)
    settle()
    assert experiment.result.embedding is not None
    assert experiment.result.embedding.steps == 60
    assert not np.allclose(experiment.result.embedding.points, first.points)
    experiment.move(perplexity=30)
    settle()
    np.testing.assert_array_equal(experiment.result.embedding.points, first.points)


def test_maps_that_can_be_undone_decode_places(experiment: Views, model: TrainedVAE) -> None:
    assert experiment.result.plain is not None
    position = (1.5, -0.5)
    by_pca, by_vae = (experiment.decode(name, position) for name in ("pca", "vae"))
    pca = experiment.result.plain.pca
    expected = pca.mean + np.array(position) @ pca.components[:2]
    assert by_pca is not None
    np.testing.assert_allclose(by_pca.ravel(), expected.clip(0, 1), rtol=1e-6, atol=1e-7)
    assert by_vae is not None
    np.testing.assert_array_equal(by_vae, model.decode(np.array([position]))[0])
    assert experiment.decode("tsne", position) is None


def test_a_digit_lights_up_once(experiment: Views) -> None:
    told: list[int | None] = []
    experiment.changed.connect(lambda found: told.append(found.hovered))
    for number in (3, 3, None, None, 4):
        experiment.hover(number)
    assert told == [3, None, 4]
