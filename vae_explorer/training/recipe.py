"""The recipe: every choice that decides what a training run computes."""

import dataclasses
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

import tomli_w

from vae_explorer.data.treatment import TREATMENTS
from vae_explorer.errors import RecipeError
from vae_explorer.files import atomic_write, read_text
from vae_explorer.model.architecture import (
    ACTIVATIONS,
    LIKELIHOODS,
    NETWORKS,
    POSTERIORS,
    Architecture,
)
from vae_explorer.schema import parse_toml

Value = int | float | str
"""Of a field."""

SCHEDULES = ("cosine", "one-cycle", "constant")
OBJECTIVES = ("elbo", "iwae", "iwae-dreg", "exact")
PRECISIONS = ("float32", "bfloat16")
STEERABLE = ("learning_rate", "beta", "samples")
"""Fields that may be given another value while a run is under way."""

LONGEST_STACK = 16
WIDEST_LAYER = 8_192


@dataclass(frozen=True)
class FieldSpec:
    """What a form, a command line and a validator need to know of one field.

    ``low`` and ``high`` are inclusive; ``choices`` is empty for numbers. ``unit`` is a plain word.
    Where ``sizes`` is true the value is a list of whole numbers such as ``512-256``, and the limits
    are those of each. ``about`` has a line on each of ``choices``, or nothing; ``objectives`` are
    those that the field matters to, all if empty.
    """

    group: str
    label: str
    help: str
    unit: str = ""
    low: float = 0.0
    high: float = 0.0
    choices: tuple[str, ...] = ()
    sizes: bool = False
    about: tuple[str, ...] = ()
    objectives: tuple[str, ...] = ()


