"""The annotators that come with Currant, one file each. `extract/base.py:default_registry` lists them."""
