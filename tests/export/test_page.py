import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.errors import ExportError
from vae_explorer.export.making import made, source_of
from vae_explorer.export.requests import Page
from vae_explorer.export.source import Source
from vae_explorer.gui.theme import CLASS_PALETTE, DARK, LIGHT
from vae_explorer.model.outside import outside_model
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import Snapshot, reference
from vae_explorer.types import Float32, ImageShape

_NODE = shutil.which("node")
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_PLACES = np.random.default_rng(0).uniform(-4, 4, (50, 2)).round(2)

_BY_NODE = """
const page = require("fs").readFileSync(process.argv[1], "utf8");
const part = (id) => page.match(new RegExp(`<script[^>]*id="${id}"[^>]*>([^]*?)</script>`))[1];
const run = new Function("data", "places", part("decoder") +
  "const {decoder} = unpackAll(data); return places.map((z) => [...decode(decoder, z)])");
console.log(JSON.stringify(run(JSON.parse(part("data")), JSON.parse(process.argv[2]))));
"""
_BY_CHROMIUM = """<script>
  const images = PLACES.map((z) => {
    show(z);
    paintImage();
    const {data} = find("image").getContext("2d").getImageData(0, 0, width, height);
    return [...data].filter((_, i) => i % 4 === 0);
  });
  document.body.textContent = JSON.stringify({images, pinned});
</script>"""


def _made(source: Source, **request: Any) -> bytes:
    return made(Page(**request), source, ".html")[0]


@pytest.fixture(scope="module")
def page() -> bytes:
    return _made(source_of("mnist-elbo"))


def _by_node(page: bytes, path: Path) -> Float32:
    path.write_bytes(page)
    assert _NODE
    command = [_NODE, "-e", _BY_NODE, str(path), json.dumps(_PLACES.tolist())]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return np.array(json.loads(said), np.float32)


def _data(shape: ImageShape, name: str = "mine") -> Dataset:
    pixels = np.random.default_rng(1).integers(0, 256, (30, *shape), np.uint8)
    labels = np.arange(30, dtype=np.uint8) % 3
    return Dataset.cut(ImageSet(pixels, labels, name, classes=("cat", "a<b", "</script>")), 20)


def _untrained(data: Dataset, recipe: Recipe) -> Snapshot:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        vae = VAE(recipe.architecture(data.image_shape))
    with torch.no_grad():
        for parameter in vae.decoder.parameters():
            parameter.mul_(2).add_(0.01)  # so that neither images nor biases are all alike
    return Snapshot(TrainedVAE(vae, recipe.treatment), recipe, reference(data), (), 0, 0)


@pytest.mark.skipif(not _NODE, reason="no node")
def test_the_page_decodes_as_the_program_does(
    page: bytes, bundled: Snapshot, tmp_path: Path
) -> None:
    found = _by_node(page, tmp_path / "page.html").reshape(-1, 28, 28)
    np.testing.assert_allclose(found, bundled.model.decode(_PLACES), rtol=0, atol=1 / 255)


@pytest.mark.skipif(not _NODE, reason="no node")
@pytest.mark.parametrize(
    ("shape", "choices"),
    [
        ((5, 4), {"activation": "relu", "fourier_features": 0}),
        ((5, 4, 3), {"activation": "tanh", "likelihood": "gaussian"}),
        ((5, 4), {"network": "residual", "likelihood": "continuous-bernoulli"}),
        ((7, 5), {"network": "conv", "decoder_hidden": "6-4"}),
        ((6, 9, 3), {"network": "conv", "decoder_hidden": "4", "likelihood": "gaussian"}),
    ],
)
def test_every_kind_of_decoder_can_be_a_page(
    shape: ImageShape, choices: dict[str, str | int], tmp_path: Path
) -> None:
    """Turned too, as the map may be."""
    data = _data(shape)
    recipe = Recipe(encoder_hidden="8").replace(decoder_hidden="16-12").replace(**choices)
    snapshot = _untrained(data, recipe)
    source = Source(snapshot, None, np.array([[0.6, -0.8], [0.8, 0.6]]), lambda: data)
    found = _by_node(_made(source), tmp_path / "page.html")
    expected = source.model.decode(_PLACES)
    assert np.ptp(expected, axis=0).max() > 0.05
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=0, atol=1 / 255)


