import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from safetensors.numpy import save_file

import vae_explorer
from tests.model.test_outside import Linear
from tests.support.full_disk import disk_with_room_for
from vae_explorer import paths
from vae_explorer.gui import app
from vae_explorer.session.files.open_model import SavedModel
from vae_explorer.training.tensors import read_tensors

Cli = Callable[..., Result]
Refused = Callable[..., str]

PROGRAM = [sys.executable, "-m", "vae_explorer"]


def test_help_names_every_command_and_bundled_model(cli: Cli) -> None:
    shown = cli("-h").stdout
    for name in [
        "explore",
        "train",
        "evaluate",
        "encode",
        "decode",
        "export",
        "data",
        "bench",
        "doctor",
    ]:
        assert f"\n  {name} " in shown
    assert all(name in shown for name in paths.bundled_models())
    assert cli("--help").stdout == shown


@pytest.mark.parametrize(
    ("words", "checkpoint"),
    [
        ([], None),
        (["explore"], None),
        (["explore", "a.safetensors"], Path("a.safetensors")),
        (["some/where/a.safetensors"], Path("some/where/a.safetensors")),
        (["mnist-iwae"], paths.checkpoints() / "mnist-iwae.safetensors"),
        (["explore", "mnist-iwae"], paths.checkpoints() / "mnist-iwae.safetensors"),
    ],
)
def test_the_window_opens_by_default(
    words: list[str], checkpoint: Path | None, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path | None] = []

    def open_window(path: Path | None) -> int:
        opened.append(path)
        return 3

    monkeypatch.setattr(app, "main", open_window)
    assert cli(*words).exit_code == 3
    assert opened == [checkpoint]


def test_images_without_a_model_are_opened_in_the_window(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def open_window(*, data: Path) -> int:
        opened.append(data)
        return 3

    monkeypatch.setattr(app, "main", open_window)
    assert cli("explore", "--data", "digits").exit_code == 3
    assert opened == [Path("digits")]


@pytest.mark.parametrize("name", ["train", "data", "mnist-iwae"])
def test_a_file_is_opened_whatever_its_name(
    name: str, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened: list[Path] = []
    main: Callable[[Path], None] = opened.append
    monkeypatch.setattr(app, "main", main)
    monkeypatch.chdir(tmp_path)
    Path(name).mkdir()
    assert cli("data", "--help").exit_code == 0
    assert "Train a model" in cli("train", "--help").stdout
    assert not opened, "a folder is called like a command"
    Path(name).rmdir()
    Path(name).write_bytes(b"")
    assert cli(name).exit_code == 0
    assert opened == [Path(name)]


def test_a_model_from_elsewhere_is_opened_with_images(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    linear = Linear(4)
    images = np.rint(255 * linear.images(12)).astype(np.uint8)
    np.save(tmp_path / "images.npy", images)
    (tmp_path / "my_vae.py").write_text(
        "from tests.model.test_outside import Linear\ndef make():\n    return Linear(4)\n"
    )
    monkeypatch.chdir(tmp_path)
    opened: list[SavedModel] = []
    monkeypatch.setattr(app, "main", opened.append)
    told = ("--likelihood", "gaussian", "--variance", "0.01", "--plane", "0", "3")
    cli("my_vae:make", "--data", "images.npy", *told)
    (model,) = opened
    assert (model.name, model.path) == ("my_vae:make", None)
    assert model.data.image_shape == (4, 3, 3)
    means = model.snapshot.model.encode(images[:2]).mean
    wanted = linear.encode(images[:2] / np.float32(255))[0][:, [0, 3]]
    np.testing.assert_allclose(means, wanted, atol=1e-5)
    refused = cli("my_vae:nothing", "--data", "images.npy")
    assert refused.exit_code == 2
    assert "my_vae:nothing gives no model" in refused.stderr


def test_one_of_two_networks_is_opened_with_the_other(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    np.save(tmp_path / "images.npy", np.full((12, 6, 5, 3), 9, np.uint8))
    opened: list[SavedModel] = []
    monkeypatch.setattr(app, "main", opened.append)
    decoder = Path(__file__).parents[1] / "model" / "onnx" / "plane-decoder.onnx"
    cli(str(decoder), "--data", str(tmp_path / "images.npy"), "--logits")
    assert [model.name for model in opened] == ["plane-encoder.onnx + plane-decoder.onnx"]


@pytest.mark.parametrize(
    "name", ["model.pt", "MODEL.SAFETENSORS", "some where/model", "runs/a run", "model"]
)
def test_a_file_is_no_command(
    name: str, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model").touch()
    opened: list[Path | None] = []
    monkeypatch.setattr(app, "main", opened.append)
    cli(name)
    assert opened == [Path(name)]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (b"PK\3\4" + bytes(30), "a PyTorch file or another ZIP archive"),
        (b"\x80\2}q\0.", "a Python pickle"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG picture"),
        (b"epochs = 3\n", "a text"),
        ("größe\n".encode(), "a text"),
        (b'{"format": "vae-explorer workspace"}', "a workspace, which File ▸ Open Workspace"),
        (bytes(100), "of another kind"),
        (b"\xff\xfe\0" * 30, "of another kind"),
    ],
)
def test_what_is_no_checkpoint_is_named_for_what_it_is(
    content: bytes, what: str, refused: Refused, tmp_path: Path
) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    said = refused("evaluate", path)
    assert said.startswith(f"{path} is not a safetensors file but {what}")


@pytest.mark.parametrize(("page", "quotes"), [("cp1252", "“”"), ("cp437", '""')])
def test_no_letter_ends_a_command_under_a_code_page(page: str, quotes: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "encode", "--out", str(tmp_path / "−2 é “x” 数" / "codes.csv")],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": page, "PYTHONUTF8": "0"},
        timeout=60,
    )
    assert done.returncode == 2
    name = f"-2 é {quotes[0]}x{quotes[1]} \\u6570"
    assert f"{name} does not exist; make it first" in done.stderr.decode(page)


def test_an_unknown_command_is_refused(refused: Refused) -> None:
    assert "frobnicate" in refused("frobnicate")


def _truncated(good: Path, path: Path) -> None:
    content = good.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _foreign(good: Path, path: Path) -> None:
    weights = {name: value.numpy() for name, value in read_tensors(good)[0].items()}
    save_file(weights, path)


def _newer(good: Path, path: Path) -> None:
    content = good.read_bytes()
    assert content.count(b'"version":"1"') == 1
    path.write_bytes(content.replace(b'"version":"1"', b'"version":"2"'))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda *_: None, "does not exist"),
        (_truncated, "incomplete"),
        (_foreign, "was not written by VAE Explorer"),
        (_newer, "has format version 2"),
    ],
    ids=["missing", "cut", "foreign", "newer"],
)
def test_a_bad_checkpoint_gives_one_message(
    spoil: Callable[[Path, Path], object],
    message: str,
    checkpoint: Path,
    tmp_path: Path,
    refused: Refused,
) -> None:
    path = tmp_path / "bad.safetensors"
    spoil(checkpoint, path)
    said = refused("evaluate", path)
    assert str(path) in said
    assert message in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "words",
    [
        ["encode", "--out", "codes.csv"],
        ["decode", "--z", "0", "0", "--out", "digit.png"],
        ["export", "digit", "--z", "0", "0", "--out", "digit.png"],
        ["export", "manifold", "--out", "sheet.png"],
    ],
)
def test_no_command_writes_anything_without_a_model(
    words: list[str], refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused(*words, "gone.safetensors") == "gone.safetensors does not exist."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["decode", "mnist-paper", "--z", 0, 0, "--out"],
        ["export", "digit", "mnist-paper", "--z", 0, 0, "--out"],
        ["export", "manifold", "mnist-paper", "--n", 2, "--out"],
    ],
)
def test_a_bundled_model_goes_by_its_name(words: list[object], cli: Cli, tmp_path: Path) -> None:
    named, filed = tmp_path / "named.png", tmp_path / "filed.png"
    path = paths.checkpoints() / "mnist-paper.safetensors"
    assert cli(*words, named).exit_code == 0
    assert cli(*(path if word == "mnist-paper" else word for word in words), filed).exit_code == 0
    assert named.read_bytes() == filed.read_bytes()


