"""Octets passed on late, and the round trips that they make, counted.

A forwarder stands between a program and a server and hands on what comes,
each way, when DELAY seconds have gone by.  Trips says in which round trip
each octet travels; nothing is worked out from time.
"""
import asyncio
import threading
import time


class Trips:
    """The round trips of one connection.

    What the client says travels in the trip after the last that it has heard
    of; what the server says, in the trip of the last that it has heard.  So
    a trip is counted when somebody has waited for it, however many octets,
    packets or commands went together, and whatever the computer was doing.

    TCP's own come first: SYN and SYN-ACK are a trip, and what the server says
    of itself then travels in the second, behind our ACK.  A unix socket has
    neither.
    """

    def __init__(self, is_tcp):
        self.client_has_heard = 1 if is_tcp else 0
        self.server_has_heard = self.client_has_heard + 1

    def client_says(self):
        return self.client_has_heard + 1

    def server_says(self):
        return self.server_has_heard

    def server_hears(self, trip):
        self.server_has_heard = max(self.server_has_heard, trip)

    def client_hears(self, trip):
        self.client_has_heard = max(self.client_has_heard, trip)


class Way:
    """One direction of a connection: says and hears are the ends of it."""

    def __init__(self, reader, writer, says, hears):
        self.reader, self.writer = reader, writer
        self.says, self.hears = says, hears
        self.due = asyncio.Queue()

    async def take(self, delay):
        octets = b"-"
        while octets:
            try:
                octets = await self.reader.read(1 << 20)
            except OSError:
                octets = b""
            await self.due.put((time.monotonic() + delay, self.says(), octets))

    async def hand_on(self):
        """Until the end of the octets, which is handed on like them."""
        octets = b"-"
        while octets:
            when, trip, octets = await self.due.get()
            if (left := when - time.monotonic()) > 0:
                await asyncio.sleep(left)
            self.hears(trip)
            self.writer.write(octets)
        if self.writer.can_write_eof():
            self.writer.write_eof()


class Forwarder:
    """Listens at .port, or at the unix socket PATH, for server's clients.

    server: a port, or the path of a unix socket.  delay: seconds each way.
    """

    def __init__(self, server, delay, path=None):
        self.server, self.delay, self.path = server, delay, path
        self.connections = []
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever,
                                       daemon=True)
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self.listen(), self.loop).result()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self.end(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def end(self):
        self.listener.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def trips(self):
        """What was waited for until now, which is when the client has ended:
        what comes later it has not waited for.  Of several connections the
        sum."""
        return sum(each.client_has_heard for each in list(self.connections))

    async def listen(self):
        if self.path:
            self.listener = await asyncio.start_unix_server(self.accept,
                                                            self.path)
            return
        self.listener = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        self.port = self.listener.sockets[0].getsockname()[1]

    async def reach(self):
        if isinstance(self.server, int):
            return await asyncio.open_connection("127.0.0.1", self.server)
        return await asyncio.open_unix_connection(str(self.server))

    async def accept(self, reader, writer):
        trips = Trips(is_tcp=not self.path)
        self.connections.append(trips)
        to_server = Way(reader, None, trips.client_says, trips.server_hears)
        taking = asyncio.create_task(to_server.take(self.delay))
        await asyncio.sleep(self.delay)
        inner, to_server.writer = await self.reach()
        to_client = Way(inner, writer, trips.server_says, trips.client_hears)
        try:
            await asyncio.gather(taking, to_server.hand_on(),
                                 to_client.take(self.delay),
                                 to_client.hand_on())
        except OSError:
            pass                # the client has gone; nobody hears the rest
        except asyncio.CancelledError:
            pass                # so have we
        for each in (writer, to_server.writer):
            each.close()
