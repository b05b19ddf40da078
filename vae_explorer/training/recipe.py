"""The recipe: every choice that decides what a training run computes."""

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import tomli_w
from typing_extensions import override

from vae_explorer.data.treatment import TREATMENTS
from vae_explorer.errors import RecipeError
from vae_explorer.fields import Fields, FieldSpec, field, sizes
from vae_explorer.files import atomic_write, read_text
from vae_explorer.model.architecture import (
    ACTIVATIONS,
    LIKELIHOODS,
    NETWORKS,
    POSTERIORS,
    Architecture,
)
from vae_explorer.schema import parse_toml
from vae_explorer.types import ImageShape

Value = int | float | str
"""Of a recipe's field."""

SCHEDULES = ("cosine", "one-cycle", "constant")
OBJECTIVES = ("elbo", "iwae", "iwae-dreg", "exact")
PRECISIONS = ("float32", "bfloat16")
STEERABLE = ("learning_rate", "beta", "samples")
"""Fields that may be given another value while a run is under way."""

WIDEST_LAYER = 8_192
_OF_NETWORKS = [each.name for each in fields(Architecture) if each.name != "image_shape"]
_DENSE = {"encoder_hidden": "512-512-512", "decoder_hidden": "512-512"}
USUAL_SIZES = {
    "mlp": _DENSE,
    "residual": _DENSE,
    "conv": {"encoder_hidden": "32-64", "decoder_hidden": "64-32"},
}
"""What a network has where nothing else is said: channels of a convolution cost far more."""
_MOST_CHANNELS = 256
"""Of sizes that another network's convolutions take over."""


