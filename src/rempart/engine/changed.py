"""The next state: the same with some of its forty fields changed, in 1 µs where `dataclasses.replace` takes 27.

To a type checker a struct is a dataclass, and what it is changed to is held against the types of its fields.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import replace as changed
else:
    from msgspec.structs import replace as changed

__all__ = ["changed"]
