"""Tables of codes and points, and models, by the one door of exports."""

import csv
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from pyarrow import parquet

import vae_explorer as vx
from vae_explorer.cli import main
from vae_explorer.data.table_layout import TableLayout
from vae_explorer.errors import ExportError
from vae_explorer.export.about import read_about
from vae_explorer.export.making import made, remake, source_of
from vae_explorer.export.numeric_requests import Points
from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.quadrature import exact_codes, exact_posterior
from vae_explorer.training.snapshot import Snapshot

MODEL = "mnist-paper"
FEW = Points("both", indices="60001,3-4", elbo=True, log_p=True, exact=True)


def said(*words: object) -> str:
    """What a command prints."""
    result = CliRunner().invoke(main, [*map(str, words)])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet"])
def test_points_are_made_again_and_hold_what_is_asked(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"points{suffix}"
    slow = suffix == ".csv"
    asked = FEW.replace(log_p=slow, exact=slow)
    vx.export("points", path, MODEL, **asked.to_dict())
    told = read_about(path)
    assert told is not None
    assert told.asked == asked
    assert told.data is not None
    assert remake(path).differs == ""
    table: dict[str, Any]
    match suffix:
        case ".csv":
            rows = list(csv.DictReader(path.read_text().splitlines()))
            table = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        case ".npz":
            table = dict(np.load(path))
        case _:
            read = parquet.read_table(path)
            table = {name: read[name].to_numpy() for name in read.column_names}
    assert table["split"].tolist() == ["test", "train", "train"]
    assert table["index"].astype(int).tolist() == [1, 3, 4]
    model, seeds = vx.load(MODEL), np.array([60_001, 3, 4])
    images = np.concatenate([vx.mnist("test").images[1:2], vx.mnist("train").images[3:5]])
    figures, posterior = image_figures(model, images, seeds), model.encode(images)
    x = own_draws(model, images, seeds)
    truth: dict[str, Any] = {
        "z1": posterior.mean[:, 0],
        "cov12": posterior.covariance[:, 0, 1],
        "elbo": figures.elbo,
        "log_likelihood": figures.log_likelihood,
        "log_marginal": exact_posterior(model, x).log_marginal,
        "exact2": exact_codes(model, x)[:, 1],
    }
    for name, wanted in truth.items():
        if not slow and name in ("log_marginal", "exact2"):  # which take their time
            continue
        np.testing.assert_array_equal(table[name].astype(np.float32), wanted.astype(np.float32))


def test_codes_are_all_images_of_a_split(tmp_path: Path) -> None:
    path = tmp_path / "codes.npz"
    assert said("export", "codes", MODEL, "--out", path) == f"Wrote {path}\n"
    said("encode", MODEL, "--out", tmp_path / "encoded.npz")
    with np.load(path) as codes, np.load(tmp_path / "encoded.npz") as encoded:
        assert [*codes] == ["split", "index", "label", "z1", "z2", "var1", "cov12", "var2"]
        np.testing.assert_array_equal(codes["label"], encoded["label"])
        np.testing.assert_array_equal(codes["z2"], encoded["mean"][:, 1])
        np.testing.assert_array_equal(codes["var2"], encoded["covariance"][:, 1, 1])


def test_a_users_table_joins_by_index(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("index,group,label\n3,a,7\n5,b,8\n6,a,8\n")
    request = Points(indices="5,4", table=str(table))
    lines = made(request, source_of(MODEL), ".csv")[0].decode().splitlines()
    assert lines[0].endswith("var2,group,label_own")
    assert [line.split(",")[-2:] for line in lines[1:]] == [["b", "8"], ["", ""]]
    layout = TableLayout(index="index", images="test", numbers=("label",))
    request = request.replace(reading=json.dumps(asdict(layout)))
    lines = made(request, source_of(MODEL), ".csv")[0].decode().splitlines()
    assert [line.split(",")[-1] for line in lines[1:]] == ["8.0", "nan"]


def test_what_is_known_is_not_computed_again() -> None:
    known = np.full(10_000, np.nan, np.float32)
    known[3] = -5.5
    source = replace(source_of(MODEL), known={"log_marginal": known})
    request = Points(indices="2-3", log_p=True)
    first, second = made(request, source, ".csv")[0].decode().splitlines()[1:]
    assert float(second.split(",")[-1]) == -5.5
    assert float(first.split(",")[-1]) < -10


@pytest.mark.parametrize(
    ("indices", "says"),
    [("10000", "10,000 images of test, so none 10,000"), ("x", "whole"), ("9-3", "are none")],
)
def test_images_that_are_not_there_are_refused(indices: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=says):
        vx.export("points", tmp_path / "a.csv", MODEL, indices=indices)
    assert not list(tmp_path.iterdir())


def test_a_progress_that_refuses_ends_the_work() -> None:
    def stop(done: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(FEW, source_of(MODEL), ".csv", stop)


@pytest.mark.parametrize("suffix", [".onnx", ".zip", ".safetensors"])
def test_a_model_is_made_again(
    suffix: str, checkpoint: Path, tmp_path: Path, trained: Snapshot
) -> None:
    path = tmp_path / f"model{suffix}"
    told = said("export", "model", checkpoint, "--network", "decoder", "--out", path)
    assert told.startswith(f"Wrote {path}")
    assert ("differ from ours by at most" in told) == (suffix == ".onnx")
    assert said("remake", path) == "The same to the byte.\n"
    if suffix == ".safetensors":
        z = [[0.3, -0.4]]
        np.testing.assert_array_equal(vx.load(path).decode(z), trained.model.decode(z))
