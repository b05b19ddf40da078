"""``vae-explorer evaluate``."""

import dataclasses
import json
from pathlib import Path

import click

from vae_explorer.cli.parameters import checkpoint_argument, open_snapshot


@click.command()
@checkpoint_argument
@click.option(
    "--data",
    "split",
    type=click.Choice(["test", "train"]),
    default="test",
    show_default=True,
    help="Which MNIST images.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="Fixes the draw of binarised pixels and of z.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(checkpoint: Path | None, split: str, seed: int, as_json: bool) -> None:
    """Score a model on images: the ELBO and its terms.

    The model is CHECKPOINT, or the bundled one.
    """
    snapshot = open_snapshot(checkpoint)
    from vae_explorer.data.bundled import mnist
    from vae_explorer.training.evaluation import evaluate as score

    result = score(snapshot.model, mnist(split), seed)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(result)))
        return
    rows = [
        (f"{split} ELBO", f"{result.elbo:.3f} nats per image"),
        ("standard error", f"{result.standard_error:.3f} nats over images"),
        ("log p(x|z)", f"{result.log_likelihood:.3f} nats per image"),
        ("KL(q(z|x)||p(z))", f"{result.kl:.3f} nats per image"),
        ("data", f"{result.data}, {result.images:,} images"),
        ("treatment", result.treatment),
        ("estimator", f"{result.estimator}, one z an image, seed {result.seed}"),
    ]
    for name, value in rows:
        click.echo(f"{name:<18}{value}")
