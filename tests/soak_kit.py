"""What the tests of the soak share."""

import os
from pathlib import Path

from currant.soak.generate import Generator
from currant.soak.hands import Hands
from currant.soak.model import Tree
from currant.soak.steps import Step


def made(root: Path, seed: int, count: int) -> tuple[Hands, Generator, list[Step]]:
    """A repository after `count` operations, and what was done. Close the hands."""
    root.mkdir()
    hands = Hands(os.fsencode(root))
    steps: list[Step] = []
    generator = Generator(hands, seed, files=150, record=steps.append)
    generator.begin()
    generator.make_repository()
    generator.run(count)
    return hands, generator, steps


def listing(tree: Tree) -> list[tuple[bytes, str]]:
    """Every path with its kind."""
    return sorted((node.path, node.kind) for node in tree.walk())