@pytest.mark.skipif(not _CHROMIUM, reason="no Chromium")
def test_a_browser_shows_what_the_program_decodes(
    page: bytes, bundled: Snapshot, tmp_path: Path
) -> None:
    """From a file; its address says where it begins."""
    script = _BY_CHROMIUM.replace("PLACES", json.dumps(_PLACES.tolist()))
    (tmp_path / "page.html").write_bytes(page.replace(b"</body>", f"{script}</body>".encode()))
    assert _CHROMIUM
    said = subprocess.run(
        [
            *(_CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1280,800"),
            (tmp_path / "page.html").as_uri() + "#z=0.50,-1.25",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    body = re.search(r"<body>(.*)</body>", said, re.DOTALL)
    assert body
    shown = json.loads(body[1])
    assert shown["pinned"] == [0.5, -1.25]
    found = np.array(shown["images"]).reshape(-1, 28, 28) / 255
    np.testing.assert_allclose(found, bundled.model.decode(_PLACES), rtol=0, atol=1 / 255)


def test_it_is_small_the_same_again_and_asks_no_network(page: bytes) -> None:
    assert len(page) < 4 << 20
    assert _made(source_of("mnist-elbo")) == page
    text = page.decode()
    assert "default-src 'none'; img-src data:" in text
    assert not re.search(r"<link[^>]*href=\"(?!data:)|\bsrc=|@import|url\(|fetch\(", text)


def test_it_names_model_figures_and_data(page: bytes) -> None:
    text = page.decode()
    assert "<title>The latent plane of mnist-elbo</title>" in text
    assert "held-out ELBO −129.91, log p(x) −123.02 nats per image" in text
    assert "4,000 encoded test images of MNIST" in text
    assert "Christopher J. C. Burges, CC BY-SA 3.0" in text


def test_words_of_others_are_words_alone() -> None:
    data = _data((5, 4), "cats & <dogs>")
    recipe = Recipe(encoder_hidden="8", decoder_hidden="8", treatment="gray")
    text = _made(
        Source(_untrained(data, recipe), open_data=lambda: data),
        title="</title><b>",
        credit='"mine" & <yours>',
    ).decode()
    assert "<h1>&lt;/title&gt;&lt;b&gt;</h1>" in text
    assert "10 encoded test images of cats &amp; &lt;dogs&gt;" in text
    assert "&quot;mine&quot; &amp; &lt;yours&gt;" in text
    assert "a cross-entropy, no likelihood" in text
    held = re.search(r'id="data">(.*?)</script>', text)
    assert held
    assert json.loads(held[1])["classes"] == ["cat", "a<b", "</script>"]


def test_a_model_of_another_program_is_refused() -> None:
    class Mine:
        def encode(self, images: Float32) -> tuple[Float32, Float32]:
            return images[:, 0, :2], images[:, 0, :2] + 1

        def decode(self, z: Float32) -> Float32:
            return np.full((len(z), 5, 4), 0.5, np.float32)

    data = _data((5, 4))
    model = outside_model(Mine(), data.test.images, likelihood="gaussian", variance=1.0)
    snapshot = Snapshot(model, Recipe(), reference(data), (), 0, 0)
    with pytest.raises(ExportError, match="mlp, residual and conv"):
        _made(Source(snapshot, open_data=lambda: data))


def test_it_has_the_colours_of_the_program(page: bytes) -> None:
    text = page.decode()
    for theme in (LIGHT, DARK):
        for name in ("window", "raised", "canvas", "text", "muted", "grid", "accent"):
            assert f"--{name}: {getattr(theme, name)};" in text
    colors = re.search(r"--classes: ([^;]*);", text)
    assert colors
    expected = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in CLASS_PALETTE.tolist()]
    assert colors[1].split() == expected
