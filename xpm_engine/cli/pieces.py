"""What is no whole job, and what was left, as JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xpm_engine.workspace.records.trash import Left, Piece


def piece_json(piece: Piece) -> dict[str, object]:
    """Its kind, its job if it has one, and its other names."""
    key = piece.key
    names = piece.names if key is None else piece.names[2:]
    return {
        "kind": piece.kind.value,
        "job": None if key is None else str(key),
        "name": "/".join(names),
        "bytes": piece.size,
    }


def left_json(left: Left) -> dict[str, object]:
    """What stayed, and why."""
    return {"job": None if left.key is None else str(left.key), "why": left.why}
