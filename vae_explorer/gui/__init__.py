"""The Qt window. No torch here."""
