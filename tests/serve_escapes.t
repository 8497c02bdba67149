#!/usr/bin/python3 -B
"""What a server says reaches a caller of -bs without controls, in one line."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/servers")

from hostile import (HELLO, TEXT, TMP, Server, account, batch, config, ok,
                     play, rcpt, same)                          # noqa: E402

NASTY = "\x1b]0;x\x07\x9b31m\x85 a\rb\x7f \xe2\x80\xae \0 end"
CONTROL = re.compile("[\0-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f"
                     "\u2028-\u202e\u2066-\u2069]|\r(?!\n)|(?<!\r)\n")



def saying(step, code):
    def hook(c, verb, _):
        if verb != step:
            return None
        c.sock.sendall(f"{code} 1.2.3 {NASTY}\r\n".encode("latin-1"))
        return ""
    return hook


def story(step, code, want):
    def run():
        s = Server(step.lower() + code, saying(step, code))
        config(account(s))
        if os.path.exists(TMP + "/log"):
            os.unlink(TMP + "/log")
        said, text, _ = batch("EHLO me\r\n" + HELLO[9:] + rcpt(
            "bob@example.org") + "DATA\r\n" + TEXT + "QUIT\r\n")
        ok(not CONTROL.search(text), f"{step} {code}: no controls")
        same(said.split()[2:2 + len(want)], want,
             f"{step} {code}: a line for each")
        with open(TMP + "/log", encoding="utf-8") as f:
            ok(not CONTROL.search(f.read().replace("\n", "\r\n")),
               f"{step} {code}: none in the log")
    run.__name__ = step + code
    return run


play(story("MAIL", "550", ["550"]), story("MAIL", "250", ["250"]),
     story("RCPT", "550", ["250", "550"]), story("RCPT", "451",
                                                 ["250", "451"]),
     story("DOT", "250", ["250", "250", "354", "250"]),
     story("DOT", "554", ["250", "250", "354", "554"]))
