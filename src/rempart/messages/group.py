"""The group's door and the guard: the cut of all sites, and nothing else."""

from typing import Annotated

import msgspec
from msgspec import Meta

from rempart.messages.order import OrderDone, OrderRejected


class CutAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Somebody whose certificate is trusted cuts the whole group, this site too. The only thing that can be asked."""

    by: Annotated[str, Meta(min_length=1, max_length=120)]
    reason: Annotated[str, Meta(max_length=400)] = ""


FromGroupDoor = CutAsked


GroupAnswer = OrderDone | OrderRejected
"""What a box says to whoever cuts the group, and the guard to the group's door."""


ToGroupDoor = GroupAnswer


class GroupCutAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """From a person to each box of a group, over TLS: cut. The door adds the name in the certificate."""

    by: Annotated[str, Meta(min_length=1, max_length=55)]
    reason: Annotated[str, Meta(max_length=400)] = ""
