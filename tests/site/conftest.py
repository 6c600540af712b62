"""A small site that is right, for tests to break."""

import pytest

GOOD = """\
id = "les-tilleuls"
name = "Maison de repos Les Tilleuls"
template = "nursing-home"
languages = ["fr", "nl"]
phone = "04 000 00 10"
records_kept = 480
known_devices = ["02:00:5E:10:00:01"]

[uplink]
interface = "eth0"
addresses = ["203.0.113.2/24", "2001:db8:1::2/64"]

[[zones]]
id = "wards"
name = "Soins"
interface = "eth1"
networks = ["10.0.1.0/24", "2001:db8:2::/64"]
reaches = ["servers"]

[[zones]]
id = "servers"
name = "Serveurs"
interface = "eth2"
networks = ["10.0.2.0/24"]

[[zones]]
id = "guests"
name = "Visiteurs"
interface = "eth3"
networks = ["10.0.3.0/24"]
stays_on = false

[[openings]]
id = "telephone"
mark = 7
name = "Téléphone"
direction = "both"
zones = ["wards"]
hosts = ["198.51.100.10"]
services = ["udp/5060-5061", "udp/10000-20000"]
care = 1
lifeline = true

[openings.fallback]
text = "téléphones mobiles des étages"
phone = "0470 00 00 03"

[[openings]]
id = "website"
name = "Site web"
direction = "in"
zones = ["servers"]
hosts = ["*"]
services = ["tcp/80", "tcp/443"]
care = 5
confidence = "S"
fallback = { text = "page en maintenance", phone = "04 000 00 10", depends_on = ["telephone"] }
normally = "filtered"
publication.host = "www.tilleuls.example"
publication.zone = "servers"
publication.address = "10.0.2.20"
publication.port = 8080
publication.tls = { certificate = "/etc/rempart/www.pem" }

[[assets]]
id = "files"
name = "Serveur des dossiers"
zone = "servers"
addresses = ["10.0.2.10"]
kind = "server"

[[wards]]
id = "first-floor"
name = "Premier"

[hours]
days = ["mon", "sat"]
from = "08:30"
until = "12:00"
shifts = ["19:00", "07:00"]

[[probes]]
id = "website"
name = "Site"
kind = "http"
address = "10.0.2.10"
port = 8080
every = 30

[downtime_pack]
path = "/srv/pack.pdf"

[[tell]]
role = "duty"
language = "fr"
text = "+32 470 00 00 01"
quiet = "22:00-07:00"

[telling.modem]
device = "/dev/ttyUSB0"

[[contacts]]
role = "technician"
name = "Technicien de garde"
phone = "0470 00 00 01"

[[outside_wall]]
name = "Microsoft 365"
action = "fermer les sessions"
phone = "02 000 00 01"

[[safeguards]]
id = "operators"
interface = "eth9"
networks = ["10.0.9.0/28"]
services = ["tcp/22"]

[[logs]]
path = "/var/log/nginx/access.log"
decoder = "nginx"

[care_files]
server = "files"
person = "/dossier/([0-9]+)"
"""


@pytest.fixture(scope="session")
def good() -> str:
    """The text of a site without a mistake."""
    return GOOD
