"""What tests share: stand-ins, small data and models, a person at the window."""