def field_value(text: str) -> Value:
    """What a person wrote for a field: a number where it reads as one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip()


def _field(default: Value, spec: FieldSpec) -> Any:
    return dataclasses.field(default=default, metadata={"spec": spec})


@dataclass(frozen=True)
class Recipe:
    """A validated, immutable training recipe.

    Raises:
        RecipeError: a value has the wrong type or lies outside its range; the message names it.
    """

    epochs: int = _field(
        20, FieldSpec("Training", "Epochs", "Passes over the training images.", "epochs", 1, 10_000)
    )
    batch_size: int = _field(
        200, FieldSpec("Training", "Batch", "Images in one gradient step.", "images", 1, 60_000)
    )
    learning_rate: float = _field(
        1.5e-3,
        FieldSpec("Training", "Learning rate", "AdamW's peak step size.", "", 1e-6, 1.0),
    )
    schedule: str = _field(
        "cosine",
        FieldSpec(
            "Training", "Schedule", "How the learning rate moves over the run.", choices=SCHEDULES
        ),
    )
    warmup_steps: int = _field(
        500,
        FieldSpec(
            "Training", "Warm-up", "Steps of linear learning-rate rise.", "steps", 0, 100_000
        ),
    )
    weight_decay: float = _field(
        1e-3, FieldSpec("Training", "Weight decay", "AdamW's decoupled decay.", "", 0.0, 1.0)
    )
    gradient_clip: float = _field(
        200.0,
        FieldSpec(
            "Training",
            "Gradient clip",
            "Largest gradient norm of a step; 0 for none.",
            "nats",
            0,
            1e6,
        ),
    )
    precision: str = _field(
        "float32",
        FieldSpec(
            "Training",
            "Precision",
            "Numbers inside matrix products; bfloat16 is faster where the processor has it.",
            choices=PRECISIONS,
        ),
    )
    objective: str = _field(
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
    samples: int = _field(
        1,
        FieldSpec("Objective", "Samples", "Draws of z an image; the k of IWAE-k.", "", 1, 10_000),
    )
    lattice_points: int = _field(
        1_600,
        FieldSpec(
            "Objective",
            "Lattice",
            "Places the exact objective sums over.",
            "places",
            16,
            100_000,
            objectives=("exact",),
        ),
    )
    elbo_share: float = _field(
        0.0,
        FieldSpec(
            "Objective",
            "ELBO share",
            "Part of the decoder's exact objective that is the ELBO: keeps posteriors easy to fit.",
            "",
            0.0,
            1.0,
            objectives=("exact",),
        ),
    )
    beta: float = _field(
        1.0,
        FieldSpec(
            "Objective",
            "β",
            "Weight of the KL term; 1 is the ELBO.",
            "",
            0.0,
            100.0,
            objectives=("elbo",),
        ),
    )
    kl_warmup: float = _field(
        0.0,
        FieldSpec(
            "Objective",
            "KL warm-up",
            "Epochs in which β rises from 0.",
            "epochs",
            0,
            10_000,
            objectives=("elbo",),
        ),
    )
    treatment: str = _field(
        "binarized",
        FieldSpec(
            "Objective",
            "Data treatment",
            "What becomes of the pixels' intensities.",
            choices=TREATMENTS,
            about=("fresh Bernoulli pixels each time", "left as they are", "x > 0.5"),
        ),
    )
    seed: int = _field(
        0, FieldSpec("Objective", "Seed", "Fixes weights, order and noise.", "", 0, 2**31 - 1)
    )
    validation_images: int = _field(
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
    network: str = _field(
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
    encoder_hidden: str = _field(
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
    decoder_hidden: str = _field(
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
    activation: str = _field(
        "gelu", FieldSpec("Model", "Activation", "Non-linearity.", choices=ACTIVATIONS)
    )
    likelihood: str = _field(
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
    posterior: str = _field(
        "full",
        FieldSpec(
            "Model",
            "Posterior",
            "Covariance of the Gaussian q(z|x).",
            choices=POSTERIORS,
            about=("axis-aligned ellipses", "ellipses that lean"),
        ),
    )
    fourier_features: int = _field(
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
    fourier_scale: float = _field(
        1.0,
        FieldSpec(
            "Model",
            "Fourier scale",
            "Standard deviation of their frequencies.",
            "rad/unit",
            0.01,
            100,
        ),
    )

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            spec: FieldSpec = item.metadata["spec"]
            value = getattr(self, item.name)
            if spec.choices:
                if value not in spec.choices:
                    raise RecipeError(
                        f"Recipe field '{item.name}' is {value!r}; "
                        f"choose one of {', '.join(spec.choices)}."
                    )
                continue
            if spec.sizes:
                if type(value) is int:  # a single layer needs no quotes
                    value = str(value)
                    object.__setattr__(self, item.name, value)
                _check_sizes(item.name, value, spec)
                continue
            whole = type(value) is int  # True and False are no numbers here
            if not (whole or (item.type is float and type(value) is float)):
                raise RecipeError(
                    f"Recipe field '{item.name}' is {value!r}; "
                    f"it must be {'a whole number' if item.type is int else 'a number'}."
                )
            if not spec.low <= value <= spec.high:  # false for NaN too
                raise RecipeError(
                    f"Recipe field '{item.name}' is {value:,}; it must lie between "
                    f"{spec.low:,} and {spec.high:,} {spec.unit}".rstrip()
                    + "."
                )
            if item.type is float and whole:
                object.__setattr__(self, item.name, float(value))

    @classmethod
    def specs(cls) -> dict[str, FieldSpec]:
        """The specification of every field, in order."""
        return {item.name: item.metadata["spec"] for item in dataclasses.fields(cls)}

    @classmethod
    def from_dict(cls, values: dict[str, Any], source: str = "") -> Self:
        """Build a recipe from plain values; errors begin with ``source``.

        Raises:
            RecipeError: a field is unknown, of the wrong type or out of range.
        """
        prefix = f"{source}: " if source else ""
        known = list(cls.specs())
        for key in values:
            if key not in known:
                near = get_close_matches(key, known, 1)
                hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}."
                raise RecipeError(f"{prefix}Unknown recipe field '{key}'; {hint}")
        try:
            return cls(**values)
        except RecipeError as error:
            raise RecipeError(f"{prefix}{error}") from None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a TOML recipe.

        Raises:
            RecipeError: the file is missing, not TOML, or holds a bad field.
        """
        return cls.parse(read_text(path, "a recipe (.toml)", RecipeError), str(path))

    @classmethod
    def parse(cls, text: str, source: str = "recipe") -> Self:
        """Read a recipe from TOML text; ``source`` is named in errors.

        Raises:
            RecipeError: the text is not TOML, or holds a bad field.
        """
        return cls.from_dict(parse_toml(text, source, RecipeError), source)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values, in order."""
        return dataclasses.asdict(self)

    def to_toml(self) -> str:
        """The recipe as TOML text."""
        return tomli_w.dumps(self.to_dict())

    def write(self, path: Path) -> None:
        """Write the recipe as TOML.

        Raises:
            OSError: it cannot be written; an older file is intact.
        """
        atomic_write(path, self.to_toml().encode())

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated.

        Raises:
            RecipeError: as ``from_dict``.
        """
        return type(self).from_dict(self.to_dict() | changes)

    def architecture(self, image_shape: tuple[int, int]) -> Architecture:
        """The networks this recipe asks for, for images of ``(height, width)``."""
        return Architecture(
            image_shape=image_shape,
            network=self.network,
            encoder_hidden=_sizes(self.encoder_hidden),
            decoder_hidden=_sizes(self.decoder_hidden),
            activation=self.activation,
            likelihood=self.likelihood,
            posterior=self.posterior,
            fourier_features=self.fourier_features,
            fourier_scale=self.fourier_scale,
        )


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(size) for size in text.split("-"))


def _check_sizes(name: str, value: object, spec: FieldSpec) -> None:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(-[0-9]{1,9})*", value):
        sizes = _sizes(value)
        if len(sizes) <= LONGEST_STACK and all(spec.low <= size <= spec.high for size in sizes):
            return
    raise RecipeError(
        f"Recipe field '{name}' is {value!r}; it must be 1 to {LONGEST_STACK} sizes from "
        f'{spec.low:,} to {spec.high:,} {spec.unit}, such as "512-256".'
    )
