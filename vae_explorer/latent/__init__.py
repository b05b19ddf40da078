"""What latent space looks like through a model."""
