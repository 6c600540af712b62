"""A web server of the lab. web.py NAME ADDRESS PORT

`/` names it and who asks, `/stream` never ends, `/slow` takes a second and a half.
"""

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/stream":
            self.stream()
            return
        if self.path == "/slow":
            time.sleep(1.5)
        body = f"{sys.argv[1]} for {self.headers.get_all('X-Forwarded-For')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            self.wfile.write(b"5\r\ntick\n\r\n")
            self.wfile.flush()
            time.sleep(0.005)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    def server_bind(self):
        """Without asking a name server, that is not there, what it is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, *_):
        """The proxy ended a session: that is what the tests are about."""


Server((sys.argv[2], int(sys.argv[3])), Page).serve_forever()
