"""What is played: submissions and resends, each with its server's part."""

from run import B
from server import Script
from world import SENDMAIL

ALICE, BOB, CARL = "alice@example.org", "bob@example.net", "carl@example.net"
SMALL = b"hello\n.dot\nbye\n"
LARGE = b"".join(b"%07d %s\n" % (i, b"x" * 91) for i in range(12000))
PIPELINING, CHUNKING = "PIPELINING", "CHUNKING"
DOWN = Script(down=True)


class Scenario:
    """One program run, from which its matrix is made.

    before, prepared: the script of the submissions whose kept messages are
    sent again, and how many; of a submission 0.  share: play only each so
    many-th point, since the points are alike.
    """

    def __init__(self, name, script, rcpts=(BOB, CARL), body=SMALL,
                 retry=False, before=DOWN, prepared=0, select=(),
                 config=(), share=1, fresh=False):
        self.name, self.script, self.rcpts = name, script, list(rcpts)
        self.retry, self.before, self.prepared = retry, before, prepared
        self.config, self.share, self.select = list(config), share, select
        self.fresh = fresh
        self.bodies = [body + b"number %d\n" % i
                       for i in range(prepared or 1)]
        # as they are on the wire and in the store
        self.expected = [b"\r\n" + x.replace(b"\n", b"\r\n")
                         for x in self.bodies]

    def submission(self):
        return [SENDMAIL, "-i", "-oem", *self.rcpts]

    def command(self):
        if not self.prepared:
            return self.submission()
        return [SENDMAIL, *(self.select or ["-q"])]

def submissions():
    later = "451 4.3.0 later"
    return [
        Scenario("data", Script()),
        Scenario("pipelined", Script([PIPELINING])),
        Scenario("bdat", Script([PIPELINING, CHUNKING])),
        Scenario("lmtp", Script(lmtp=True, dot={CARL: later})),
        Scenario("rcpt-451", Script(rcpt={BOB: later, CARL: later})),
        Scenario("rcpt-451-one", Script(rcpt={CARL: later})),
        Scenario("rcpt-550", Script([PIPELINING, CHUNKING],
                                    rcpt={CARL: "550 5.1.1 no"})),
        Scenario("dot-554", Script(dot={0: "554 5.6.0 no"})),
        Scenario("down", DOWN),
        Scenario("dot-421", Script(dot={0: "-421 4.3.2 bye"})),
        Scenario("lost-taken", Script(dot={0: "+"})),
        Scenario("lost-untaken", Script([PIPELINING, CHUNKING],
                                        dot={0: "-"})),
        Scenario("two-transactions", Script(most=1)),
        Scenario("two-accounts", Script(dot={1: later}),
                 config=["account one\nfrom home@example.com",
                         "account two\nfrom work@example.com\nmatch carl@*"]),
        Scenario("fresh", DOWN, fresh=True),
        Scenario("large", Script(), body=LARGE, share=4),
        Scenario("large-bdat", Script([CHUNKING], dot={0: later}),
                 body=LARGE, share=4),
    ]


def queued():
    later = "451 4.3.0 later"
    return [
        Scenario("queue-down", DOWN, retry=True),
        Scenario("queue-451", Script(rcpt={BOB: later, CARL: later}),
                 retry=True),
        Scenario("queue-451-one", Script([PIPELINING], rcpt={CARL: later}),
                 retry=True),
        Scenario("queue-dot-451", Script([PIPELINING, CHUNKING],
                                         dot={0: later}), retry=True),
        Scenario("queue-550", Script(rcpt={BOB: later, CARL: "550 5.1.1 no"}),
                 retry=True),
        Scenario("queue-lost", Script(dot={0: "+"}), retry=True),
        Scenario("queue-fresh", DOWN, fresh=True, retry=True),
        Scenario("queue-large", DOWN, body=LARGE, retry=True, share=4),
    ]


def held():
    """Sent again by name; "20" is in every id."""
    by_name = {"prepared": 1, "select": ["-qI", "20"]}
    return [
        Scenario("again", Script(), **by_name),
        Scenario("again-451", Script(rcpt={CARL: "451 4.3.0 later"}),
                 **by_name),
        Scenario("again-lost", Script(dot={0: "+"}), **by_name),
        Scenario("again-lmtp", Script(lmtp=True, dot={CARL: "451 later"}),
                 **by_name),
        Scenario("again-large", Script(), body=LARGE, share=4,
                 **by_name),
    ]


def resends():
    queue = {"prepared": 1, "retry": True}
    later = "451 4.3.0 later"
    return [
        Scenario("resend", Script(), **queue),
        Scenario("resend-bdat", Script([PIPELINING, CHUNKING]), **queue),
        Scenario("resend-451", Script(rcpt={CARL: later}), **queue),
        Scenario("resend-550", Script([PIPELINING, CHUNKING],
                                      rcpt={CARL: "550 5.1.1 no"}), **queue),
        Scenario("resend-dot-451", Script(dot={0: later}), **queue),
        Scenario("resend-two", Script(most=1), **queue),
        Scenario("resend-two-451", Script(most=1, dot={1: later}), **queue),
        Scenario("resend-two-lost", Script(most=1, dot={1: "+"}), **queue),
        Scenario("resend-lost", Script(dot={0: "+"}), **queue),
        Scenario("resend-421", Script(dot={0: "-421 4.3.2 bye"}), **queue),
        Scenario("resend-lmtp", Script(lmtp=True, dot={CARL: later}),
                 **queue),
        Scenario("resend-down", DOWN, **queue),
        Scenario("resend-many", Script([PIPELINING]), prepared=3,
                 rcpts=[BOB], retry=True),
        Scenario("resend-large", Script(), body=LARGE, share=4, **queue),
    ]


def secret():
    return [Scenario("tls", Script([PIPELINING, "AUTH PLAIN"], tls=True),
                     config=[f"from {ALICE}", "password secret",
                             f"ca-file {B}/crash/ca/ca.pem"], share=7)]


def all_of_them():
    return submissions() + secret() + queued() + held() + resends()
