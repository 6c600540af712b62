"""Visits the website of the house from outside and tells what came, as JSON: status, when to come again, first words.

Run in the namespace of the outside. An answer that does not come is told as status 0.
"""

import http.client
import json
import re

FRONT, HOST = "203.0.113.2", "www.nightly.example"
PHONE = "040000060"
"""The number that stands in for the website in the site's description."""


def visit() -> dict[str, object]:
    """One request as a browser makes it."""
    connection = http.client.HTTPConnection(FRONT, 80, timeout=30)
    try:
        connection.request(
            "GET", "/", headers={"Host": HOST, "User-Agent": "Mozilla/5.0", "Accept": "text/html"}
        )
        answer = connection.getresponse()
        page = answer.read().decode(errors="replace")
    except OSError as fault:
        return {"status": 0, "fault": str(fault)}
    title = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
    return {
        "status": answer.status,
        "again": answer.getheader("Retry-After", ""),
        "title": title.group(1).strip() if title else page[:40],
        "phone": PHONE in re.sub(r"&nbsp;|\s", "", page),
    }


if __name__ == "__main__":
    print(json.dumps(visit()))
