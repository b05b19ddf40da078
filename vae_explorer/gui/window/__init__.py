"""The main window, its docks, actions and status bar."""
