"""The map: the points of latent space, the pointer over them and what it says."""
