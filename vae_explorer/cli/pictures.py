"""``vae-explorer export`` and ``remake``: files to take away, and the same files again."""

import json
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from vae_explorer.cli.parameters import checkpoint_argument, output_option
from vae_explorer.cli.progress import share_done
from vae_explorer.errors import UserError
from vae_explorer.export.kinds import KINDS, Kind
from vae_explorer.fields import FieldSpec, Value


@click.group()
def export() -> None:
    """Write files that say how to make them again."""


def _option(name: str, default: Value, spec: FieldSpec) -> click.Option:
    """The option of a field."""
    flag, about = f"--{name.replace('_', '-')}", spec.help
    if isinstance(default, bool):
        return click.Option([f"{flag}/--no-{flag[2:]}"], default=default, help=about)
    if default is None:
        return click.Option(
            [flag], type=(float, float), multiple=True, metavar="Z1 Z2", help=f"{about} Repeat it."
        )
    kind: Any = type(default)
    if spec.choices and all(isinstance(choice, str) for choice in spec.choices):
        kind = click.Choice([str(choice) for choice in spec.choices])
    elif isinstance(default, tuple):
        kind = tuple(type(one) for one in default)
    return click.Option([flag], type=kind, default=default, show_default=True, help=about)


_ROTATION = click.Option(
    ["--rotation"], type=(float,) * 4, metavar="R11 R12 R21 R22", help="How the plane is turned."
)
_DATA = click.Option(
    ["--data"], metavar="PATH", help="The images, if not those of its training; or MNIST."
)
_WORKSPACE = click.Option(
    ["--workspace"], metavar="FILE.vaex|JSON", help="The view of the map; else all of it."
)


def _command(kind: Kind) -> click.Command:
    usual = kind.request()

    @click.pass_context
    def run(ctx: click.Context, /, checkpoint: Path | None, out: Path, **options: Any) -> None:
        from vae_explorer.export.making import source_of, write

        view = options.pop("workspace", None)
        data, turned = options.pop("data", None), options.pop("rotation")
        for name, value in options.items():
            if getattr(usual, name) is None:
                options[name] = [z for point in value for z in point] or None
        request = kind.request.from_dict(options)
        for name, spec in kind.request.specs().items():
            if ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE and not spec.applies(
                request
            ):
                assert spec.needs
                other = spec.needs[0]
                raise UserError(
                    f"--{name} makes no difference with {getattr(request, other)} {other}; change "
                    f"--{other} or leave it out."
                )
        source = source_of(checkpoint or "", data, _view(view), turned)
        with share_done() as progress:
            said = write(request, source, out, progress)
        click.echo(f"Wrote {click.format_filename(out)}{said and f': {said}'}")

    takes = output_option(*kind.suffixes, about="The file.")(checkpoint_argument(run))
    about = f"{kind.about}\n\nOf CHECKPOINT, or the bundled model."
    command = click.command(kind.name, help=about)(takes)
    more = [_DATA] * kind.data + [_WORKSPACE] * kind.painted + [_ROTATION]
    fields = [
        _option(name, value, kind.request.specs()[name]) for name, value in usual.to_dict().items()
    ]
    command.params[-1:-1] = fields + more
    return command


def _view(text: str | None) -> dict[str, Any] | None:
    """The JSON of a workspace, or what is in a file of it."""
    if not text:
        return None
    try:
        found = json.loads(text if text.startswith("{") else Path(text).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{text[:80]} is no workspace: {error}.") from error
    if not isinstance(found, dict):
        raise UserError(f"{text[:80]} is no workspace.")
    return found


for _kind in KINDS.values():
    export.add_command(_command(_kind))


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Where to write it, if anywhere.")
@click.option("--model", type=click.Path(path_type=Path), help="Where its model is now.")
@click.option("--data", type=click.Path(path_type=Path), help="Where its images are now.")
@click.pass_context
def remake(
    ctx: click.Context, file: Path, out: Path | None, model: Path | None, data: Path | None
) -> None:
    """Make an exported FILE again from what it says, and compare.

    The exit status is 1 if they differ.
    """
    from vae_explorer.export.content import export_content
    from vae_explorer.export.making import remake
    from vae_explorer.paths import model_path

    found = remake(file, model and model_path(model), data)
    if out:
        export_content(out, found.content, found.text)
        click.echo(f"Wrote {click.format_filename(out)}")
    if found.differs:
        click.echo(f"Not the same: {found.differs}.")
        ctx.exit(1)
    click.echo("The same to the byte.")
