#!/usr/bin/python3 -B
"""sink.py PORT STORE: the last hop of Postfix and Exim, over LMTP, and of
Sendmail, over SMTP."""
import sys

from session import Server, Session


class Sink(Session):
    offer = Session.offer + ["SMTPUTF8", "DSN"]

    def do_LHLO(self, line):
        self.do_EHLO(line)

    def take(self, data):
        """RFC 2033: one reply for each recipient"""
        everyone = self.recipients
        for one in everyone:
            self.recipients = [one]
            super().take(data)


with Server(("127.0.0.1", int(sys.argv[1])), Sink) as server:
    server.store = sys.argv[2]
    server.serve_forever()
