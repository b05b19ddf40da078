"""Each bench runs through with few rounds and prints the metric names that scripts read."""

import math

import pytest
import torch
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from vae_explorer import bench
from vae_explorer.bench import (
    decode,
    exact,
    explore,
    lessons,
    memory,
    quick,
    responsiveness,
    startup,
    train,
)
from vae_explorer.bench import map as map_bench
from vae_explorer.data.dataset import ImageSet
from vae_explorer.training.recipe import Recipe


def _names(name: str) -> list[str]:
    figures = list(bench.run(name))
    assert all(math.isfinite(figure.value) and figure.value > 0 for figure in figures)
    return [figure.metric for figure in figures]


def test_decode(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setattr(decode, "_PLACES", 20)
    monkeypatch.setattr(decode, "_WARM_UP", 2)
    assert _names("decode") == ["decode.latency_ms.median", "decode.latency_ms.p99"]


def test_map(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setattr(map_bench, "_COUNTS", (500, 1_000))
    monkeypatch.setattr(map_bench, "_ROUNDS", 2)
    monkeypatch.setattr(map_bench, "_PEER_ROUNDS", 2)
    monkeypatch.setattr(map_bench, "_PICKS", 5)
    figures = list(bench.run("map"))
    window = ["frame_ms", "zoom_ms", "replace_ms", "bytes_per_point"]
    picks = ["index_build_ms", "pick_index_ms", "pick_all_ms"]
    names = [f"map.{name}" for name in (*window, *picks, *(f"peer_{name}" for name in window))]
    assert [figure.metric for figure in figures] == names * 2
    assert [figure.details["points"] for figure in figures] == [500] * 11 + [1_000] * 11
    assert all(math.isfinite(figure.value) and figure.value > 0 for figure in figures)
    assert figures[0].details["platform"] == QGuiApplication.platformName()


@pytest.mark.slow
def test_train(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "set_threads", torch.get_num_threads)
    monkeypatch.setattr(train, "_BATCH", 8)
    monkeypatch.setattr(train, "_ROUNDS", 1)
    monkeypatch.setattr(train, "_REPORTS", 1)
    monkeypatch.setattr(train, "_PRODUCTS", 3)
    names = ["images_per_s", "vs_dataloader", "vs_tensors", "ceiling_share", "bfloat16_gain"]
    assert _names("train") == [f"train.{name}" for name in names]


@pytest.mark.slow
def test_quick(
    monkeypatch: pytest.MonkeyPatch, small_mnist: dict[str, ImageSet], qtbot: QtBot
) -> None:
    monkeypatch.setattr(quick, "set_threads", torch.get_num_threads)
    monkeypatch.setattr(quick, "mnist", small_mnist.__getitem__)
    monkeypatch.setattr(quick, "_SETTLE_MS", 200)
    monkeypatch.setattr(quick, "_SECONDS", 6.0)
    small = Recipe(epochs=2, encoder_hidden="8", decoder_hidden="8", validation_images=50)
    monkeypatch.setattr(quick, "_RECIPE", small)
    monkeypatch.setattr(quick, "_PUBLISHED", -1_000.0)
    figures = {figure.metric: figure for figure in bench.run("quick")}
    names = ("seconds_to_published", "elbo_60s")
    arms = ("", "headless_", "peer_")
    assert [*figures] == [f"quick.{arm}{name}" for arm in arms for name in names]
    for arm in arms:
        seconds, elbo = (figures[f"quick.{arm}{name}"] for name in names)
        assert 0 < seconds.value <= 6
        assert -1_000 < elbo.value < 0
    assert figures["quick.elbo_60s"].details["epochs"] == 2


@pytest.mark.slow
def test_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "set_threads", torch.get_num_threads)
    monkeypatch.setattr(exact, "_IMAGES", 20)
    monkeypatch.setattr(exact, "_RUNS", 1)
    monkeypatch.setattr(exact, "_PRODUCTS", 1)
    seconds, error, share = bench.run("exact")
    assert [figure.metric for figure in (seconds, error, share)] == [
        "exact.seconds_10k",
        "exact.error_nats",
        "exact.ceiling_share",
    ]
    assert seconds.value > 0
    assert error.n == 20
    assert 0 < error.value <= float(error.details["max"])
    assert float(error.details["p99"]) <= float(error.details["max"])
    assert share.value > 0


@pytest.mark.slow
def test_explore(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setattr(explore, "set_threads", torch.get_num_threads)
    monkeypatch.setattr(explore, "_SETTLE_MS", 200)
    for name, few in (("_MOVES", 5), ("_PAIRS", 1), ("_DIGITS", 1), ("_MANIFOLDS", 1)):
        monkeypatch.setattr(explore, name, few)
    assert _names("explore") == [
        "explore.pointer_ms.median",
        "explore.pointer_ms.p99",
        "explore.pointer_training_ms.p99",
        "explore.manifold64_ms",
        "explore.geodesic_ms",
        "explore.posterior_ms",
    ]


@pytest.mark.long
@pytest.mark.usefixtures("small_mnist")
def test_lessons(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setattr(lessons, "_SETTLE_MS", 500)
    monkeypatch.setattr(lessons, "_MOVES", 20)
    monkeypatch.setattr(lessons, "_GROWN", 30_000)
    names = _names("lessons")
    drags = ["functionals", "pushforward", "decoder", "sampling", "bound", "tighter"]
    drags += ["reparameterisation", "trade", "geometry", "views"]
    assert [name for name in names if "drag_ms" in name] == [f"lessons.drag_ms.{n}" for n in drags]
    assert {"lessons.growth_ms.sampling", "lessons.growth_ms.tighter", "lessons.decoder_s"} <= {
        *names
    }


@pytest.mark.slow
@pytest.mark.usefixtures("small_mnist")
def test_responsiveness(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setattr(responsiveness, "_SETTLE_MS", 200)
    small = Recipe(batch_size=200, encoder_hidden="8", decoder_hidden="8", validation_images=0)
    monkeypatch.setattr(responsiveness, "_RECIPE", small)
    monkeypatch.setattr(responsiveness, "TRAINING_IMAGES", 600)
    monkeypatch.setattr(responsiveness, "_EPOCHS", 20)
    monkeypatch.setattr(responsiveness, "_HEADLESS_EPOCHS", 1)
    monkeypatch.setattr(responsiveness, "_HEADLESS_THREADS", (1,))
    *lags, ratio = bench.run("responsiveness")
    names = [f"responsiveness.lag_ms.{name}" for name in ("median", "p99", "max")]
    assert [figure.metric for figure in lags] == names
    assert lags[0].value <= lags[1].value <= lags[2].value
    assert all(int(figure.details["images_per_s"]) > 0 for figure in lags)
    assert ratio.metric == "responsiveness.throughput_ratio"
    expected = int(lags[0].details["images_per_s"]) / int(ratio.details["headless_images_per_s"])
    assert ratio.value == pytest.approx(expected, rel=0.01)


@pytest.mark.long
def test_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Recipe(epochs=1, encoder_hidden="8", decoder_hidden="8", validation_images=0)
    monkeypatch.setattr(memory, "_RECIPE", small)
    monkeypatch.setattr(memory, "_ACTS", 12)
    *resident, run = bench.run("memory")
    assert [figure.metric for figure in resident] == ["memory.resident_mb"] * 3
    assert [figure.details["after"] for figure in resident] == ["start", "run", "use"]
    assert all(figure.value > float(figure.details["imported_mb"]) > 50 for figure in resident)
    assert run.metric == "memory.run_mb"
    assert 0 < run.value < float(run.details["whole_run_mb"])


@pytest.mark.slow
def test_startup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "_RUNS", 1)
    assert _names("startup") == ["startup.window_s", "startup.first_decode_s"]
