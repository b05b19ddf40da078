"""The application without pixels: state, jobs and commands. No Qt, no torch."""
