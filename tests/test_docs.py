"""The code in README.md and docs/ runs, a page at a time, and prints what the page says.

The ``python`` blocks of a page are one script, named as the page, in a folder of its own. A block
that begins with ``# name.py`` is another file beside it. A ``text`` block right after one of them
is what it prints: these lines in this order, with ``…`` for anything.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ELSEWHERE = ("ssh.md", "tutorial.md")
"""Pages whose code is run elsewhere: ssh.md's with a host, the tutorial's is the demo's plan."""

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OTHER_FILE = re.compile(r"# (\w+\.py)\n")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    line: int
    """Where its text begins, from 1."""
    follows: str
    """The language of the block right before it, with blank lines between; else empty."""


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    end, language = 0, ""
    for found in FENCE.finditer(page):
        adjacent = not page[end : found.start()].strip()
        line = page.count("\n", 0, found.start()) + 2
        yield Block(found[1], found[2], line, language if adjacent else "")
        end, language = found.end(), found[1]


def script_of(page: str) -> tuple[str, dict[str, str]]:
    """The page's script, each line at its number in the page, and the other files."""
    lines: list[str] = []
    files: dict[str, str] = {}
    for block in blocks(page):
        other = OTHER_FILE.match(block.text)
        if block.language != "python":
            continue
        if other is not None:
            files[other[1]] = block.text
        else:
            lines += [""] * (block.line - 1 - len(lines))
            lines += block.text.splitlines()
    return "\n".join(lines), files


def expected_of(page: str) -> list[str]:
    """The lines that the page says its code prints."""
    return [
        line
        for block in blocks(page)
        if block.language == "text" and block.follows == "python"
        for line in block.text.splitlines()
        if line.strip()
    ]


def check_printed(expected: list[str], printed: str) -> None:
    """The expected lines are among the printed ones, in order."""
    rest = iter(printed.splitlines())
    for line in expected:
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
        assert any(pattern.match(each) for each in rest), f"not printed: {line}\n\n{printed}"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in ELSEWHERE], ids=lambda page: page.name
)
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    script, files = script_of(text)
    if not script:
        return
    name = f"{page.stem.lower()}.py"
    for other, content in {**files, name: script}.items():
        (tmp_path / other).write_text(content, "utf-8")
    done = subprocess.run(
        [sys.executable, name],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    check_printed(expected_of(text), done.stdout)


PAGE = """
```python
# other.py
X = 1
```

```python
from other import X
```
Words.
```sh
rm -rf everything
```
```python
print("a", X)
print("b")
```

```text
a …
b
```

Words.

```text
a drawing
```
"""


def test_a_page_is_read_as_it_is_written() -> None:
    script, files = script_of(PAGE)
    assert files == {"other.py": "# other.py\nX = 1\n"}
    assert script.splitlines()[7] == PAGE.splitlines()[7] == "from other import X"
    assert [line for line in script.splitlines() if line] == [
        "from other import X",
        'print("a", X)',
        'print("b")',
    ]
    assert expected_of(PAGE) == ["a …", "b"]


def test_what_is_not_printed_is_told() -> None:
    check_printed(["a …"], "x\na 1\n")
    for printed in ("a 1\n", "b\na 1\n"):
        with pytest.raises(AssertionError, match="not printed: b"):
            check_printed(["a …", "b"], printed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_leads_to_is_there(page: Path) -> None:
    text = FENCE.sub("", page.read_text())
    prose = re.sub(r"`[^`\n]*`", "", text)
    for path, anchor in re.findall(r"\]\(([^):#]*)(?:#([^)]*))?\)", prose):
        target = page.parent / path if path else page
        assert target.exists(), path
        if anchor:
            assert anchor in _anchors(target.read_text()), f"{path}#{anchor}"
    for test in re.findall(r"`(\w+(?:/\w+)*/test_\w+\.py)`", text):
        assert any((ROOT / place / test).is_file() for place in ("tests/engine", "tests", "")), test


def _anchors(page: str) -> set[str]:
    """The anchors that its headings are given."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
