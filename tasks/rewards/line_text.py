"""Award lines as JSON text: a large season has some hundred thousand, most of which meet the same full places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from json.encoder import encode_basestring

from tasks.rewards.lines import AwardLine, Facts, Room
from tasks.rewards.working import Rooms, room_values, slot_values, write_working

KEPT = 4096


class _Text(str):
    """JSON text already."""

    __slots__ = ()


class _SharedRooms(Rooms):
    """Limits as text, each written once for all lines that met it."""

    def __init__(self, encode: Callable[[object], str]) -> None:
        self._encode = encode
        self._kept: dict[int, tuple[object, _Text]] = {}
        self._unused: dict[int, _Text] = {}

    def slot(self, room: Room, facts: Facts) -> object:
        """A slot line as it stood."""
        return self._once(room, lambda: self._encode(slot_values(room, facts)))

    def slots(self, rooms: Sequence[Room], facts: Facts) -> object:
        """Every slot line that applied."""
        return _Text(f"[{', '.join([str(self.slot(room, facts)) for room in rooms])}]")

    def limit(self, room: Room) -> object:
        """The personal limit as it stood; that of people who have nothing yet reads the same for all."""
        if room.last is not None:
            return self._once(room, lambda: self._encode(room_values(room)))
        if room.most not in self._unused:
            self._unused[room.most] = _Text(self._encode(room_values(room)))
        return self._unused[room.most]

    def _once(self, room: Room, write: Callable[[], str]) -> _Text:
        """The text of a room; while it is kept the room is too, so that its identity names it."""
        known = self._kept.get(id(room))
        if known is None:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            known = self._kept[id(room)] = room, _Text(write())
        return known[1]


class LineText:
    """Writes lines exactly as `encode(line.to_json())` would, in a third of its time."""

    def __init__(self, encode: Callable[[object], str]) -> None:
        self._encode = encode
        self._rooms = _SharedRooms(encode)

    def of(self, line: AwardLine) -> str:
        """One line. The keys are ours and need no escapes."""
        completion = line.completion
        working = [f'"{key}": {self._value(value)}' for key, value in write_working(line, self._rooms).items()]
        return (
            f'{{"claim": {encode_basestring(completion.claim)}, '
            f'"participant": {encode_basestring(completion.participant)}, '
            f'"task": {encode_basestring(completion.task)}, "amount_micro": {line.amount_micro}, '
            f'"reason": {encode_basestring(str(line.reason))}, "working": {{{", ".join(working)}}}}}'
        )

    def _value(self, value: object) -> str:
        kind = type(value)
        if kind is _Text:
            return value  # type: ignore[return-value]  # it is text
        if kind is int:
            return str(value)
        if kind is str:
            return encode_basestring(value)  # type: ignore[arg-type]  # its type was asked one line above
        return "null" if value is None else self._encode(value)
