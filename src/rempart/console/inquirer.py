"""Asks watch about findings, exceptions, logs and rules: a question and its answer, in a conversation of its own."""

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rempart.adapters.socket import dial
from rempart.detection.inquiry import FromInquirer, ToInquirer, Unanswered
from rempart.errors import StationUnreachable

_Answer = TypeVar("_Answer")

PATIENCE = 5.0
"""Seconds watch has to answer."""


@dataclass(frozen=True, slots=True)
class Inquirer:
    """The way to watch's desk."""

    path: Path
    """Watch's inquiry socket."""
    patience: float = PATIENCE

    async def ask(self, question: FromInquirer, wanted: type[_Answer]) -> _Answer:
        """The answer. Raises StationUnreachable when watch gives none, or none of the wanted kind."""
        connection = await dial(self.path, incoming=ToInquirer)
        with contextlib.closing(connection):
            try:
                async with asyncio.timeout(self.patience):
                    await connection.send(question)
                    answer = await connection.receive()
            except (TimeoutError, ConnectionError) as fault:
                raise StationUnreachable("watch does not answer", where=str(self.path)) from fault
        if isinstance(answer, wanted):
            return answer
        what = answer.what if isinstance(answer, Unanswered) else "watch went away before it answered"
        raise StationUnreachable(what, where=str(self.path))
