"""A door in this machine's own network to the console inside the gateway's, so that a browser can open it."""

import socket
import threading
from pathlib import Path

from demo.world import enter


class Doorway:
    """Listens on a port of this machine's loopback and passes every connection on, byte for byte, both ways."""

    def __init__(self, namespace: Path, port: int) -> None:
        self._namespace = namespace
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", port))
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Stop listening; connections end with the programs they lead to."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._pass_on, args=(visitor,), daemon=True).start()

    def _pass_on(self, visitor: socket.socket) -> None:
        try:
            inside = enter(self._namespace, lambda: socket.create_connection(("127.0.0.1", self._port), 5))
        except OSError:  # no console there (yet): the browser sees a closed connection
            visitor.close()
            return
        inside.settimeout(None)
        back = threading.Thread(target=_pump, args=(inside, visitor), daemon=True)
        back.start()
        _pump(visitor, inside)
        back.join()
        visitor.close()
        inside.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # either side went away: the other one is told below or knows
        source.close()


def free_port() -> int:
    """A port of this machine's loopback that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
