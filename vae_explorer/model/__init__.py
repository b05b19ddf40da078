"""The VAE itself: z to x and back."""
