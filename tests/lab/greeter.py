"""Servers outside that greet whoever sends something with the address reached, and echo what follows."""

import socket
import sys
import threading


def serve(address: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family, backlog=500) as door:
        while True:
            client, _ = door.accept()
            threading.Thread(target=greet, args=(client, address), daemon=True).start()


def greet(client: socket.socket, address: str) -> None:
    with client:
        try:
            if client.recv(4096):
                client.sendall(f"{address}\n".encode())
            while data := client.recv(4096):
                client.sendall(data)
        except OSError:
            return


for each in sys.argv[1:]:
    host, _, number = each.rpartition(":")
    threading.Thread(target=serve, args=(host, int(number)), daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
