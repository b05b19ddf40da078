"""The same digits seen by principal components, by the VAE, and by t-SNE as it runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from psygnal import Signal

from vae_explorer.lessons import views
from vae_explorer.lessons.course import LessonError
from vae_explorer.lessons.views import DIGITS as DIGITS
from vae_explorer.lessons.views import MOST_COMPONENTS as MOST_COMPONENTS
from vae_explorer.lessons.views import Encoded, Plain, Tsne
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.instrument import Instrument, refuse_unknown
from vae_explorer.session.lessons.workbench import Workbench
from vae_explorer.types import Float32, Float64, UInt8

STEPS = 500
"""Of t-SNE."""
PERPLEXITIES = (5, 50)
"""The least and the largest."""
MAPS = ("pca", "vae", "tsne")

_EVERY = 10  # steps of t-SNE from one picture to the next


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What comes back of a digit: the ``name`` of the way, the picture and its squared error."""

    name: str
    image: Float32
    error: float


@dataclass(frozen=True, eq=False)
class Embedding:
    """t-SNE after ``steps``: ``places`` (n, 2), its KL in nats, and its trust once it is done."""

    places: Float32
    steps: int
    divergence: float
    trust: float | None = None


class Views(Instrument):
    """Three maps of 1,000 test digits, and what comes back of the workbench's digit."""

    changed = Signal()
    """There are other maps, but for that of t-SNE."""
    components_changed = Signal(int)
    """The digit is made from so many."""
    embedded = Signal()
    """t-SNE went on, began or ended."""
    digit_changed = Signal()
    """Other reconstructions."""
    hovered_changed = Signal()
    """Another digit lights up."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.plain: Plain | None = None
        self.encoded: Encoded | None = None
        self.embedding: Embedding | None = None
        self.components = 20
        self.perplexity = 30
        self.running = False
        self.hovered: int | None = None
        """The number of a digit, in all maps."""
        self._shown = self._wanted = False
        self._of: object = None
        self._run: Tsne | None = None
        bench.model_changed.connect(self._on_model)
        bench.subject_changed.connect(self._on_subject)

    # What there is to see

    @property
    def labels(self) -> UInt8:
        """The classes of the digits, (n,)."""
        return self.plain.labels if self.plain else np.zeros(0, np.uint8)

    @property
    def explained(self) -> Float64:
        """The share of the variance that the first 1 … 100 components have, (100,)."""
        if self.plain is None:
            return np.zeros(0)
        return self.plain.pca.explained[:MOST_COMPONENTS].cumsum()

    @property
    def digit(self) -> UInt8 | None:
        """The workbench's digit, (h, w)."""
        return self.bench.subject.image if self.bench.subject else None

    def image(self, number: int) -> UInt8:
        """A digit of the maps, (h, w)."""
        picture: UInt8 = views.digits()[number]
        return picture

    def reconstructions(self) -> list[Reconstruction]:
        """Of the workbench's digit: by 2 components, by those chosen, and by the VAE."""
        digit, model = self.digit, self.bench.model
        if (
            self.plain is None
            or digit is None
            or digit.shape != self.plain.pca.shape
            or model is None
        ):
            return []
        one, pca = digit[None], self.plain.pca
        ways = {
            f"PCA, {count}": pca.decode(pca.encode(one, count)) for count in (2, self.components)
        }
        # The last of equal names stays: two components may be those chosen.
        ways["VAE, 2"] = model.decode(model.encode(one).mean)
        return [
            Reconstruction(name, made[0], float(views.squared_errors(one, made)[0]))
            for name, made in ways.items()
        ]

    def decode(self, name: str, place: tuple[float, float]) -> Float32 | None:
        """What a map of ``MAPS`` makes of a place, (h, w); None of one that cannot be undone."""
        decoder = self.bench.model if name == "vae" else self.plain.pca if self.plain else None
        if name == "tsne" or decoder is None:
            return None
        picture: Float32 = decoder.decode(np.array([place]))[0]
        return picture

    # What a person does

    def set_components(self, count: int) -> None:
        """Reconstruct from so many components."""
        self.components = min(max(count, 1), MOST_COMPONENTS)
        self._tell()
        self.components_changed.emit(self.components)
        self.digit_changed.emit()

    def set_perplexity(self, perplexity: int) -> None:
        """Let t-SNE look at more or fewer neighbours; it starts again."""
        low, high = PERPLEXITIES
        perplexity = min(max(perplexity, low), high)
        if perplexity != self.perplexity:
            self.perplexity = perplexity
            went_on = self.running or self.embedding is not None
            self._forget()
            if went_on:
                self.embed()
            self._tell()

    def embed(self) -> None:
        """Let t-SNE run to its end, from where it is."""
        self._wanted = True
        if self.plain is None or self.running or not self._shown:
            return
        if self.embedding is not None and self.embedding.trust is not None:
            return
        self.running = True
        self.embedded.emit()
        work = partial(self._embed, self.plain, self._run, self.perplexity)
        self.bench.compute("views-tsne", work, self._on_end)

    def pause(self) -> None:
        """Leave it where it is."""
        self._wanted = False
        self.bench.cancel("views-tsne")
        if self.running:
            self.running = False
            self.embedded.emit()

    def restart(self) -> None:
        """Run it again from the start."""
        self._forget()
        self.embed()

    def hover(self, number: int | None) -> None:
        """Light up a digit in all maps."""
        if number != self.hovered:
            self.hovered = number
            self.hovered_changed.emit()

    # As every instrument

    def show(self) -> None:
        """Make the maps that there are not yet."""
        self._shown = True
        if self.plain is None:
            self.bench.compute(
                "views-plain", lambda control: views.plain(control.check), self._on_plain
            )
        else:
            self._encode()

    def hide(self) -> None:
        """Leave off computing."""
        self.pause()
        self._shown = False
        for key in ("views-plain", "views-vae"):
            self.bench.cancel(key)

    def state(self) -> dict[str, Any]:
        """What a person set."""
        return {
            "components": self.components,
            "perplexity": self.perplexity,
            "embed": self.running or self.embedding is not None,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Set the number of ``components`` and the ``perplexity``, and whether to ``embed``."""
        refuse_unknown(state, {"components", "perplexity", "embed"})
        limits = {"components": (1, MOST_COMPONENTS), "perplexity": PERPLEXITIES}
        for name, (low, high) in limits.items():
            value = state.get(name, low)
            if not isinstance(value, int) or not low <= value <= high:
                raise LessonError(
                    f"{name} must be a whole number from {low} to {high}, not {value}."
                )
        self.set_components(state.get("components", self.components))
        self.set_perplexity(state.get("perplexity", self.perplexity))
        if state.get("embed"):
            self.embed()
        elif "embed" in state:
            self.pause()

    def data(self) -> dict[str, Any]:
        """What the curve, the maps and the pictures show."""
        shown: dict[str, Any] = {"explained": self.explained}
        if self.plain is not None:
            shown |= {"pca": self.plain.codes, "pca_trust": self.plain.trust}
            shown["pca_errors"] = self.plain.errors
        if self.encoded is not None:
            shown |= {"vae": self.encoded.codes, "vae_trust": self.encoded.trust}
            shown |= {"vae_error": self.encoded.error, "match": self.encoded.match}
        if self.embedding is not None:
            shown |= {"tsne": self.embedding.places, "tsne_divergence": self.embedding.divergence}
            shown["tsne_trust"] = self.embedding.trust
        shown["errors"] = [one.error for one in self.reconstructions()]
        return shown

    def _on_model(self) -> None:
        if self._shown:
            self._encode()

    def _on_subject(self) -> None:
        if self._shown:
            self._tell()
            self.digit_changed.emit()

    def _on_plain(self, plain: Plain) -> None:
        self.plain = plain
        self.changed.emit()
        self._encode()
        if self._wanted:
            self.embed()

    def _encode(self) -> None:
        model, plain = self.bench.model, self.plain
        if model is None or plain is None or model is self._of:
            self._on_subject()
            return

        def done(encoded: Encoded) -> None:
            self.encoded, self._of = encoded, model
            self._tell()
            self.changed.emit()
            self.digit_changed.emit()

        self.bench.compute(
            "views-vae", lambda control: views.encoded(model, plain, control.check), done
        )

    def _embed(
        self, plain: Plain, run: Tsne | None, perplexity: int, control: Control
    ) -> Embedding:
        """On the worker's thread: go on with a run, or with a new one."""
        if run is None:
            run = Tsne(views.affinities(plain.distances, perplexity), plain.codes)
            control.report(partial(self._on_step, run, Embedding(run.places, 0, run.divergence)))
        while run.steps < STEPS:
            control.check()
            run.step()
            if run.steps % _EVERY == 0:
                now = Embedding(run.places, run.steps, run.divergence)
                control.report(partial(self._on_step, run, now))
        trust = views.trustworthiness(plain.distances, run.places)
        return Embedding(run.places, run.steps, run.divergence, trust)

    def _on_step(self, run: Tsne, embedding: Embedding) -> None:
        self._run, self.embedding = run, embedding
        self._tell()
        self.embedded.emit()

    def _on_end(self, embedding: Embedding) -> None:
        self.running, self._wanted = False, False
        self.embedding = embedding
        self._tell()
        self.embedded.emit()

    def _forget(self) -> None:
        self.pause()
        self._run, self.embedding = None, None
        self.embedded.emit()

    def _tell(self) -> None:
        values: dict[str, float | str] = {"k": str(self.components)}
        if self.plain is not None:
            values |= {
                "share2": float(self.explained[1]),
                "errork": float(self.plain.errors[self.components]),
                "Tpca": self.plain.trust,
            }
        if self.encoded is not None:
            values |= {"errorvae": self.encoded.error, "Tvae": self.encoded.trust}
        now = self.embedding
        values["KL"] = now.divergence if now else "—"
        values["Ttsne"] = now.trust if now and now.trust is not None else "—"
        self.tell(**values)
