#!/usr/bin/python3 -B
"""A client key in a token (SoftHSM), by a pkcs11: URI (RFC 7512)."""
import os
import subprocess
import tempfile

from interop import Lab

WRAPPER = """#!/bin/sh
# p11-kit hears of modules from /etc alone, so it gets one of its own.
exec unshare --mount sh -c '
    mount -t tmpfs none /mnt && mkdir /mnt/upper /mnt/work &&
    mount -t overlay none -o \\
        lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc &&
    mkdir -p /etc/pkcs11/modules &&
    cp {folder}/softhsm.module /etc/pkcs11/modules/ || exit 71
    SOFTHSM2_CONF={folder}/softhsm2.conf exec "$@"' sh {sendoff} "$@"
"""

lab = Lab()
with tempfile.TemporaryDirectory(prefix="sendoff-interop.") as folder:
    module = lab.env["ROOT"] + "/usr/lib/softhsm/libsofthsm2.so"
    config = folder + "/softhsm2.conf"

    def write(name, text):
        with open(f"{folder}/{name}", "w") as f:
            f.write(text)

    def tool(*arguments):
        subprocess.run([lab.env["ROOT"] + "/usr/bin/softhsm2-util", "--module",
                        module, "--pin", "1234", *arguments], check=True,
                       env={**os.environ, "SOFTHSM2_CONF": config},
                       stdout=subprocess.DEVNULL)

    os.mkdir(folder + "/tokens")
    write("softhsm2.conf", f"directories.tokendir = {folder}/tokens\n"
          "objectstore.backend = file\nlog.level = ERROR\n")
    write("softhsm.module", f"module: {module}\n")
    write("wrapper", WRAPPER.format(folder=folder, sendoff=lab.sendoff))
    os.chmod(folder + "/wrapper", 0o700)
    lab.sendoff = folder + "/wrapper"
    write("pin", "1234")
    tool("--init-token", "--free", "--label", "lab", "--so-pin", "1234")
    tool("--import", lab.env["CERTS"] + "/client.key", "--token", "lab",
         "--label", "client", "--id", "A1")

    KEY = "pkcs11:token=lab;object=client;type=private"
    for what, uri, status, words in (
            ("the PIN from a file", f"{KEY}?pin-source={folder}/pin", 0,
             []),
            ("the PIN in the URI", f"{KEY}?pin-value=1234", 0, []),
            ("a wrong PIN", f"{KEY}?pin-value=9876", 78, ["PIN", "***"]),
            ("no PIN", KEY, 78, ["PIN"]),
            ("no such token", "pkcs11:token=none;object=client;type=private",
             78, ["not available"])):
        mail = lab.mail()
        run = lab.send("EXIM_TLS", mail, auth="EXTERNAL", password=None,
                       client_certificate=lab.env["CERTS"] + "/client.pem",
                       client_key=f'"{uri}"')
        lab.case(f"a key in a token, {what}", run.has(status),
                 run.says(*words), "the PIN is told" if "9876" in run.err
                 else "", mail.nowhere() if status else mail.arrived())
lab.done()
