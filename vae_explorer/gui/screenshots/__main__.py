"""``python -m vae_explorer.gui.screenshots FOLDER [TOPIC…]``."""

import sys
from pathlib import Path

from vae_explorer.gui.screenshots import TOPICS, take

for written in take(Path(sys.argv[1]), tuple(sys.argv[2:]) or TOPICS):
    print(written)  # noqa: T201
