"""The command line: the window by default, and commands that need neither display nor Qt.

Modules load what they need when a command runs, so that help and refusals come at once.
"""

import codecs
import errno
import io
import logging
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from vae_explorer import __version__
from vae_explorer.cli.coding import decode, encode
from vae_explorer.cli.datasets import data
from vae_explorer.cli.examining import doctor
from vae_explorer.cli.measuring import bench
from vae_explorer.cli.pictures import export, remake
from vae_explorer.cli.scoring import evaluate
from vae_explorer.cli.sweeping import sweep
from vae_explorer.cli.training import train
from vae_explorer.errors import UserError, torch_trouble
from vae_explorer.model.architecture import LIKELIHOODS
from vae_explorer.paths import bundled_models, is_entry_point, model_path
from vae_explorer.processors import share_processors

_INTERRUPTED = 130

logger = logging.getLogger(__name__)


_PLAIN = "vae-explorer-plain"
_PLAINER = str.maketrans(
    dict.fromkeys("−–—‐‑", "-") | {"×": "x", "…": "...", "▸": ">", "‡": "*", "⚠": "!"}
    | dict.fromkeys("“”", '"') | dict.fromkeys("‘’", "'")
)  # fmt: skip


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """What no code page may end: a minus is a hyphen there, and what has no like is escaped."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAINER)
    return text.encode(error.encoding, "backslashreplace"), error.end


codecs.register_error(_PLAIN, _plain)


def _is_file(name: str) -> bool:
    """Whether a person means a file by it, there or not."""
    return bool(Path(name).suffix) or os.path.basename(name) != name or os.path.lexists(name)


class _Refusal(click.ClickException):
    """A ``UserError`` on its way to stderr."""

    exit_code = 2


class _Program(click.Group):
    """Takes a file for a command's name, and gives every early end its exit status."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        model = name in bundled_models() or _is_file(name) or is_entry_point(name)
        # A folder may well be called train or data; a file is meant to be opened.
        if os.path.isfile(name) or (model and self.get_command(ctx, name) is None):
            args = ["explore", *args]
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        share_processors()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors=_PLAIN)
        if sys.stderr:
            return super().main(*args, **kwargs)
        # Started by an icon: nobody would see a line of text.
        from vae_explorer.gui.logs import keep_log, tell

        keep_log()
        try:
            sys.exit(super().main(*args, **kwargs | {"standalone_mode": False}))
        except click.ClickException as error:
            tell(error.format_message())
            sys.exit(error.exit_code)
        except Exception as error:
            logger.exception("unexpected exception")
            tell(f"{type(error).__name__}: {error}")
            sys.exit(1)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UserError as error:
            raise _Refusal(str(error)) from error
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(_INTERRUPTED)
        except (ImportError, OSError) as error:
            if advice := torch_trouble(error):
                raise _Refusal(f"PyTorch does not load: {error}. {advice}") from error
            if isinstance(error, ImportError):
                raise
            # Printing alone fails without a file name; a reader that left is click's business.
            if error.filename is not None or error.errno == errno.EPIPE:
                raise
            sys.stdout = None  # or it would be tried once more at the end
            raise _Refusal(f"Cannot write the output: {error.strerror}.") from error


@click.group(
    cls=_Program,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="vae-explorer")
@click.pass_context
def main(ctx: click.Context) -> None:
    """VAE Explorer: a laboratory for variational autoencoders with a 2-D latent space.

    Without a command, or with only a CHECKPOINT.safetensors or module:make_model, the window opens.
    The bundled models mnist-elbo, mnist-exact, mnist-iwae and mnist-paper go by their names, here
    and in all commands.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(explore)


@main.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option(
    "--data",
    "images",
    metavar="PATH",
    help="Images to show: a folder, a file, or a ready-made set by name.",
)
@click.option(
    "--likelihood",
    type=click.Choice(LIKELIHOODS),
    help="Of a model from elsewhere: what its decoder gives the parameters of.",
)
@click.option("--variance", type=click.FloatRange(0, min_open=True), help="Of a Gaussian.")
@click.option("--logits", is_flag=True, help="Its decoder gives logits, not values in [0, 1].")
@click.option(
    "--plane",
    type=(int, int),
    metavar="I J",
    help="Of more than two latent dimensions those to show, from 0; else the principal plane.",
)
@click.pass_context
def explore(
    ctx: click.Context, /, models: tuple[str, ...], images: str | None, **choices: Any
) -> NoReturn:
    """Open the window.

    It shows MODEL, or the bundled model: a checkpoint, module:make_model, a function that makes a
    model with encode and decode, or two ONNX files, the encoder and the decoder. Without MODEL it
    shows how the images of --data will be read, and offers to train on them.
    """
    from vae_explorer.gui.app import main as open_window

    if len(models) == 1 and models[0].lower().endswith(".onnx"):
        from vae_explorer.model.onnx_pair import in_order, other_of

        one = Path(models[0])
        if other := other_of(one):
            encoder, decoder = in_order(one, other)
            models = str(encoder), str(decoder)
    told = {name: choice for name, choice in choices.items() if choice not in (None, False)}
    if len(models) <= 1 and not (images or told or is_entry_point("".join(models))):
        ctx.exit(open_window(model_path(Path(models[0])) if models else None))
    if images and not (models or told):
        ctx.exit(open_window(data=Path(images)))
    from vae_explorer.cli.progress import share_done
    from vae_explorer.data.opening import open_images
    from vae_explorer.session.files.given_model import given_model

    if len(models) > 2:
        raise click.UsageError("One model can be opened, which may be two ONNX files.")
    shown = None
    if images is not None:
        with share_done(f"Reading {images}") as progress:
            shown = open_images(images, progress=progress)
    model = (models or ("mnist-elbo",)) if len(models) == 2 else (models or ("mnist-elbo",))[0]
    ctx.exit(open_window(given_model(model, shown, **told)))


for _command in (train, sweep, evaluate, encode, decode, export, remake, data, bench, doctor):
    main.add_command(_command)
