"""HAProxy's verdict on its servers."""
import csv
import socket


def statistics(path):
    """Returns the rows of `show stat` by backend and server, from the administration socket at a path."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(b"show stat\n")
        text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    rows = csv.DictReader(text.removeprefix("# ").splitlines())
    return {(row["pxname"], row["svname"]): row for row in rows}
