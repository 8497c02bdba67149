"""Others that a password goes to: a proxy, and a server that repeats it."""
import base64
import os
import socket
import threading


class Proxy(threading.Thread):
    """SOCKS5 with a login (RFC 1929); silent: takes it and says nothing."""

    def __init__(self, port, silent):
        super().__init__(daemon=True)
        self.target, self.silent, self.heard = int(port), silent, b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            client = self.listener.accept()[0]
            self.heard = b""
            threading.Thread(target=self.serve, args=(client,),
                             daemon=True).start()

    def serve(self, client):
        client.recv(64)
        client.sendall(b"\5\2")
        self.heard = client.recv(1024)
        if self.silent:
            client.recv(1)
            return
        client.sendall(b"\1\0")
        client.recv(1024)
        server = socket.create_connection(("127.0.0.1", self.target))
        client.sendall(b"\5\0\0\1\0\0\0\0\0\0")
        threading.Thread(target=self.pump, args=(client, server),
                         daemon=True).start()
        self.pump(server, client)

    @staticmethod
    def pump(one, other):
        try:
            while octets := one.recv(4096):
                other.sendall(octets)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Echo(threading.Thread):
    """Says what it was told: after AUTH, or at MAIL, where it then waits."""

    def __init__(self, path, password, at_mail):
        super().__init__(daemon=True)
        self.password, self.at_mail, self.path = password, at_mail, path
        self.said = False
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.fspath(path))
        self.listener.listen()
        self.start()

    def run(self):
        while True:
            client = self.listener.accept()[0]
            try:
                self.serve(client, client.makefile("rb"))
            except OSError:
                pass
            client.close()

    def repeat(self, client, code, word):
        coded = base64.b64encode(self.password)
        for text in (self.password, word, coded):
            client.sendall(b"%d-%s\r\n" % (code, text))
        client.sendall(b"%d %s\r\n" % (code, word))

    def serve(self, client, lines):
        client.sendall(b"220 mx ESMTP\r\n")
        word = b""
        for line in lines:
            verb = line.split()[0].upper()
            if verb == b"EHLO":
                client.sendall(b"250-mx\r\n250 AUTH PLAIN\r\n")
            elif verb == b"AUTH" and not self.at_mail:
                self.repeat(client, 535, line.split()[2])
            elif verb == b"AUTH":
                word = line.split()[2]
                client.sendall(b"235 welcome\r\n")
            elif verb == b"MAIL":
                self.repeat(client, 250, word)
                self.said = True
            elif verb == b"QUIT":
                return
