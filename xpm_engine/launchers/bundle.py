"""The code that a job needs on another host: gathered, named by its content, told where it lies.

A bundle holds the files that this process has loaded from outside of the standard library and
site-packages, with the packages that they are part of; what git knows of the plan's project and
does not ignore; and what ``[code] include`` adds. Its id is the SHA-256 over the sorted paths,
executable bits and contents.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from xpm_engine.errors import LaunchError
from xpm_engine.git import ask_git
from xpm_engine.tracebacks import is_installed
from xpm_engine.workspace.records.params import CodeRecord

MOST = 100 * 1000 * 1000
"""Bytes in one bundle."""

GIT_PATIENCE = 30.0
"""Seconds for git to list a project."""

_COMPILED = (".so", ".dylib", ".pyd")
_SKIPPED = frozenset(("__pycache__", ".git", ".venv", "node_modules"))


@dataclass(frozen=True)
class BundleFile:
    """One file of a bundle."""

    path: str
    """In the bundle, with slashes."""
    source: str
    """On this machine."""
    size: int
    executable: bool
    sha256: str


@dataclass(frozen=True)
class Bundle:
    """What travels, and where it lies in the bundle."""

    identifier: str
    files: tuple[BundleFile, ...]
    roots: tuple[tuple[str, str], ...] = ()
    """Folder on this machine -> folder in the bundle, the innermost first."""

    @property
    def compiled(self) -> tuple[BundleFile, ...]:
        """Those files that only machines like this one can use."""
        return tuple(file for file in self.files if file.path.endswith(_COMPILED))

    def located(self, path: str, place: str) -> str | None:
        """Where a path of this machine is once the bundle lies at `place`; None if outside."""
        for root, inside in self.roots:
            if path == root or path.startswith(root.rstrip("/") + "/"):
                rest = path[len(root) :].strip("/")
                return "/".join(part for part in (place, inside, rest) if part)
        return None

    def moved(self, code: CodeRecord, place: str) -> CodeRecord:
        """The same code once the bundle lies at `place`: what is installed is not in it."""
        paths = (self.located(path, place) for path in code.sys_path)
        return replace(
            code,
            file=self.located(code.file, place) or "",
            project=self.located(code.project, place) or place,
            sys_path=tuple(path for path in paths if path is not None),
        )


@cache
def engine_bundle() -> Bundle:
    """This package itself, which a far job's process is made of."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    root = os.path.dirname(package)
    return _made([(root, path) for path in _below(package)], [(root, "")])


def code_bundle(
    code: CodeRecord,
    *,
    skip: Sequence[str] = (),
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Bundle:
    """The code of a plan whose modules this process has loaded.

    `skip` are folders that are no code, as workspaces are. Raises LaunchError for one of over
    100 MB.
    """
    files = set(_loaded())
    if code.file:
        files.add(code.file)
    top = _git_top(code.project)
    if top:
        files.update(_git_files(top))
    project = top or code.project
    for pattern in include:
        files.update(path for path in _below(project) if _matches(path, project, (pattern,)))
    files = {
        path
        for path in files
        if not any(path.startswith(folder.rstrip("/") + "/") for folder in skip)
        and not _matches(path, project, exclude)
        and os.path.isfile(path)
    }
    roots = _roots({project, *map(_import_root, files)})
    return _made([(root, path) for path in files for root in _enclosing(path, roots)], roots)


def _made(found: Iterable[tuple[str, str]], roots: Sequence[tuple[str, str]]) -> Bundle:
    inside = dict(roots)
    files = sorted(
        (
            _file(os.path.join(inside[root], os.path.relpath(path, root)), path)
            for root, path in found
        ),
        key=lambda file: file.path,
    )
    size = sum(file.size for file in files)
    if size > MOST:
        largest = sorted(files, key=lambda file: -file.size)[:5]
        named = "\n         ".join(f"{file.source} ({file.size / 1e6:.0f} MB)" for file in largest)
        raise LaunchError(
            f"the code to ship is {size / 1e6:.0f} MB, and {MOST / 1e6:.0f} MB is the most",
            where=named,
            hint="let git ignore what is no code, or name it under [code] exclude in xpm.toml",
        )
    known = hashlib.sha256()
    for file in files:
        line = f"{file.path}\0{int(file.executable)}\0{file.sha256}\n"
        known.update(line.encode("utf-8", "surrogateescape"))
    by_depth = sorted(roots, key=lambda root: -len(root[0]))
    return Bundle(known.hexdigest(), tuple(files), tuple(by_depth))


def _file(path: str, source: str) -> BundleFile:
    found = os.stat(source)
    executable = bool(found.st_mode & stat.S_IXUSR)
    return BundleFile(path, source, found.st_size, executable, _sum(source, found.st_mtime_ns))


@cache
def _sum(path: str, mtime_ns: int) -> str:
    """Of a file at a time: asked again and again by plans of many tasks."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _loaded() -> Iterator[str]:
    """The user's own modules in this process, and all files of the packages that they are in."""
    packages: set[str] = set()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or name.partition(".")[0] in ("xpm_engine", "xpm_tui"):
            continue
        file = os.path.abspath(file)
        if is_installed(file) or not os.path.isfile(file):
            continue
        yield file
        package = os.path.dirname(file)
        while os.path.isfile(f"{package}/__init__.py"):
            if not os.path.isfile(f"{os.path.dirname(package)}/__init__.py"):
                packages.add(package)
            package = os.path.dirname(package)
    for package in packages:
        yield from _below(package)


def _import_root(path: str) -> str:
    """The folder that a file is imported from: the one above its outermost package."""
    folder = os.path.dirname(path)
    while os.path.isfile(f"{folder}/__init__.py"):
        folder = os.path.dirname(folder)
    return folder


def _roots(folders: Iterable[str]) -> list[tuple[str, str]]:
    """The outermost of these folders, each with a name of its own."""
    outer: list[str] = []
    for folder in sorted(folders):
        if not any(folder == each or folder.startswith(each.rstrip("/") + "/") for each in outer):
            outer.append(folder)
    return [(folder, f"{number}-{_plain(folder)}") for number, folder in enumerate(outer)]


def _plain(folder: str) -> str:
    name = os.path.basename(folder) or "root"
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)


def _enclosing(path: str, roots: Sequence[tuple[str, str]]) -> list[str]:
    return [root for root, _ in roots if path.startswith(root.rstrip("/") + "/")][:1]


def _below(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(names):
            if not name.endswith((".pyc", ".pyo")):
                yield os.path.join(parent, name)


def _matches(path: str, project: str, patterns: Sequence[str]) -> bool:
    relative = os.path.relpath(path, project)
    return any(
        fnmatch.fnmatch(relative, pattern) or relative.startswith(pattern.rstrip("/") + "/")
        for pattern in patterns
    )


def _git_top(folder: str) -> str:
    said = ask_git(folder, "rev-parse", "--show-toplevel", patience=GIT_PATIENCE)
    return "" if said is None else os.fsdecode(said).rstrip("\n")


def _git_files(top: str) -> Iterator[str]:
    """What git knows below `top`, or would add: tracked and not ignored; no links."""
    what = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = ask_git(top, *what, patience=GIT_PATIENCE) or b""
    for name in listed.split(b"\0"):
        path = os.path.join(top, os.fsdecode(name))
        if name and not os.path.islink(path):
            yield path
