#!/usr/bin/python3
"""Do the tests see when a defence is missing?  Each is taken out of a copy of
the program, and the test that is named for it must fail.

mutants.py [WORD]       those that have the word in their name"""

import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from mutants import B, TOP, Copy, Trouble                       # noqa: E402

# (the defence, its text in one of the rooms, what it is made, the test)
MUTANTS = [
    ("a SCRAM server's signature is masked",
     "is_signature(p + 4, len - 4)", "false", "trace auth-scram-sha-256"),
    ("a proof is masked in the words for it",
     "return behind(g, \",p=\");", "return (struct span){ 0, 0 };",
     "trace auth-scram-sha-256"),
    ("a proof is masked when the server repeats it",
     "if (gloss_proves(&g))", "if (false)", "play auth-scram-proof-echoed"),
    ("what came before TLS is an attack",
     "if (buffer_len(&s->in) > 0)\n\t\treturn stream_fail(s, why, "
     "FAILURE_PROTOCOL, \"the server sent \"",
     "if (false)\n\t\treturn stream_fail(s, why, "
     "FAILURE_PROTOCOL, \"the server sent \"",
     "play starttls-injected"),
    ("what was offered before TLS is forgotten",
     "\ts->can = (struct capabilities){ 0 };\n"
     "\tdialogue_step(&s->talk, STEP_EHLO);",
     "\tdialogue_step(&s->talk, STEP_EHLO);", "play starttls-forgets-auth"),
    ("STARTTLS is asked for when it is not announced",
     "if (!s->can.starttls && !required)", "if (!s->can.starttls)",
     "play starttls-not-announced"),
    ("220 alone begins TLS",
     "\tif (reply.code == 220) {", "\tif (reply.code / 100 == 2) {",
     "play starttls-250"),
    ("EHLO refused within TLS is the end",
     "return !s->talked && ", "return ", "play starttls-ehlo-refused-inside"),
    ("TLS 1.2 at least",
     'versions[] = "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"',
     'versions[] = "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:+VERS-TLS1.1"',
     "play starttls-11"),
    ("the purpose of a certificate counts",
     "gnutls_certificate_verify_peers(session, &wanted, 1, status)",
     "gnutls_certificate_verify_peers(session, &wanted, 0, status)",
     "play certificate-client-only"),
    ("no handshake without a deadline",
     "if (!stream_wait(s, wanted(t), why))\n\t\t\t\treturn false;",
     "(void)stream_wait(s, wanted(t), why);",
     "matrix implicit&handshake: silence"),
    ("a line has an end",
     "if ((end != NULL ? (size_t)(end - p) : n) > max)",
     "if ((end != NULL ? (size_t)(end - p) : n) > max + (1 << 28))",
     "matrix unix&mail: line of 64k"),
    ("a reply has an end",
     "if (++r->lines > REPLY_LINES_MAX)", "if (++r->lines == 0)",
     "matrix unix&mail: endless lines"),
    ("octets do not make the deadline later",
     "\t\tbuffer_added(&s->in, n);\n\tif (state == TRANSPORT_END)",
     "\t{ buffer_added(&s->in, n); s->deadline = clock_now() + s->seconds "
     "* 1000; }\n\tif (state == TRANSPORT_END)", "matrix unix mail: drip"),
    ("the session has a deadline",
     "return s->session >= 0 && s->session < s->deadline ? s->session :\n"
     "\t    s->deadline;", "return s->deadline;", "matrix unix slow:"),
    ("replies that were not asked for are bounded",
     "INPUT_MAX = 4 * 1024 * 1024", "INPUT_MAX = 64 * 1024 * 1024",
     "matrix unix&large body: deaf"),
    ("a reply has one code",
     "if (r->lines > 0 && code != r->code)", "if (false)",
     "matrix unix&rcpt.1: codes differ"),
    ("nobody speaks before they are asked",
     "if (!stream_has_input(d->stream))\n\t\treturn true;",
     "if (true)\n\t\treturn true;", "play greeting-and-more desync-after-ehlo"),
    ("a reply before the dot is not the one to it",
     "if (t->accepted > 0 && !may_go_on(t))", "if (false)",
     "play desync-250-before-header"),
    ("a verdict on half a message can only be a refusal",
     "if (!reply_is_success(&reply)) {\n\t\ttransaction_settle(t, &reply);",
     "if (true) {\n\t\ttransaction_settle(t, &reply);",
     "play desync-250-before-data"),
    ("nonsense for RCPT leaves the rest in doubt",
     "\tif (reply->code == 421)\n\t\tend(t, &why);", "\tif (true)\n"
     "\t\tend(t, &why);", "play rcpt-354-in-flight"),
    ("silence behind the data is unknown",
     "if (t->data_queued && !t->refused && stream_has_sent("
     "t->talk->stream))", "if (false)",
     "matrix unix dot: close"),
    ("also when QUIT behind them has not gone",
     "return s->marked && s->before_mark == 0;",
     "return s->marked && buffer_len(&s->out) == 0;",
     "unit test_transaction"),
    ("421 for the data is unknown",
     "return reply->code != 421 && (", "return (", "matrix unix dot: 421"),
    ("a write that fails is no reason not to listen",
     "\ts->broken = true;\n\tremember(s, why);",
     "\ts->broken = s->ended = true;\n\tremember(s, why);",
     "unit test_stream"),
    ("no escapes", "return c >= ' ' && (c < 0x7f", "return (c < 0x7f",
     "matrix unix&550 with esc"),
    ("no carriage returns", "return c >= ' ' && (c < 0x7f",
     "return (c >= ' ' || c == '\\r') && (c < 0x7f",
     "matrix unix&550 with bare-cr"),
    ("no C1", "(c < 0x7f || c >= 0xa0)", "c != 0x7f",
     "matrix unix&550 with c1"),
    ("no marks of direction", "(c < 0x2028 || c > 0x202e) &&", "",
     "matrix unix&550 with bidi"),
    ("iterations: at least 4096", "return (n >= SCRAM_ITERATIONS_MIN &&",
     "return (n >= 1 &&", "play auth-scram-iterations-4095"),
    ("iterations: not so many that it takes long",
     "&& n <= SCRAM_ITERATIONS_MAX) ||", ") ||",
     "play auth-scram-iterations-2-24"),
    ("the server's nonce extends ours",
     " ||\n\t    memcmp(nonce->p, buffer_data(&s->nonce), ours) != 0)", ")",
     "play auth-scram-nonce-foreign"),
    ("the server adds to our nonce",
     "return nonce->len >= ours + SCRAM_NONCE_MIN ||", "return true ||",
     "play auth-scram-nonce-short"),
    ("the salt is long enough", "return octets >= SCRAM_SALT_MIN ||",
     "return true ||", "play auth-scram-salt-short"),
    ("the server has to prove itself",
     "\tif (sasl_is_complete(sasl, &reason))",
     "\tif (sasl_is_complete(sasl, &reason) || true)",
     "play auth-scram-235-without-signature"),
    ("what the server repeats of the password is not shown",
     "d->masked = mask(d, shown);", "d->masked = false;",
     "play auth-plain-echoed"),
    ("a reason that has the token in it is not shown",
     "return dialogue_tells(&s->talk, reason) ?", "return false ?",
     "play auth-oauthbearer-echoed"),
    ("success behind a refusal is none",
     "\ts->complete = false;\n\tif (is(s, \"OAUTHBEARER\"))",
     "\tif (is(s, \"OAUTHBEARER\"))", "play auth-oauthbearer-235-after-error"),
    ("a token goes by its own mechanisms alone",
     "return m->token ? policy->has_token : policy->has_password;",
     "return policy->has_token || policy->has_password;",
     "play auth-oauthbearer-only-passwords"),
    # The DNS
    ("answers have the question's id",
     "len > NS_MAXMSG || ns_get16(packet) != id ||", "len > NS_MAXMSG ||",
     "unit test_answer"),
    ("answers have the question", "if (!is_question(&msg, q))",
     "if (false)", "resolve another name asked"),
    ("aliases have an end", "ANSWER_CHAIN_MAX = 16",
     "ANSWER_CHAIN_MAX = 1 << 20", "resolve alias of itself"),
    ("records of others do not count",
     "strcasecmp(ns_rr_name(rr), q->canonical) != 0)\n\t\t\tcontinue;",
     "false)\n\t\t\tcontinue;", "resolve addresses of others beside it"),
    ("a record that cannot be read may have been the one",
     "\t\t\tmalformed = true;\n\t\t\tcontinue;", "\t\t\tcontinue;",
     "resolve compressed name that points to itself"),
    ("a flood of packets ends at the deadline",
     "packets < PACKETS_MAX", "packets < 1000000000", "unit test_dns"),
    ("the resolver's word on DNSSEC counts when it is trusted",
     "q->authenticated = trusted && ", "q->authenticated = ",
     "unit test_answer"),
    ("TLSA of a length that is not the digest's are passed over",
     "return t->len == digest_len(t->matching);", "return true;",
     "resolve TLSA of 33 octets"),
    ("a certificate's key is the one that TLS is spoken with",
     "&number, &digits) && in.len == 0;", "&number, &digits);",
     "unit test_trust"),
    ("no more than 32 addresses", "if (place->n == ADDRESSES_MAX)",
     "if (false)", "resolve 200 dead"),
]


