"""What people call machines, openings and addresses; an address itself is for those who may see technical detail."""

from collections.abc import Iterable
from dataclasses import dataclass

from rempart.console.words import Words
from rempart.site.site import Site


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one site, for one reader. ``addresses``: whether they are told what has no name."""

    site: Site
    words: Words
    addresses: bool

    def of(self, target: str, otherwise: str = "machine") -> str:
        """The name of an opening, a machine or an address. What has none is told, or *a machine in the house*.

        ``otherwise``: ``machine`` or ``address``, whichever it is when it is not told.
        """
        for opening in self.site.openings:
            if target == opening.id:
                return opening.name
        for asset in self.site.assets:
            if target == asset.id or target in asset.addresses:
                return asset.name
        return target if target and self.addresses else self.words.say(f"word.some-{otherwise}")

    def of_all(self, targets: Iterable[str], otherwise: str = "machine") -> str:
        """The names of several, each once."""
        return ", ".join(dict.fromkeys(self.of(target, otherwise) for target in targets))
