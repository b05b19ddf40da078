"""``python -m vae_explorer.gui.screenshots FOLDER [TOPIC…]``."""

from pathlib import Path

import click

from vae_explorer.gui.screenshots import TOPICS, take


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("topics", nargs=-1, type=click.Choice(TOPICS))
def main(folder: Path, topics: tuple[str, ...]) -> None:
    """Take pictures of the window into FOLDER: of all topics, or of those named."""
    for written in take(folder, topics or TOPICS):
        click.echo(written)


main()
