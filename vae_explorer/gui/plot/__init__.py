"""The chart kit: axes, marks, one painter for the screen and for files, and the widget."""
