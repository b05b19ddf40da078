"""Images to a model: recipes, objectives, the trainer and what it saves."""
