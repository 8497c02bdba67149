"""A server that nobody reaches and that refuses nobody: its queue is full."""

import socket


class Swallower:
    """An address whose connections never come about."""

    def __init__(self, address="127.0.0.1"):
        self.sock = socket.socket()
        self.sock.bind((address, 0))
        self.sock.listen(0)
        self.port = self.sock.getsockname()[1]
        self.callers = []
        for _ in range(4):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex((address, self.port))
            self.callers.append(caller)
        self.url = f"smtp+plain://{address}:{self.port}"

    def close(self):
        for sock in [self.sock, *self.callers]:
            sock.close()
