"""A little library of Python files, made of a few words so that scores are close."""

from __future__ import annotations

import random
from pathlib import Path

WORDS = """
open close read write file files socket sockets queue queues class classes entry entries parse
parses tree trees node nodes return returns list lists status string copy the a of to
"""


def write_library(folder: Path, *, modules: int, seed: int = 1) -> Path:
    """Write `modules` files with docstrings of random words, and some that are unfair."""
    source = random.Random(seed)

    def sentence(least: int, most: int) -> str:
        return (
            " ".join(source.choices(WORDS.split(), k=source.randint(least, most))).capitalize()
            + "."
        )

    (folder / "package").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "tests" / "left_out.py").write_text('"""A test is no part of the library."""\n')
    (folder / "package" / "__init__.py").write_text(f'"""{sentence(20, 60)}"""\n')
    for number in range(modules):
        lines = [f'"""{sentence(3, 80)}"""', ""] if number % 7 else []
        for function in range(4):
            start = "async def" if function == 3 else "def"
            lines += [
                f"{start} function{function}(x):",
                f'    """{sentence(3, 9)}',
                "",
                f"    {sentence(2, 12)}",
                '    """',
                "",
            ]
        lines += [
            "class Thing:",
            f'    """{sentence(4, 20)}"""',
            "    def method(self):",
            '        """Return a copy of the string in upper case."""',
            "    def other(self):",
            f'        """{sentence(6, 9)}"""',
            "    def silent(self):",
            "        pass",
            "",
        ]
        place = folder / "package" if number % 3 == 0 else folder
        (place / f"module{number:02}.py").write_text("\n".join(lines))
    return folder
