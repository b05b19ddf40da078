"""Two ONNX files become the model on the map, once what they leave open has been said."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from psygnal import Signal

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import Dataset
from vae_explorer.errors import CheckpointError, DataError, ExportError
from vae_explorer.export.about import read_about
from vae_explorer.model.onnx_pair import (
    SPREADS,
    OnnxPair,
    PairChoices,
    PairOutputs,
    in_order,
    other_of,
    pair_outputs,
)
from vae_explorer.model.outside import outside_model
from vae_explorer.session.app import App
from vae_explorer.session.files.given_model import given_model
from vae_explorer.session.files.open_model import SavedModel
from vae_explorer.session.files.settings import KnownPair

__all__ = ["SPREADS", "OnnxFiles", "PairChoices", "PairLook"]

_LOOKED_AT = 64


@dataclass(frozen=True, eq=False)
class PairLook:
    """What was found in two files, and what seems to be meant, or is ``known``.

    The decoder gives values from ``low`` to ``high`` for real images of ``data``.
    """

    encoder: Path
    decoder: Path
    data: Dataset
    outputs: PairOutputs
    low: float
    high: float
    usual: PairChoices
    known: bool = False

    @property
    def bounded(self) -> bool:
        """Whether these values may be probabilities."""
        return self.low >= 0 and self.high <= 1


class OnnxFiles:
    """Opens encoder and decoder on the data that are open. Main thread only."""

    lacking = Signal(Path)
    """The file of which the other is not beside it by name; it may be given to ``open``."""
    looked = Signal(PairLook)
    """Two files were read; ``open_as`` opens them."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._reading = app.tasks.newest("onnx", "The networks were not opened")

    def open(self, path: Path, other: Path | None = None) -> None:
        """Look at a network and the other one, by None that beside it.

        Networks that this program exported say all of themselves, and are opened at once.
        """

        def done(look: PairLook | None) -> None:
            if look is None:
                self.lacking.emit(path)
            elif look.known:
                self.open_as(look, look.usual)
            else:
                self.looked.emit(look)

        self._reading.run(lambda _: self._look(path, other), done)

    def open_as(self, look: PairLook, choices: PairChoices) -> None:
        """Open what was looked at, and remember how."""

        def done(model: SavedModel) -> None:
            self._app.model.open_read(model)
            settings = self._app.settings.now.with_recent(look.encoder)
            known = KnownPair(Path(os.path.abspath(look.decoder)), choices)
            pairs = {**settings.pairs, settings.recent[0]: known}
            kept = {name: pair for name, pair in pairs.items() if name in settings.recent}
            self._app.settings.change(replace(settings, pairs=kept))

        self._reading.run(lambda _: _read(look, choices), done)

    def open_again(self, encoder: Path) -> None:
        """Open a network of those opened last, as it was opened then."""
        known = self._app.settings.now.pairs.get(str(encoder))
        if known is None:
            self.open(encoder)
        else:
            pair, choices = (encoder, known.decoder), known.choices
            self._reading.run(
                lambda _: self._tried(*pair, pair_outputs(*pair), choices),
                lambda look: self.open_as(look, choices),
            )

    def _look(self, path: Path, other: Path | None) -> PairLook | None:
        beside = other or other_of(path)
        if beside is None:
            return None
        encoder, decoder = in_order(path, beside)
        outputs = pair_outputs(encoder, decoder)
        usual, known = _usual(decoder, outputs)
        look = self._tried(encoder, decoder, outputs, usual)
        logits = usual.likelihood != "gaussian" and not look.bounded
        return replace(look, usual=replace(usual, logits=logits or usual.logits), known=known)

    def _tried(
        self, encoder: Path, decoder: Path, outputs: PairOutputs, usual: PairChoices
    ) -> PairLook:
        pair = _pair(encoder, decoder, usual)
        now, mnist = self._app.data.now, mnist_dataset()

        def tried(data: Dataset) -> PairLook:
            return PairLook(encoder, decoder, data, outputs, *_range(pair, data), usual)

        try:
            return tried(now)
        except DataError as error:
            if now.image_shape != mnist.image_shape:
                try:
                    return tried(mnist)
                except DataError:
                    pass
            raise CheckpointError(
                f"{encoder} and {decoder.name}, on {now.name}: {error}"
            ) from error


def _usual(decoder: Path, outputs: PairOutputs) -> tuple[PairChoices, bool]:
    """What is mostly meant, and whether that is known."""
    guess = outputs.guessed()
    usual = PairChoices(guess.mean, guess.spread, guess.spread_is, guess.picture)
    try:
        told = read_about(decoder)
    except ExportError:
        told = None
    if told is None or "parameters" not in outputs.pictures:
        return usual, False
    likelihood = str(told.recipe["likelihood"])
    gaussian = likelihood == "gaussian"
    usual = replace(
        usual,
        picture="parameters",
        logits=not gaussian,
        likelihood=likelihood,
        treatment=str(told.recipe["treatment"]),
    )
    return usual, bool(outputs.mean and outputs.spread and outputs.spread_is) and not gaussian


def _pair(encoder: Path, decoder: Path, choices: PairChoices) -> OnnxPair:
    return OnnxPair(
        encoder,
        decoder,
        mean=choices.mean,
        spread=choices.spread,
        spread_is=choices.spread_is,
        picture=choices.picture,
    )


def _range(pair: OnnxPair, data: Dataset) -> tuple[float, float]:
    """What the decoder gives for real images, whatever it means."""
    images = data.train.images[:_LOOKED_AT]
    tried = outside_model(pair, images, likelihood="gaussian", variance=1.0)
    values = tried.decode_outputs(tried.encode(images).mean)
    return float(np.min(values)), float(np.max(values))


def _read(look: PairLook, choices: PairChoices) -> SavedModel:
    pair = _pair(look.encoder, look.decoder, choices)
    return given_model(
        pair,
        look.data,
        f"{look.encoder.name} + {look.decoder.name}",
        logits=choices.logits,
        likelihood=choices.likelihood,
        variance=choices.variance,
        treatment=choices.treatment,
    )
