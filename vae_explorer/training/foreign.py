"""Files and folders of other programs' models: named for what they are, and never unpickled."""

from pathlib import Path

_TORCH = """\
    net = MyVAE()  # its class
    net.load_state_dict(torch.load({path!r}, weights_only=True))"""
_LIGHTNING = """\
    net = MyVAE.load_from_checkpoint({path!r}).eval()  # its class"""
_KERAS = """\
    net = keras.models.load_model({path!r})"""
_PYTHAE = """\
    net = pythae.models.AutoModel.load_from_folder({path!r})"""
_OWN = """\
    net = ...  # as the program that wrote it loads it"""

_LINES = {
    ".pt": _TORCH,
    ".pth": _TORCH,
    ".bin": _TORCH,
    ".ckpt": _LIGHTNING,
    ".keras": _KERAS,
    ".h5": _KERAS,
    ".hdf5": _KERAS,
    ".pkl": _OWN,
    ".pickle": _OWN,
    ".joblib": _OWN,
}


def how_to_bring(path: Path) -> str:
    """What to do with a model file of another program, in Python; "" of other files."""
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        return "\n" + (
            "ONNX networks come in pairs, with images that they are tried on: vae-explorer "
            "ENCODER.onnx DECODER.onnx --data IMAGES, or both by File ▸ Open Model…"
        )
    lines = _LINES.get(suffix)
    return _told(lines.format(path=str(path))) if lines else ""


def foreign_folder(path: Path) -> str:
    """What the folder of a model of another program is, and what to do with it; "" of others."""
    if not path.is_dir():
        return ""
    if (path / "model_config.json").is_file():
        return f"{path} is a model of pythae.{_told(_PYTHAE.format(path=str(path)))}"
    checkpoints = sorted(path.glob("*.ckpt")) or sorted((path / "checkpoints").glob("*.ckpt"))
    if checkpoints or (path / "hparams.yaml").is_file():
        found = str(checkpoints[-1] if checkpoints else path / "checkpoints" / "….ckpt")
        return f"{path} is a folder of PyTorch Lightning.{_told(_LIGHTNING.format(path=found))}"
    return ""


def _told(lines: str) -> str:
    return f"""
It was not loaded, since such a file can run any program. Load it in Python, where its class is, and
give it encode(images) and decode(z), see help(vae_explorer.model.outside):

{lines}
    vx.explore(net, images)"""
