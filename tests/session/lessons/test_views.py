"""The instrument of other views on real digits and the bundled model."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from vae_explorer.data.bundled import mnist
from vae_explorer.lessons import views
from vae_explorer.lessons.course import LessonError
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.lessons import views as module
from vae_explorer.session.lessons.views import Views
from vae_explorer.session.lessons.workbench import Workbench

if TYPE_CHECKING:
    from tests.support.stand_ins import MainThread

_FEW = 200


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200 digits t-SNE takes a step in a third of a millisecond."""
    monkeypatch.setattr(views, "DIGITS", _FEW)
    monkeypatch.setattr(views, "FITTED", 1_000)
    monkeypatch.setattr(module, "STEPS", 60)


@pytest.fixture
def instrument(workbench: Workbench, settle: Callable[[], None]) -> Views:
    """Shown, with its maps made."""
    made = Views(workbench)
    made.show()
    settle()
    return made


def test_it_shows_the_digits_by_components_and_by_the_model(
    instrument: Views, model: TrainedVAE
) -> None:
    assert instrument.plain is not None
    assert instrument.encoded is not None
    digits = views.digits()
    expected = views.pca(mnist("train").images[:1_000]).encode(digits, 2)
    np.testing.assert_allclose(instrument.plain.codes, expected)
    np.testing.assert_array_equal(instrument.encoded.codes, model.encode(digits).mean)
    assert len(instrument.labels) == _FEW
    np.testing.assert_array_equal(instrument.image(7), digits[7])
    assert instrument.explained[-1] < 1
    assert instrument.values["share2"] == pytest.approx(instrument.explained[1])
    assert instrument.values["Tvae"] == instrument.encoded.trust
    assert instrument.values["Ttsne"] == "—"


def test_more_components_bring_more_of_the_digit_back(instrument: Views) -> None:
    errors = []
    for count in (3, 20, 100):
        instrument.set_components(count)
        names = [one.name for one in instrument.reconstructions()]
        assert names == ["PCA, 2", f"PCA, {count}", "VAE, 2"]
        errors.append(instrument.data()["errors"][1])
    assert errors == sorted(errors, reverse=True)
    instrument.set_components(1_000)
    assert instrument.components == 100
    assert instrument.values["k"] == "100"


def test_another_digit_has_other_reconstructions(instrument: Views, workbench: Workbench) -> None:
    before = instrument.data()["errors"]
    told: list[bool] = []
    instrument.digit_changed.connect(lambda: told.append(True))
    workbench.set_subject(None)
    assert told
    assert instrument.reconstructions() == []
    assert before


def test_tsne_runs_to_its_end(instrument: Views, settle: Callable[[], None]) -> None:
    seen: list[tuple[int, bool]] = []

    def note() -> None:
        now = instrument.embedding
        seen.append((now.steps if now else -1, instrument.running))

    instrument.embedded.connect(note)
    instrument.embed()
    settle()
    assert [steps for steps, _ in seen] == sorted(steps for steps, _ in seen)
    assert seen[-1] == (60, False)
    assert all(running for _, running in seen[:-1])
    now = instrument.embedding
    assert now is not None
    assert now.trust is not None
    assert instrument.plain is not None
    assert now.trust > instrument.plain.trust
    assert instrument.values["Ttsne"] == now.trust
    instrument.embed()
    assert not instrument.running


def test_it_pauses_and_goes_on(
    instrument: Views,
    settle: Callable[[], None],
    main: "MainThread",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step = views.Tsne.step

    def step_and_pause(run: views.Tsne) -> None:
        step(run)
        if run.steps == 22:
            main.run()
            instrument.pause()

    monkeypatch.setattr(views.Tsne, "step", step_and_pause)
    instrument.embed()
    settle()
    assert not instrument.running
    assert instrument.embedding is not None
    assert instrument.embedding.steps == 20
    assert instrument.embedding.trust is None
    instrument.embed()
    settle()
    assert instrument.embedding.steps == 60
    straight = Views(instrument.bench)
    monkeypatch.setattr(views.Tsne, "step", step)
    straight.show()
    straight.embed()
    settle()
    assert straight.embedding is not None
    np.testing.assert_array_equal(straight.embedding.places, instrument.embedding.places)


def test_another_perplexity_starts_again(instrument: Views, settle: Callable[[], None]) -> None:
    instrument.embed()
    settle()
    first = instrument.embedding
    assert first is not None
    instrument.set_perplexity(5)
    settle()
    assert instrument.embedding is not None
    assert instrument.embedding.steps == 60
    assert not np.allclose(instrument.embedding.places, first.places)
    instrument.set_perplexity(30)
    settle()
    np.testing.assert_array_equal(instrument.embedding.places, first.places)


def test_hiding_leaves_off(workbench: Workbench, settle: Callable[[], None]) -> None:
    made = Views(workbench)
    made.embed()
    settle()
    assert made.embedding is None
    made.show()
    made.hide()
    settle()
    assert made.plain is None


def test_maps_that_can_be_undone_decode_places(instrument: Views, model: TrainedVAE) -> None:
    assert instrument.plain is not None
    place = (1.5, -0.5)
    by_pca, by_vae = (instrument.decode(name, place) for name in ("pca", "vae"))
    pca = instrument.plain.pca
    expected = pca.mean + np.array(place) @ pca.components[:2]
    assert by_pca is not None
    np.testing.assert_allclose(by_pca.ravel(), expected.clip(0, 1), rtol=1e-6, atol=1e-7)
    assert by_vae is not None
    np.testing.assert_array_equal(by_vae, model.decode(np.array([place]))[0])
    assert instrument.decode("tsne", place) is None


def test_a_digit_lights_up_once(instrument: Views) -> None:
    told: list[int | None] = []
    instrument.hovered_changed.connect(lambda: told.append(instrument.hovered))
    for number in (3, 3, None, None, 4):
        instrument.hover(number)
    assert told == [3, None, 4]


def test_a_state_comes_back(
    workbench: Workbench, instrument: Views, settle: Callable[[], None]
) -> None:
    instrument.set_state({"components": 7, "perplexity": 12, "embed": True})
    settle()
    state = instrument.state()
    assert state == {"components": 7, "perplexity": 12, "embed": True}
    other = Views(workbench)
    other.set_state(state)
    other.show()
    settle()
    assert other.state() == state
    assert other.embedding is not None
    assert instrument.embedding is not None
    np.testing.assert_array_equal(other.embedding.places, instrument.embedding.places)


@pytest.mark.parametrize(
    "state", [{"k": 1}, {"components": 0}, {"components": 2.5}, {"perplexity": 100}]
)
def test_what_cannot_be_is_refused(instrument: Views, state: dict[str, Any]) -> None:
    with pytest.raises(LessonError):
        instrument.set_state(state)
    assert instrument.components == 20
