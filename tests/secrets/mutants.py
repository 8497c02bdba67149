#!/usr/bin/env python3
"""Does tests/secrets.t see anything?  One wipe, or one guard, after the other
is left out, and each time it must not be content."""
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from mutants import TOP, Copy, Trouble                          # noqa: E402

# what is wrong; its room; the text there; what it is made; the part of the test
MUTANTS = [
    ("core files have the pages", "vault.c",
     "(void)madvise(p, *room, MADV_DONTDUMP);", "", "bs"),
    ("the pages may be swapped out", "vault.c",
     "(void)mlock(p, *room);", "", "bs"),
    ("registers keep it", "vault.c", "len <= 1024", "len < 16", "proxies"),
    ("the configuration's text is left", "config.c",
     "\tbuffer_wipe(&text);\n", "", "failures"),
    ("words of a secret are settled", "config.c",
     "s < SETTINGS && config_is_secret(s))", "s == SETTINGS + 1)", "bs"),
    ("the inherited one is left", "config.c",
     "\tconfig_forget(&defaults);\n", "", "failures"),
    ("an account that has done its part keeps it", "submit.c",
     "\t\tforget_secrets(s, i + 1);\n", "", "errands"),
    ("nothing is forgotten at the end", "sendmail.c",
     "\tconfig_forget_all(&r.config);\n", "", "failures"),
    ("a session keeps what it has fetched", "session.c",
     "\tsession_close(s);\n\tbuffer_wipe(&s->secret);",
     "\tsession_close(s);", "sources"),
    ("a session keeps a token beside the one that came after it", "session.c",
     "\tbuffer_wipe(&s->secret);\n\ts->secret = secret;",
     "\ts->secret = secret;", "tokens"),
    ("a session has it on the heap", "session.c",
     ".begun = clock_now(), .secret = BUFFER_SECRET,",
     ".begun = clock_now(),", "sources"),
    ("the proxy's is kept", "session.c",
     "\tbuffer_wipe(&s->proxy_secret);\n", "", "proxies"),
    ("what a proxy was told is left", "socks.c",
     "\tbuffer_wipe(&request);\n", "", "proxies"),
    ("netrc's text is left", "secret.c",
     "\tbuffer_wipe(&text);\n", "", "sources"),
    ("the helper has the configuration's", "helper.c",
     "\t\tconfig_forget(&h->accounts[i]);\n", "\t\t;\n", "errands"),
    ("the helper keeps what it has said", "helper.c",
     "\texplicit_bzero(&r, sizeof r);\n\tbuffer_wipe(&secret);\n"
     "\tvault_sweep();\n", "", "sources"),
    ("netrc's words are left", "netrc.c",
     "\tbuffer_wipe(&s.word);\n", "", "sources"),
    ("SASLprep in this process", "prepare.c",
     "return in_child(text, len, out) ||",
     "return (in_child == NULL || (prepare(text, len, out), true)) ||",
     "failures"),
    ("what was prepared is left", "secret.c",
     "\tbuffer_wipe(&prepared);\n", "", "sources"),
    ("a child has our descriptors", "secret.c",
     "(void)close_range(STDERR_FILENO + 1, ~0U, 0);", "", "sources"),
    ("a child reads our input", "secret.c",
     "isatty(STDIN_FILENO) == 1 ?", "isatty(STDIN_FILENO) < 2 ?", "sources"),
    ("what was sent is left", "stream.c",
     "\tif (s->secret)\n\t\tbuffer_wipe(&s->out);\n", "", "plain"),
    ("the answer is left", "sasl.c",
     "\tbuffer_wipe(&s->said);\n\tbuffer_free(&s->prep",
     "\tbuffer_free(&s->prep", "plain"),
    ("base64 is left", "crypto.c",
     "\t\texplicit_bzero(d->data, d->size);\n", "\t\t;\n", "plain"),
    ("the response is left", "login.c",
     "\tbuffer_wipe(&response);\n", "", "plain"),
    ("what is masked is on the heap", "smtp.c",
     ".secrets = BUFFER_SECRET }", ".secrets = { 0 } }", "plain"),
    ("what is masked is left", "smtp.c",
     "\tdialogue_wipe(&s->talk);\n", "", "plain"),
    ("what a server has repeated stays in its buffer", "dialogue.c",
     "\t\tstream_wipe_taken(d->stream);\n", "\t\t;\n", "repeated"),
    ("and in the reply", "dialogue.c",
     "\t\tbuffer_wipe(&shown);\n\t} while",
     "\t\tbuffer_free(&shown);\n\t} while", "repeated"),
    ("base64 is not masked", "dialogue.c",
     "before < 3", "before < 0", "repeated"),
    ("the key stays with GnuTLS", "tls.c",
     "\tidentity_unload(t->credentials, &params->identity);\n", "",
     "identities"),
    ("a certificate that is shown leaves it", "identity.c",
     "\tunmake(&m);\n\tvault_sweep();\n\treturn ok && (error == 0",
     "\tunmake(&m);\n\treturn ok && (error == 0", "identities"),
    ("PKCS #8 is left", "identity.c",
     "\tbuffer_wipe(&der);\n", "", "identities"),
    ("an account keeps its key", "config.c",
     "\tbuffer_wipe(&a->seed);\n", "", "identities"),
    ("a key is settled like other words", "settings.c",
     """[SET_CLIENT_KEY_ED25519] = { "client-key-ed25519", SEED, NULL, NULL,
				    1, 1 },""",
     """[SET_CLIENT_KEY_ED25519] = { "client-key-ed25519", SEED, NULL, NULL,
				    0, 1 },""", "identities"),
    ("its memory is its user's", "caller.c",
     """	(void)prctl(PR_SET_DUMPABLE, 0);
	signals_begin();""", "\tsignals_begin();", "strangers"),
]


def play(copy, part):
    copy.make("build/sendoff")
    done = subprocess.run(
        [sys.executable, TOP / "tests/secrets.t", part], check=False,
        env={**os.environ, "PROGRAMS": str(copy.build)},
        stdout=subprocess.PIPE, text=True)
    return any(line.startswith("not ok") for line in done.stdout.splitlines())


def main():
    copy = Copy("secrets-mutant")

    def try_one(room, old, new, part):
        with copy.spoilt(old, new, room):
            if not play(copy, part):
                raise Trouble("it was not seen")

    sys.exit(not copy.try_all([m for m in MUTANTS if not sys.argv[1:] or
                               m[1] in sys.argv[1:]], try_one))


if __name__ == "__main__":
    main()
