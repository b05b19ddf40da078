"""The application without pixels: state, jobs and commands. No Qt, no torch."""

from vae_explorer.export.requests import ManifoldRequest
from vae_explorer.training.recipe import FieldSpec, Recipe

__all__ = ["FieldSpec", "ManifoldRequest", "Recipe"]
