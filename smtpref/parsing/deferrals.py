"""What was last said of messages that wait in a queue, for the line that will say that they expired: of a busy server's queue, in few bytes."""

from __future__ import annotations

import marshal

from .postfix_usual import UsualLine
from .remembered import Remembered

MAX_WAITING = 30_000
"""Messages that are remembered; the one of which nothing was said for longest is forgotten first."""


class Deferrals:
    """The last deferral of each recipient of a message, by queue id."""

    def __init__(self) -> None:
        self._packed: Remembered[dict[str, bytes]] = Remembered(MAX_WAITING)

    def __contains__(self, queue_id: str) -> bool:
        return queue_id in self._packed

    def keep(self, usual: UsualLine) -> None:
        """Keep a deferral, instead of what was said of the same recipient before."""
        queue_id = usual.queue_id or ""
        packed = self._packed.get(queue_id, {})
        # As one piece of bytes it takes a third of what its strings would.
        packed[usual.recipient] = marshal.dumps(tuple(usual))
        self._packed[queue_id] = packed

    def settle(self, queue_id: str, recipient: str) -> None:
        """Forget what was said of a recipient."""
        packed = self._packed.get(queue_id)
        if packed:
            packed.pop(recipient, None)
            if not packed:
                del self._packed[queue_id]

    def take(self, queue_id: str) -> list[UsualLine]:
        """What was last said of each recipient of a message, which is then forgotten."""
        packed = self._packed.pop(queue_id, {})
        return [UsualLine._make(marshal.loads(one)) for one in packed.values()]  # noqa: S302  (packed here)

    def forget(self, queue_id: str) -> None:
        """Forget a message."""
        self._packed.pop(queue_id, None)
