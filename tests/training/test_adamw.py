import subprocess
import sys

_TRAIN = """
import sys
from vae_explorer.data.bundled import mnist
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.trainer import Trainer
recipe = Recipe(encoder_hidden="8", decoder_hidden="8", batch_size=10, validation_images=10)
one, other = (Trainer(recipe, mnist("train").subset(slice(40)), "cpu") for _ in range(2))
for _ in range(5):
    one.take_step()
other.restore(one.snapshot(), one.state())
other.take_step()
print(sorted({"sympy", "torch._dynamo", "torch._inductor"} & sys.modules.keys()))
"""


def test_training_imports_no_compiler() -> None:
    told = subprocess.run(
        [sys.executable, "-c", _TRAIN], check=True, capture_output=True, text=True
    ).stdout
    assert told == "[]\n"
