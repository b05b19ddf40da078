"""What is remembered: settings and workspaces."""
