"""The same digits seen by principal components, by the VAE, and by t-SNE as it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from vae_explorer.lessons import views
from vae_explorer.lessons.views import MOST_COMPONENTS, Encoded, Plain, Tsne
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import DigitExperiment, DigitSettings, Result, setting
from vae_explorer.types import Float32, Float64, Floats, UInt8

STEPS = 500
"""Of t-SNE."""
MAPS = ("pca", "vae", "tsne")

_EVERY = 10  # steps of t-SNE from one picture to the next


@dataclass(frozen=True)
class ViewsSettings(DigitSettings):
    """The components that an image is made from, the perplexity, and whether t-SNE runs."""

    components: int = setting(
        20,
        "&Components",
        "Principal components that the digit is made from",
        low=1,
        high=MOST_COMPONENTS,
    )
    perplexity: int = setting(
        30,
        "&Perplexity",
        "How many neighbours t-SNE considers; a change restarts it",
        low=5,
        high=50,
        step=5,
    )
    embed: bool = setting(False, "&Embed", "Run or pause t-SNE")


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What comes back of an image: the ``name`` of the way, the picture and its squared error."""

    name: str
    image: Float32
    error: float


@dataclass(frozen=True, eq=False)
class Embedding:
    """t-SNE after ``steps``: ``points`` (n, 2), its KL in nats, and its trust once it is done."""

    points: Float32
    steps: int
    divergence: float
    trust: float | None = None


@dataclass(frozen=True, eq=False)
class ViewsResult(Result):
    """The maps so far, and what comes back of the digit ``image`` (h, w).

    ``hovered`` is the number of a digit, in all maps.
    """

    plain: Plain | None = None
    encoded: Encoded | None = None
    embedding: Embedding | None = None
    image: UInt8 | None = None
    reconstructions: tuple[Reconstruction, ...] = ()
    hovered: int | None = None

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

    def points(self, name: str) -> Floats:
        """Where a map has the digits, (n, 2)."""
        if name == "tsne":
            return self.embedding.points if self.embedding else np.zeros((0, 2))
        seen = self.plain if name == "pca" else self.encoded
        return seen.codes if seen else np.zeros((0, 2))

    def trust(self, name: str) -> float | None:
        """How much of its neighbourhoods a map keeps, once that is known."""
        seen = {"pca": self.plain, "vae": self.encoded, "tsne": self.embedding}[name]
        return seen.trust if seen else None