@dataclass(frozen=True)
class Recipe(Fields):
    """A validated, immutable training recipe.

    Raises:
        RecipeError: a value has the wrong type or lies outside its range; the message names it.
    """

    epochs: int = field(
        20, FieldSpec("Training", "Epochs", "Passes over the training images.", "epochs", 1, 10_000)
    )
    batch_size: int = field(
        200, FieldSpec("Training", "Batch", "Images in one gradient step.", "images", 1, 60_000)
    )
    learning_rate: float = field(
        1.5e-3,
        FieldSpec("Training", "Learning rate", "AdamW's peak step size.", "", 1e-6, 1.0),
    )
    schedule: str = field(
        "cosine",
        FieldSpec(
            "Training", "Schedule", "How the learning rate moves over the run.", choices=SCHEDULES
        ),
    )
    warmup_steps: int = field(
        500,
        FieldSpec(
            "Training", "Warm-up", "Steps of linear learning-rate rise.", "steps", 0, 100_000
        ),
    )
    weight_decay: float = field(
        1e-3, FieldSpec("Training", "Weight decay", "AdamW's decoupled decay.", "", 0.0, 1.0)
    )
    gradient_clip: float = field(
        200.0,
        FieldSpec(
            "Training",
            "Gradient clip",
            "Largest gradient norm of a step; 0 for no limit.",
            "nats",
            0,
            1e6,
        ),
    )
    precision: str = field(
        "float32",
        FieldSpec(
            "Training",
            "Precision",
            "Numbers inside matrix products; bfloat16 is faster on some processors only.",
            choices=PRECISIONS,
        ),
    )
    objective: str = field(
        "elbo",
        FieldSpec(
            "Objective",
            "Objective",
            "What training maximises.",
            choices=OBJECTIVES,
            about=(
                "Kingma & Welling's lower bound on log p(x)",
                "Burda et al.'s tighter bound of several importance-weighted samples",
                "IWAE with less noisy encoder gradients (Tucker et al.)",
                "log p(x) itself, summed over a lattice of z",
            ),
        ),
    )
    samples: int = field(
        1,
        FieldSpec(
            "Objective", "Samples", "Samples of z per image; the k of IWAE-k.", "", 1, 10_000
        ),
    )
    lattice_points: int = field(
        1_600,
        FieldSpec(
            "Objective",
            "Lattice",
            "Latent points that the exact objective sums over.",
            "points",
            16,
            100_000,
            needs=("objective", ("exact",)),
        ),
    )
    elbo_share: float = field(
        0.0,
        FieldSpec(
            "Objective",
            "ELBO share",
            "Part of the decoder's exact objective that is the ELBO: keeps posteriors easy to fit.",
            "",
            0.0,
            1.0,
            needs=("objective", ("exact",)),
        ),
    )
    beta: float = field(
        1.0,
        FieldSpec(
            "Objective",
            "β",
            "Weight of the KL term; 1 is the ELBO.",
            "",
            0.0,
            100.0,
            needs=("objective", ("elbo",)),
        ),
    )
    kl_warmup: float = field(
        0.0,
        FieldSpec(
            "Objective",
            "KL warm-up",
            "Epochs in which β rises from 0.",
            "epochs",
            0,
            10_000,
            needs=("objective", ("elbo",)),
        ),
    )
    treatment: str = field(
        "binarized",
        FieldSpec(
            "Objective",
            "Data treatment",
            "What becomes of the pixels' intensities.",
            choices=TREATMENTS,
            about=(
                "fresh Bernoulli pixels each time",
                "left as they are",
                "x > 0.5",
                "0 or 1 already",
            ),
        ),
    )
    seed: int = field(
        0, FieldSpec("Objective", "Seed", "Fixes weights, order and noise.", "", 0, 2**31 - 1)
    )
    validation_images: int = field(
        5_000,
        FieldSpec(
            "Objective",
            "Held out",
            "Last training images kept for validation.",
            "images",
            0,
            50_000,
        ),
    )
    network: str = field(
        "mlp",
        FieldSpec(
            "Model",
            "Network",
            "Family of the two networks.",
            choices=NETWORKS,
            about=(
                "fully connected layers",
                "a fully connected residual block for each size",
                "convolutions; each size halves the image's sides",
            ),
        ),
    )
    encoder_hidden: str = field(
        "512-512-512",
        FieldSpec(
            "Model",
            "Encoder layers",
            "Hidden sizes from the image to z: units, or channels of a convolution.",
            "units",
            1,
            WIDEST_LAYER,
            sizes=True,
        ),
    )
    decoder_hidden: str = field(
        "512-512",
        FieldSpec(
            "Model",
            "Decoder layers",
            "Hidden sizes from z to the image.",
            "units",
            1,
            WIDEST_LAYER,
            sizes=True,
        ),
    )
    activation: str = field(
        "gelu", FieldSpec("Model", "Activation", "Non-linearity.", choices=ACTIVATIONS)
    )
    likelihood: str = field(
        "bernoulli",
        FieldSpec(
            "Model",
            "Likelihood",
            "p(x|z) of a pixel.",
            choices=LIKELIHOODS,
            about=(
                "binary pixels",
                "a density on [0, 1] (Loaiza-Ganem & Cunningham)",
                "a density with one learned variance for all pixels",
            ),
        ),
    )
    posterior: str = field(
        "full",
        FieldSpec(
            "Model",
            "Posterior",
            "Covariance of the Gaussian q(z|x).",
            choices=POSTERIORS,
            about=("axis-aligned ellipses", "ellipses that lean"),
        ),
    )
    fourier_features: int = field(
        16,
        FieldSpec(
            "Model",
            "Fourier features",
            "Random sine/cosine pairs of z; 0 for none.",
            "pairs",
            0,
            1_024,
        ),
    )
    fourier_scale: float = field(
        1.0,
        FieldSpec(
            "Model",
            "Fourier scale",
            "Standard deviation of their frequencies.",
            "rad/unit",
            0.01,
            100,
            needs=("fourier_features", range(1, 1_025)),
        ),
    )

    kind = "Recipe field"
    error = RecipeError

    @classmethod
    @override
    def from_dict(cls, values: dict[str, Any], source: str = "") -> Self:
        """As that of all fields; sizes that are left out are those usual for the network."""
        usual = USUAL_SIZES.get(str(values.get("network")), {})
        return super().from_dict(usual | values, source)

    @override
    def replace(self, /, **changes: Any) -> Self:
        """As that of all fields; another network gets sizes of its own where these do not fit."""
        network = changes.get("network", self.network)
        if network != self.network and network in USUAL_SIZES:
            most = _MOST_CHANNELS if network == "conv" else math.inf
            chosen = {
                name: now
                for name, usual in USUAL_SIZES[self.network].items()
                if (now := getattr(self, name)) != usual and max(sizes(now)) <= most
            }
            changes = USUAL_SIZES[network] | chosen | changes
        return super().replace(**changes)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a TOML recipe.

        Raises:
            RecipeError: the file is missing, not TOML, or holds a bad field.
        """
        return cls.parse(read_text(Path(path), "a recipe (.toml)", RecipeError), str(path))

    @classmethod
    def parse(cls, text: str, source: str = "recipe") -> Self:
        """Read a recipe from TOML text; ``source`` is named in errors.

        Raises:
            RecipeError: the text is not TOML, or holds a bad field.
        """
        return cls.from_dict(parse_toml(text, source, RecipeError), source)

    def to_toml(self) -> str:
        """The recipe as TOML text."""
        return tomli_w.dumps(self.to_dict())

    def write(self, path: str | Path) -> None:
        """Write the recipe as TOML.

        Raises:
            OSError: it cannot be written; an older file is intact.
        """
        atomic_write(Path(path), self.to_toml().encode())

    def architecture(self, image_shape: ImageShape) -> Architecture:
        """The networks this recipe asks for, for images of ``(height, width)`` or in colour."""
        named = {name: getattr(self, name) for name in _OF_NETWORKS}
        hidden = {name: sizes(named[name]) for name in _DENSE}
        return Architecture(image_shape, **(named | hidden))
