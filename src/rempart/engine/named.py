"""What an order names: the opening of the site, or a refusal that says which there are."""

from rempart.errors import OrderRefused
from rempart.site.opening import Opening
from rempart.site.site import Site


def opening_named(site: Site, name: str) -> Opening:
    """The opening with that id. Raises `OrderRefused` when the site has none."""
    try:
        return site.opening(name)
    except KeyError:
        known = (opening.id for opening in site.openings)
        raise OrderRefused("unknown-opening", opening=name, known=known) from None