class Views(DigitExperiment[ViewsSettings, ViewsResult]):
    """Three maps of 1,000 test digits, and what comes back of a digit."""

    subject = "MNIST"

    def __init__(self, context: LessonContext) -> None:
        super().__init__(context, ViewsSettings(), ViewsResult())
        self._plain, self._encode = self.newest("views-plain"), self.newest("views-vae")
        self._embed = self.newest("views-tsne")
        self._run: Tsne | None = None
        self._perplexity = self.settings.perplexity

    @property
    def running(self) -> bool:
        """t-SNE is under way."""
        return self._embed.busy

    def image(self, number: int) -> UInt8:
        """A digit of the maps, (h, w)."""
        picture: UInt8 = views.digits()[number]
        return picture

    def decode(self, name: str, point: tuple[float, float]) -> Float32 | None:
        """What a map of ``MAPS`` makes of a point, (h, w); None of one that cannot be undone."""
        plain = self.result.plain
        decoder = self.context.model if name == "vae" else plain.pca if plain else None
        if name == "tsne" or decoder is None:
            return None
        picture: Float32 = decoder.decode(np.array([point]))[0]
        return picture

    def restart(self) -> None:
        """Run t-SNE again from the start."""
        self._forget()
        self.take(replace(self.settings, embed=True))

    def hover(self, number: int | None) -> None:
        """Light up a digit in all maps."""
        if number != self.result.hovered:
            self.publish(hovered=number)

    def hide(self) -> None:
        """Stop computing."""
        super().hide()
        self.settings = replace(self.settings, embed=False)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Set what is named; another perplexity would let t-SNE run again."""
        super().set_state(state)
        if state.get("embed") is False:
            self.set(embed=False)

    def state(self) -> dict[str, Any]:
        """What a person set; ``embed`` also of an embedding that there is."""
        return super().state() | {"embed": self.settings.embed or self.result.embedding is not None}

    def update(self) -> None:
        """Make the maps that there are not yet, and let t-SNE run if it is to."""
        plain, now, model = self.result.plain, self.settings, self.context.model
        if plain is None:
            self._plain.ask(views, lambda control: views.plain(control.check), self._on_plain)
            self.result = replace(self.result, **self._reconstruct())
            return
        if model is not None:

            def encode(control: Control) -> Encoded:
                return views.encoded(model, plain, control.check)

            self._encode.ask(model, encode, lambda encoded: self.publish(encoded=encoded))
        if now.perplexity != self._perplexity:
            again = self.running or self.result.embedding is not None
            self._forget()
            if again:
                self.settings = now = replace(now, embed=True)
        done = self.result.embedding is not None and self.result.embedding.trust is not None
        if done or not now.embed:
            self._embed.cancel()
            self.settings = replace(now, embed=False)
        elif not self.running:
            work = partial(self._go_on, plain, self._run, now.perplexity)
            self._embed.run(work, self._on_end)
        self.result = replace(self.result, **self._reconstruct())

    def symbols(self) -> dict[str, float | str]:
        """The components, the errors, the trust of the maps, and t-SNE's KL."""
        found, count = self.result, self.settings.components
        values: dict[str, float | str] = {"k": str(count)}
        if found.plain is not None:
            values |= {
                "share2": float(found.explained[1]),
                "errork": float(found.plain.errors[count]),
                "Tpca": found.plain.trust,
            }
        if found.encoded is not None:
            values |= {"errorvae": found.encoded.error, "Tvae": found.encoded.trust}
        now = found.embedding
        values["KL"] = now.divergence if now else "—"
        values["Ttsne"] = now.trust if now and now.trust is not None else "—"
        return values

    def data(self) -> dict[str, Any]:
        """What the curve, the maps and the pictures show."""
        found = self.result
        shown: dict[str, Any] = {"explained": found.explained}
        if found.plain is not None:
            shown |= {"pca": found.plain.codes, "pca_trust": found.plain.trust}
            shown["pca_errors"] = found.plain.errors
        if found.encoded is not None:
            shown |= {"vae": found.encoded.codes, "vae_trust": found.encoded.trust}
            shown |= {"vae_error": found.encoded.error, "match": found.encoded.match}
        if found.embedding is not None:
            shown |= {"tsne": found.embedding.points, "tsne_divergence": found.embedding.divergence}
            shown["tsne_trust"] = found.embedding.trust
        shown["errors"] = [one.error for one in found.reconstructions]
        return shown

    def _reconstruct(self) -> dict[str, Any]:
        """The digit, and what comes back of it by 2 components, those set, and the VAE."""
        digit, model, plain = self.digit, self.context.model, self.result.plain
        image = digit.image if digit else None
        made: tuple[Reconstruction, ...] = ()
        if plain is not None and image is not None and model and image.shape == plain.pca.shape:
            one, pca = image[None], plain.pca
            # The last of equal names stays: two components may be those set.
            ways = {
                f"PCA, {count}": pca.decode(pca.encode(one, count))
                for count in (2, self.settings.components)
            }
            ways["VAE, 2"] = model.decode(model.encode(one).mean)
            made = tuple(
                Reconstruction(name, back[0], float(views.squared_errors(one, back)[0]))
                for name, back in ways.items()
            )
        return {"image": image, "reconstructions": made}

    def _on_plain(self, plain: Plain) -> None:
        self.result = replace(self.result, plain=plain)
        self.update()
        self.publish()

    def _go_on(
        self, plain: Plain, run: Tsne | None, perplexity: int, control: Control
    ) -> Embedding:
        """On the worker's thread: go on with a run, or with a new one."""
        if run is None:
            run = Tsne(views.affinities(plain.distances, perplexity), plain.codes)
            control.report(partial(self._on_step, run, Embedding(run.positions, 0, run.divergence)))
        while run.steps < STEPS:
            control.check()
            run.step()
            if run.steps % _EVERY == 0:
                now = Embedding(run.positions, run.steps, run.divergence)
                control.report(partial(self._on_step, run, now))
        trust = views.trustworthiness(plain.distances, run.positions)
        return Embedding(run.positions, run.steps, run.divergence, trust)

    def _on_step(self, run: Tsne, embedding: Embedding) -> None:
        self._run = run
        self.publish(embedding=embedding)

    def _on_end(self, embedding: Embedding) -> None:
        self.settings = replace(self.settings, embed=False)
        self.publish(embedding=embedding)

    def _forget(self) -> None:
        self._embed.cancel()
        self._run, self._perplexity = None, self.settings.perplexity
        self.result = replace(self.result, embedding=None)
