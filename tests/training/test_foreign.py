import pickle
from pathlib import Path

import pytest
import torch

from vae_explorer.errors import CheckpointError
from vae_explorer.training.checkpoint import read_checkpoint


class _Trap:
    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("it was unpickled",))


@pytest.mark.parametrize(
    ("name", "is_called", "line"),
    [
        ("weights.pt", "a PyTorch file", "torch.load"),
        ("weights.pth", "a PyTorch file", "weights_only=True"),
        ("last.ckpt", "a PyTorch file", "load_from_checkpoint"),
        ("model.keras", "ZIP archive", "keras.models.load_model"),
        ("model.h5", "an HDF5 file", "keras.models.load_model"),
        ("model.pkl", "a Python pickle", "as the program that wrote it"),
        ("vae.onnx", "of another kind", "ENCODER.onnx DECODER.onnx"),
    ],
)
def test_a_file_is_named_for_what_it_is_and_not_loaded(
    tmp_path: Path, name: str, is_called: str, line: str
) -> None:
    path = tmp_path / name
    match path.suffix:
        case ".pt" | ".pth" | ".ckpt":
            torch.save({"trap": _Trap()}, path)
        case ".pkl":
            path.write_bytes(pickle.dumps(_Trap()))
        case ".keras":
            path.write_bytes(b"PK\x03\x04" + b"\0" * 100)
        case ".h5":
            path.write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
        case _:
            path.write_bytes(b"\x08\x08\x12\x07pytorch\x1a\x00:\x00\x01")
    with pytest.raises(CheckpointError, match=is_called) as refused:
        read_checkpoint(path)
    text = str(refused.value)
    assert name in text
    assert line in text


@pytest.mark.parametrize(
    ("files", "is_called", "line"),
    [
        (["model_config.json", "model.pt"], "pythae", "AutoModel.load_from_folder"),
        (["hparams.yaml", "checkpoints/epoch=3.ckpt"], "Lightning", "epoch=3.ckpt"),
        (["epoch=1.ckpt"], "Lightning", "load_from_checkpoint"),
    ],
)
def test_a_folder_is_recognised(
    tmp_path: Path, files: list[str], is_called: str, line: str
) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(b"x")
    with pytest.raises(CheckpointError, match=is_called) as refused:
        read_checkpoint(tmp_path)
    assert line in str(refused.value)


def test_other_folders_are_none(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as refused:
        read_checkpoint(tmp_path)
    assert "vx.explore" not in str(refused.value)
