"""Whole programs beside their rivals, in one run. `python benches/run.py` is the way in."""
