"""What ``test_distributed`` lets torchrun start.

Trains by each recipe NAME.toml in a folder and saves the run of each rank as NAME-RANK; then goes
on for some steps with the run begun-alone, and writes down what the ranks heard of each other.
"""

import json
import sys
from pathlib import Path

import torch

from vae_explorer.data.bundled import mnist
from vae_explorer.errors import UserError
from vae_explorer.training import held_out
from vae_explorer.training.distributed import EndedElsewhereError, Team, joined
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.trainer import Trainer


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    held_out.MARGINAL_POINTS = 100  # only to be quick
    data = mnist("train").subset(slice(0, 1_000))
    with joined() as team:
        for path in sorted(folder.glob("*.toml")):
            trainer = Trainer(Recipe.read(path), data, "cpu", team)
            for _ in trainer.events():
                pass
            own = folder / f"{path.stem}-{team.rank}"
            own.mkdir()
            RunFolder(own).save(trainer)
        trainer = RunFolder(folder / "begun-alone").resume(data, "cpu", team=team)
        while trainer.step < 13:
            trainer.take_step()
        if team.leads:
            RunFolder(folder / "begun-alone").save(trainer)
        (folder / f"said-{team.rank}.json").write_text(json.dumps(_said(team)))


def _said(team: Team) -> list[object]:
    """How wishes and failures are shared."""
    said: list[object] = [team.any(False), team.any(team.rank == 1), team.any(True)]
    for failing in ([], [1], [0, 1]):
        try:
            with team.united():
                team.any()
                if team.rank in failing:
                    raise UserError(f"rank {team.rank} failed")
                team.any()
        except UserError as error:
            said.append(str(error))
        except EndedElsewhereError:
            said.append("elsewhere")
        else:
            said.append("done")
    return said


if __name__ == "__main__":
    main(Path(sys.argv[1]))
