"""``python -m vae_explorer``: the same as ``vae-explorer``."""

from vae_explorer.cli import main

main(prog_name="vae-explorer")