def test_a_reader_that_goes_away_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*PROGRAM, "data", "--json"], stdout=writer, stderr=subprocess.PIPE, timeout=60
    )
    os.close(writer)
    assert done.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_that_cannot_be_printed_is_an_error(unbuffered: str) -> None:
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, "data"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
            env=environment,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "Error: Cannot write the output: No space left on device.\n"


@pytest.mark.slow
def test_help_and_data_do_without_pytorch_and_nothing_here_loads_qt(
    checkpoint: Path, tmp_path: Path
) -> None:
    script = """
import sys
from click.testing import CliRunner
from vae_explorer.cli import main
from vae_explorer.data import bundled

QT = ("PySide6", "shiboken6", "pyqtgraph")

class NoQt:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in QT:
            raise ImportError(f"{name} is blocked")

def call(*words):
    result = CliRunner(catch_exceptions=False).invoke(main, words)
    assert result.exit_code == 0, (words, result.stderr)

sys.meta_path.insert(0, NoQt())
model = sys.argv[1]
def help_of(command, *words):
    call(*words, "--help")
    for name, part in getattr(command, "commands", {}).items():
        help_of(part, *words, name)

help_of(main)
call("data")
assert "torch" not in sys.modules
from itertools import islice
from vae_explorer.latent import gap
from vae_explorer.training import held_out

held_out.MARGINAL_POINTS = 100  # only to be quick, as few images and steps are
refine = gap.refine_posterior
gap.refine_posterior = lambda *words, **options: islice(refine(*words, **options), 2)
mnist = bundled.mnist
bundled.mnist = lambda split: mnist(split).subset(slice(300))
import vae_explorer.session.app

call("encode", model, "--out", "codes.csv")
assert not sys.modules.keys() & {"scipy", "torch._dynamo"}, "they cost seconds of a start"
call("evaluate", model, "--subset", "1")
call("decode", model, "--z", "0", "0", "--out", "digit.png")
call("export", "digit", model, "--z", "0", "0", "--out", "digit.png")
call("export", "manifold", model, "--out", "sheet.png")
small = ["--set", "encoder_hidden=8", "--set", "epochs=1", "--set", "validation_images=100"]
call("train", "--images", "200", *small, "--runs", "runs")
assert not sys.modules.keys() & set(QT)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(checkpoint)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX limits")
def test_a_full_disk_leaves_the_old_file_whole(
    refused: Refused, checkpoint: Path, tmp_path: Path
) -> None:
    out = tmp_path / "codes.csv"
    out.write_text("old")
    with disk_with_room_for(4096):
        said = refused("encode", checkpoint, "--out", out)
    assert said == f"Cannot write {out}: File too large."
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_the_module_is_the_program() -> None:
    done = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, timeout=60)
    assert done.stdout == f"vae-explorer, version {vae_explorer.__version__}\n"
