"""Where things are on the box: one frozen value, read once, passed down."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The files and sockets of one station. ``state`` survives reboots, ``run`` does not."""

    site: Path
    """site.toml"""
    state: Path
    run: Path
    rules: tuple[Path, ...]
    policy: Path | None = None
    """policy.toml; None: the policy that ships with Rempart."""

    @property
    def exceptions(self) -> Path:
        """exceptions.toml, beside site.toml: what the site has decided not to be told. It need not be there."""
        return self.site.with_name("exceptions.toml")

    @property
    def installed_rules(self) -> Path:
        """Where sets of rules are installed (`rempart rules install`); watch reads the one in force."""
        return self.state / "rules"

    @property
    def indicators(self) -> Path:
        """Folder of lists of bad addresses, domains, URLs and hashes that watch reads. It need not be there."""
        return self.state / "indicators"

    @property
    def countries(self) -> Path:
        """Table of networks and their countries, beside site.toml. It need not be there."""
        return self.site.with_name("countries.csv")

    @property
    def journal(self) -> Path:
        """The evidence journal (SQLite). Guard only."""
        return self.state / "guard" / "journal.db"

    @property
    def keys(self) -> Path:
        """Folder of the signing keys. Guard only."""
        return self.state / "guard" / "keys"

    @property
    def accounts(self) -> Path:
        """What people sign in with (SQLite). Guard only."""
        return self.state / "guard" / "accounts.db"

    @property
    def attachments(self) -> Path:
        """Folder of the files attached to incidents, each under its hash. Guard only."""
        return self.state / "guard" / "attachments"

    @property
    def masks(self) -> Path:
        """The key that makes masks of accounts. Guard only."""
        return self.state / "guard" / "masks.key"

    @property
    def certificate(self) -> Path:
        """Folder of the console's certificate and of the station's own authority. It need not be there."""
        return self.state / "certificate"

    @property
    def events(self) -> Path:
        """The event store (SQLite). Watch only."""
        return self.state / "watch" / "events.db"

    @property
    def pasts(self) -> Path:
        """What behaviour detectors remember. Watch only."""
        return self.state / "watch" / "pasts"

    @property
    def hidden(self) -> Path:
        """How often exceptions hid what. Written by watch, read by ``rempart rules list``."""
        return self.state / "watch" / "hidden.json"

    @property
    def findings(self) -> Path:
        """The findings of some weeks, in bunches, for the pages (SQLite). Watch only."""
        return self.state / "watch" / "findings.db"

    @property
    def finding_masks(self) -> Path:
        """The key that makes masks of accounts in findings. Watch only."""
        return self.state / "watch" / "masks.key"

    @property
    def intake(self) -> Path:
        """How much came from each log. Watch only."""
        return self.state / "watch" / "intake.json"

    @property
    def ordered_exceptions(self) -> Path:
        """The exceptions that were made by an order, as the guard told them. Watch only."""
        return self.state / "watch" / "exceptions.toml"

    @property
    def inquiry_socket(self) -> Path:
        """Where the console asks watch about findings, logs and rules."""
        return self.run / "watch" / "inquiry.sock"

    @property
    def watch_socket(self) -> Path:
        """Where watch reports findings to the guard."""
        return self.run / "guard" / "watch.sock"

    @property
    def spool(self) -> Path:
        """Folder of the messages to people that are on their way. Teller only."""
        return self.state / "teller" / "spool"

    @property
    def teller_socket(self) -> Path:
        """Where the guard asks the teller to tell people."""
        return self.run / "guard" / "teller.sock"

    @property
    def probe_socket(self) -> Path:
        """Where the prober tells what was answered."""
        return self.run / "guard" / "probe.sock"

    @property
    def group_socket(self) -> Path:
        """Where the group's door passes on that the whole group is cut."""
        return self.run / "guard" / "group.sock"

    @property
    def console_socket(self) -> Path:
        """Where the console asks the guard."""
        return self.run / "guard" / "console.sock"

    @property
    def operator_socket(self) -> Path:
        """Where the local command line asks the guard."""
        return self.run / "guard" / "operator.sock"

    @property
    def resolver_socket(self) -> Path:
        """Where the resolver tells the guard what names lead to."""
        return self.run / "guard" / "resolver.sock"

    @property
    def staff_notice(self) -> Path:
        """How the site stands, written by the console, read by the staff page's process."""
        return self.run / "staff" / "notice.json"

    @property
    def unbound_config(self) -> Path:
        """unbound's configuration, written by the supervisor."""
        return self.run / "names" / "unbound.conf"

    @property
    def proxy_config(self) -> Path:
        """haproxy's configuration, rendered by the guard."""
        return self.run / "proxy" / "haproxy.cfg"

    @property
    def proxy_map(self) -> Path:
        """haproxy's map: opening id to state."""
        return self.run / "proxy" / "openings.map"

    @property
    def notices_map(self) -> Path:
        """haproxy's map of what its pages say that changes: since when, when there is news."""
        return self.run / "proxy" / "notices.map"

    @property
    def proxy_socket(self) -> Path:
        """haproxy's runtime socket, alone in the one folder that haproxy may write to."""
        return self.run / "control" / "haproxy.sock"

    @property
    def gate_config(self) -> Path:
        """Configuration of the gate's haproxy, rendered by the guard."""
        return self.run / "gate" / "haproxy.cfg"

    @property
    def gate_map(self) -> Path:
        """The gate's map: opening id to state."""
        return self.run / "gate" / "openings.map"

    @property
    def gate_socket(self) -> Path:
        """The gate's runtime socket, in the folder that haproxy may write to."""
        return self.run / "control" / "gate.sock"

    @property
    def proxy_log(self) -> Path:
        """Where haproxy's access lines go; watch follows it."""
        return self.run / "access.log"

    @property
    def filter_config(self) -> Path:
        """The web filter's configuration (nginx with ModSecurity), rendered by the guard."""
        return self.run / "filter" / "nginx.conf"

    @property
    def filter_work(self) -> Path:
        """The one folder that the web filter may write to: its sockets, and bodies of requests while they last."""
        return self.run / "filtering"

    def filter_socket(self, mark: int) -> Path:
        """Where the web filter takes the requests for the opening of that mark."""
        return self.filter_work / f"{mark:d}.sock"

    @property
    def challenges(self) -> Path:
        """Where an ACME client leaves its answers (its webroot); asked for on port 80, also while all is closed."""
        return self.state / "acme"

    @property
    def challenges_socket(self) -> Path:
        """Where the web filter gives these answers out."""
        return self.filter_work / "acme.sock"

    @property
    def packets_config(self) -> Path:
        """ulogd's configuration, written by the supervisor."""
        return self.run / "packets" / "ulogd.conf"

    @property
    def packets_log(self) -> Path:
        """Where ulogd writes packets and flows as JSON lines; watch follows it."""
        return self.run / "packets" / "ulogd.json"

    @property
    def packets_diary(self) -> Path:
        """What ulogd says of itself."""
        return self.run / "packets" / "ulogd.log"


RUN = Path("/run/rempart")
"""Where the sockets are on a box."""

STATE = Path("/var/lib/rempart")
"""Where what must survive is on a box."""

SITE = Path("/etc/rempart/site.toml")
"""The site's description on a box."""
