"""``vae-explorer evaluate``."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vae_explorer import schema
from vae_explorer.cli.parameters import (
    checkpoints_argument,
    data_of,
    images_of,
    open_snapshot,
    read_option,
    split_option,
)
from vae_explorer.cli.recipes import scheduler_option
from vae_explorer.data.reading import Reading
from vae_explorer.training.published import PUBLISHED, PublishedResult

if TYPE_CHECKING:
    from vae_explorer.training.evaluation import Evaluation

_COLUMNS = (
    ("ELBO", 9),
    ("IWAE-50", 9),
    ("IWAE-5000", 10),
    ("log p(x)", 18),
    ("log p(x|z)", 11),
    ("KL", 7),
    ("approx.", 9),
    ("amort.", 8),
    ("I(x;z)", 8),
)


@click.command()
@checkpoints_argument
@click.option(
    "--data",
    "source",
    default="test",
    show_default=True,
    metavar="test|train|PATH",
    help="MNIST images, or a file or folder of your own.",
)
@split_option
@read_option
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="Fixes the samples of binarised pixels and of z.",
)
@click.option(
    "--subset",
    type=click.IntRange(1, 60_000),
    default=200,
    show_default=True,
    help="Images for IWAE-5000 and the gaps, which are slow.",
)
@scheduler_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(
    checkpoints: tuple[Path, ...],
    source: str,
    split: str,
    choices: Reading,
    seed: int,
    subset: int,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Score models on images: every bound against the exact log p(x), and the gap between.

    Each CHECKPOINT gets a row; without any, the bundled model. A worker of --scheduler does a row.
    """
    from vae_explorer.training.cluster import map_on
    from vae_explorer.training.evaluation import evaluate as score
    from vae_explorer.training.meaning import measure, of_model
    from vae_explorer.training.snapshot import reference

    snapshots = [(str(path), open_snapshot(path)) for path in checkpoints]
    snapshots = snapshots or [("bundled", open_snapshot(None))]
    data = data_of(source, choices)
    images = images_of(data, source, split)
    published = PUBLISHED if source == "test" else ()
    titles = _titles([name for name, _ in snapshots])
    width = max(14, *(len(title) + 2 for title in titles))
    if not as_json:
        click.echo(f"{images.name} {split}, {len(images.images):,} images; nats per image\n")
        click.echo(_line("model", width, "pixels", [name for name, _ in _COLUMNS]))
    rows, told = [], list[str]()
    models = [snapshot.model for _, snapshot in snapshots]
    scores = map_on(scheduler, score, models, images, seed, subset)
    for title, (name, snapshot), row in zip(titles, snapshots, scores, strict=True):
        remarks = of_model(snapshot, reference(data))
        told += [f"{title}: {remark.text}" for remark in remarks]
        rows.append(
            {"checkpoint": name}
            | dataclasses.asdict(row)
            | {"measure": measure(snapshot.recipe), "trained_on": schema.storable(snapshot.data)}
            | {"remarks": [remark.text for remark in remarks]}
        )
        if not as_json:
            click.echo(_line(title + " ⚠" * bool(remarks), width, row.treatment, _cells(row)))
    if as_json:
        click.echo(json.dumps({"models": rows, "published": [*map(dataclasses.asdict, published)]}))
        return
    if published:
        click.echo("published")
    for number, result in enumerate(published, 1):
        name = f"{result.model} [{number}]"
        click.echo(_line(name, width, result.treatment, _published_cells(result)))
    click.echo(_notes(row, published))
    trained = (f"{title} on {s.data.name}" for title, (_, s) in zip(titles, snapshots, strict=True))
    click.echo(f"Trained: {', '.join(trained)}.")
    for text in told:
        click.echo(f"⚠ {text}")


def _titles(checkpoints: list[str]) -> list[str]:
    """A name for each row: the run's or the file's, and where that is not one's own the path."""
    from vae_explorer.training.run_folder import model_name

    names = {checkpoint: model_name(Path(checkpoint)) for checkpoint in checkpoints}
    taken = list(names.values())
    return [
        names[checkpoint] if taken.count(names[checkpoint]) == 1 else checkpoint
        for checkpoint in checkpoints
    ]


def _line(name: str, width: int, pixels: str, cells: list[str]) -> str:
    padded = (cell.rjust(room) for cell, (_, room) in zip(cells, _COLUMNS, strict=True))
    return f"{name:<{width + 2}}{pixels:<10}{''.join(padded)}"


def _cells(row: "Evaluation") -> list[str]:
    return [
        f"{row.elbo:.2f}",
        f"{row.iwae_50:.2f}",
        f"{row.iwae_5000:.2f}",
        f"{row.log_marginal:.3f} ± {row.log_marginal_error:.4f}",
        f"{row.log_likelihood:.2f}",
        f"{row.kl:.2f}",
        f"{row.approximation_gap:.2f}",
        f"{row.amortisation_gap:.2f}",
        f"{row.mutual_information:.2f}",
    ]


def _published_cells(row: PublishedResult) -> list[str]:
    estimate = f"{row.log_marginal:.2f} (IS {row.samples})"
    elbo, likelihood, kl = (
        "" if value is None else f"{value:.2f}" for value in (row.elbo, row.log_likelihood, row.kl)
    )
    return [elbo, "", "", estimate, likelihood, kl, "", "", ""]


def _notes(row: "Evaluation", published: tuple[PublishedResult, ...]) -> str:
    sources = (f"[{number}] {result.source}" for number, result in enumerate(published, 1))
    return "\n".join(
        [
            "",
            "log p(x) is exact, by quadrature; ± is the mean estimate of its numerical error. "
            f"Another set of images would change it by some {row.log_marginal_standard_error:.2f}.",
            f"One sample of the pixels, seed {row.seed}; one z per image for the ELBO. Pixels of "
            "different treatments cannot be compared.",
            f"approx. and amort. are the two parts of log p(x) − ELBO on {row.subset:,} images, "
            "which IWAE-5000 comes from too: log p(x) less the shortfall there.",
            "I(x;z) is the mutual information of image and code, the KL less KL(q(z)||p(z)), on at "
            "most 10,000 images.",
            *sources,
        ]
    )
