"""The application without pixels: state, jobs and commands. No Qt, no torch."""

from vae_explorer.export.requests import ManifoldRequest
from vae_explorer.fields import FieldSpec
from vae_explorer.training.health import Finding
from vae_explorer.training.recipe import STEERABLE, Recipe
from vae_explorer.training.stopping import StopRule

__all__ = ["STEERABLE", "FieldSpec", "Finding", "ManifoldRequest", "Recipe", "StopRule"]
