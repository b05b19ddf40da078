"""Which panels there are, and which figures each of them shows."""

from typing import Literal, NamedTuple

from vae_explorer.session.training.run_history import Rows, RunHistory

TimeAxis = Literal["epoch", "step", "seconds"]

TIME_LABELS: dict[TimeAxis, str] = {"epoch": "epochs", "step": "steps", "seconds": "time (s)"}
NATS = "nats / image"


class CurveSpec(NamedTuple):
    """A figure over time.

    ``color`` names one of the theme's. What is measured at each report on a few images may be
    ``smooth``-ed; ``digits`` is how its value is written (``format``'s mini-language).
    """

    name: str
    column: str
    color: str
    stroke: str = "━"
    rows: Rows = "all"
    dashed: bool = False
    dotted: bool = False
    symbol: str = ""
    smooth: bool = True
    digits: str = ".2f"


class PanelSpec(NamedTuple):
    """Figures that share an axis; all overlays show the first, and the held-out one if any."""

    id: str
    title: str
    unit: str
    tip: str
    curves: tuple[CurveSpec, ...]
    optional: bool = True
    log_y: bool = False
    limits: tuple[float, float] | None = None
    """All the values there can be, if they are few."""
    least_span: float = 0.0
    """The axis shows so much at least."""
    likely: bool = False
    """They are likelihoods, or what is marked as none."""
    shade: tuple[str, str] | None = None
    """Two columns, the lower first, between which the plot is shaded, and the gap is written."""


def _measured(column: str, color: str, /, **options: object) -> CurveSpec:
    spec = CurveSpec("held-out", column, color, "╍╍", "held_out", dashed=True, smooth=False)
    return spec._replace(**options)  # type: ignore[arg-type]


PANELS = (
    PanelSpec(
        "elbo",
        "ELBO",
        NATS,
        "The lower bound of log p(x), and log p(x) where it is known exactly; the gap between "
        "them is what a better q could gain",
        (
            CurveSpec("train", "elbo", "train"),
            _measured(
                "held_out_elbo",
                "held_out",
                stroke="━●",
                symbol="o",
                dashed=False,
            ),
            _measured(
                "held_out_log_marginal",
                "log_likelihood",
                name="log p(x)",
                stroke="━◆",
                symbol="d",
                rows="exact",
                dashed=False,
            ),
            CurveSpec("objective", "objective", "muted", "┄┄", dotted=True),
        ),
        optional=False,
        likely=True,
        shade=("held_out_elbo", "held_out_log_marginal"),
    ),
    PanelSpec(
        "log_likelihood",
        "log p(x|z)",
        NATS,
        "Reconstruction: the expected log-likelihood of an image under its posterior",
        (
            CurveSpec("train", "log_likelihood", "log_likelihood"),
            _measured("held_out_log_likelihood", "held_out"),
        ),
        optional=False,
        likely=True,
    ),
    PanelSpec(
        "kl",
        "KL",
        NATS,
        "Divergence of the posterior from the prior",
        (CurveSpec("train", "kl", "kl"), _measured("held_out_kl", "held_out")),
        optional=False,
    ),
    PanelSpec(
        "active_units",
        "Active units",
        "units",
        "Latent dimensions that the held-out images use",
        (
            _measured(
                "active_units",
                "held_out",
                stroke="━●",
                symbol="o",
                dashed=False,
                digits=".0f",
            ),
        ),
        limits=(-0.1, 2.1),
    ),
    PanelSpec(
        "learning_rate",
        "Learning rate",
        "step size",
        "The step size of the optimizer",
        (CurveSpec("train", "learning_rate", "train", smooth=False, digits=".3g"),),
        log_y=True,
    ),
    PanelSpec(
        "gradient_norm",
        "Gradient norm",
        "nats",
        "Length of the gradient before clipping, the mean over the steps of a report",
        (CurveSpec("train", "gradient_norm", "train", digits=".3g"),),
        log_y=True,
    ),
    PanelSpec(
        "beta",
        "β",
        "weight of KL",
        "The weight of KL in the objective",
        (CurveSpec("train", "beta", "kl", smooth=False, digits=".3g"),),
        least_span=0.2,
    ),
    PanelSpec(
        "samples",
        "Samples",
        "samples / image",
        "Samples of z per image in each step",
        (CurveSpec("train", "samples", "train", smooth=False, digits=".0f"),),
        least_span=2.0,
    ),
)


class Overlay(NamedTuple):
    """Another run to compare with, and its colour "#rrggbb"."""

    name: str
    color: str
    history: RunHistory


def overlaid(spec: PanelSpec) -> list[CurveSpec]:
    """What a panel shows of other runs: of the training images a line, of the held-out a dashed."""
    found = (next((c for c in spec.curves if c.rows == rows), None) for rows in ("all", "held_out"))
    return [c._replace(dashed=c.rows == "held_out") for c in found if c is not None]
