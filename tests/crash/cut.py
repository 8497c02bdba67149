"""What would be on disk if the power went at a call.

Certain is only what an fsync has settled: of a file its octets, of a folder
the names in it.  A name may have come to disk earlier than that, and then
whatever of the octets was settled; so there are two stores to look at.
"""

import os


class Cut:
    """The store as it is settled, and how that changed in a run."""

    def __init__(self, folder, server):
        self.folder, self.server = folder, server
        self.octets = {}                # inode -> settled
        self.names = {}                 # settled name -> inode
        self.there = os.path.isdir(folder)      # the folder itself
        self.moments = []               # (call, store, mails so far)
        for name, inode in self.now().items():
            with open(f"{folder}/{name}", "rb") as f:
                self.octets[inode] = f.read()
            self.names[name] = inode

    def now(self):
        try:
            with os.scandir(self.folder) as entries:
                return {e.name: e.inode() for e in entries}
        except FileNotFoundError:
            return {}

    def sync(self, pid, fd):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            link = f"/proc/{f.read().split()[0]}/fd/{fd}"
        path = os.readlink(link)
        if path == self.folder:
            self.names = self.now()
        elif path == os.path.dirname(self.folder):
            self.there = os.path.isdir(self.folder)
        elif path.startswith(self.folder + "/"):
            with open(link, "rb") as f:
                self.octets[os.stat(link).st_ino] = f.read()

    def call(self, n, _):
        self.server.turn()
        for files in self.stores():
            moment = files, len(self.server.mails)
            if moment not in [m[1:] for m in self.moments]:
                self.moments.append((n, *moment))

    def stores(self):
        for names in self.names if self.there else {}, self.now():
            yield {name: self.octets.get(inode, b"")
                   for name, inode in names.items()}