def command(copy, test):
    """What to build, and what to run."""
    kind, _, rest = test.partition(" ")
    if kind == "unit":
        return "build/unit/" + rest, [copy.build / "unit" / rest]
    if kind in ("play", "trace"):
        return "build/sendoff", [
            TOP / "tests/play", "--binary", copy.build / "sendoff", "--only",
            "whole" if kind == "play" else kind, *(TOP / f"tests/functional/{x}.smtp"
                                 for x in rest.split())]
    if kind == "resolve":
        return "build/sendoff", [sys.executable, HERE + "/resolve.py",
                                 "--only", rest]
    words = [x for word in rest.split("&") for x in ("--only", word)]
    return "build/sendoff", [sys.executable, HERE + "/matrix.py", *words]


def passes(copy, what):
    env = dict(os.environ, HOSTILE=str(copy.build), B=str(B))
    try:
        return subprocess.run(what, env=env, check=False, timeout=300,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def main():
    copy = Copy("hostile", links=("tests", "bench"), built=("peak", "crash"))

    def try_one(old, new, test):
        target, what = command(copy, test)
        copy.make(target)
        if not passes(copy, what):
            raise Trouble(f"it fails with the defence as well: {test}")
        with copy.spoilt(old, new):
            copy.make(target)
            if passes(copy, what):
                raise Trouble(f"it was not seen by: {test}")

    word = " ".join(sys.argv[1:])
    sys.exit(not copy.try_all([m for m in MUTANTS if word in m[0]], try_one))


if __name__ == "__main__":
    main()
