"""The staff page: where anybody in the house reads what works and whom to call, without an account."""

from dataclasses import dataclass

PORT = 8421
"""Where it is when the site names no port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPage:
    """A listener of its own, in clear text, apart from the console's. There is none unless the site says where."""

    address: str
    """IPv4 or IPv6 address of the station towards the house."""
    port: int = PORT

    @property
    def authority(self) -> str:
        """Host and port as a URL has them (RFC 3986, 3.2)."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{self.authority}/"
