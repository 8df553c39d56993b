"""The record in full: what headers and documentation say, as typed values and in the published shape."""
