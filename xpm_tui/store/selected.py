"""Which of very many jobs are meant: a byte a job, so that lists and counts take no look-ups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from itertools import compress
from operator import itemgetter

from xpm_engine.workspace.layout import JobKey

MOST_LISTS = 200
"""Lists of which a `Roll` keeps where their jobs stand in it."""


class Roll:
    """Jobs in an order that stays; a mask says of each, by a byte, whether it is meant."""

    def __init__(self, keys: Sequence[JobKey], places: Mapping[JobKey, int] | None = None) -> None:
        """`places` may be given where it is known."""
        self.keys = keys
        self.places = places or {key: place for place, key in enumerate(keys)}
        self._lists: dict[int, tuple[Sequence[JobKey], Callable[[bytes], bytes]]] = {}

    def along(self, mask: bytes, keys: Sequence[JobKey]) -> bytes:
        """The mask in the order of `keys`, 0 for those that the roll does not have.

        Quick for a list that was asked for before; a list must not change after that.
        """
        return mask if keys is self.keys else self._known(keys)(mask)

    def learn(self, keys: Sequence[JobKey]) -> None:
        """Make the first answer about this list as quick as the others will be."""
        self._known(keys)

    def _known(self, keys: Sequence[JobKey]) -> Callable[[bytes], bytes]:
        known = self._lists.get(id(keys))
        if known is None:
            if len(self._lists) >= MOST_LISTS:
                self._lists.clear()
            # The list is kept, so that no other one gets its id.
            known = self._lists[id(keys)] = (keys, self._picker(keys))
        return known[1]

    def _picker(self, keys: Iterable[JobKey]) -> Callable[[bytes], bytes]:
        nowhere, find = len(self.keys), self.places.get
        places = [find(key, nowhere) for key in keys]
        if len(places) < 2:  # itemgetter returns no tuple for one place
            return lambda mask: bytes((mask + b"\0")[place] for place in places)
        pick = itemgetter(*places)
        return lambda mask: bytes(pick(mask + b"\0"))


class Selected(Set[JobKey]):
    """The jobs that a filter selects; a set that never changes."""

    def __init__(self, roll: Roll, mask: bytes, others: frozenset[JobKey] = frozenset()) -> None:
        """`others` are selected too, and not in the roll."""
        self.roll = roll
        self.mask = mask
        self.others = others
        self._count = mask.count(1) + len(others)

    def __contains__(self, key: object) -> bool:
        place = self.roll.places.get(key)  # type: ignore[call-overload]
        return key in self.others if place is None else bool(self.mask[place])

    def __iter__(self) -> Iterator[JobKey]:
        yield from compress(self.roll.keys, self.mask)
        yield from self.others

    def __len__(self) -> int:
        return self._count

    @classmethod
    def _from_iterable(cls, it: Iterable[JobKey]) -> Set[JobKey]:  # type: ignore[override]
        """What is left of a set when another was taken from it."""
        return frozenset(it)

    def mask_of(self, keys: Sequence[JobKey]) -> bytes:
        """For each of these jobs 1 or 0; a list that is asked for again must not have changed."""
        mask = self.roll.along(self.mask, keys)
        if not self.others:
            return mask
        return bytes([bit or key in self.others for bit, key in zip(mask, keys, strict=True)])

    def revised(self, asked: Set[JobKey], selected: Set[JobKey]) -> Selected:
        """The same, but of the jobs that were `asked` again those that are `selected`."""
        mask, places = bytearray(self.mask), self.roll.places
        others = set(self.others)
        for key in asked:
            place, bit = places.get(key), key in selected
            if place is not None:
                mask[place] = bit
            elif bit:
                others.add(key)
            else:
                others.discard(key)
        return Selected(self.roll, bytes(mask), frozenset(others))

    def same_as(self, other: Selected | None) -> bool:
        """Whether these are the same jobs, of the same roll."""
        return (
            other is not None
            and other.roll is self.roll
            and other.mask == self.mask
            and other.others == self.others
        )
