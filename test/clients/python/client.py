"""rust-nostr's nostr-sdk, by its bindings for Python: reads commands and writes answers as
../adapters/program.js does."""

import asyncio
import json
import sys
from datetime import timedelta

from nostr_sdk import (
    ClientBuilder,
    ClientNotification,
    Event,
    Filter,
    Keys,
    RelayOptions,
    RelayUrl,
    ReqTarget,
    SignerAuthenticator,
    uniffi_set_event_loop,
)

WAIT = timedelta(seconds=20)


def tell(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Program:
    def __init__(self, url, secret):
        builder = ClientBuilder()
        if secret is not None:
            builder = builder.authenticator(SignerAuthenticator(Keys.parse(secret)))
        self.client = builder.build()
        self.url = RelayUrl.parse(url)

    async def connect(self):
        await self.client.add_relay(self.url, opts=RelayOptions().retry_interval(timedelta(seconds=5)))
        await self.client.connect(and_wait=WAIT)

    async def publish(self, command):
        event = Event.from_json(json.dumps(command["event"]))
        output = await self.client.send_event(event)
        return {
            "accepted": len(output.success) > 0,
            "message": next(iter(output.failed.values()), ""),
        }

    async def fetch(self, asked):
        filters = [Filter.from_json(json.dumps(asked))]
        events = await self.client.fetch_events(ReqTarget.auto(filters), timeout=WAIT)
        return [json.loads(event.as_json()) for event in events]

    async def query(self, command):
        return await asyncio.gather(*[self.fetch(asked) for asked in command["filters"]])

    async def live(self, command):
        stream = self.client.notifications()
        filters = [Filter.from_json(json.dumps(command["filter"]))]
        output = await self.client.subscribe(ReqTarget.auto(filters))
        stored = asyncio.get_running_loop().create_future()
        self.listening = asyncio.create_task(self.listen(stream, output.id, stored))
        await stored

    async def listen(self, stream, subscription, stored):
        while (notice := await stream.next()) is not None:
            if isinstance(notice, ClientNotification.NEW_EVENT):
                if notice.subscription_id == subscription:
                    tell({"heard": json.loads(notice.event.as_json())})
            elif isinstance(notice, ClientNotification.MESSAGE):
                message = json.loads(notice.message.as_json())
                if message[:2] == ["EOSE", subscription] and not stored.done():
                    stored.set_result(None)

    async def count(self, command):
        relay = await self.client.relay(self.url)
        return await relay.count_events(Filter.from_json(json.dumps(command["filter"])), WAIT)

    async def page(self, command):
        """It has no paging: asks again up to the second of the oldest event, until nothing new comes."""
        found = set()
        until = {}
        while True:
            asked = {**command["filter"], "limit": command["limit"], **until}
            events = await self.fetch(asked)
            before = len(found)
            found.update(event["id"] for event in events)
            if len(found) == before:
                return list(found)
            until = {"until": min(event["created_at"] for event in events)}

    async def carry_out(self, command):
        try:
            result = await getattr(self, command["verb"])(command)
            tell({"id": command["id"], "result": result})
        except Exception as error:
            tell({"id": command["id"], "error": str(error)})


async def main():
    # Signing is called back from Rust, which knows no event loop by itself.
    uniffi_set_event_loop(asyncio.get_running_loop())
    program = Program(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
    await program.connect()
    tell({"can": ["publish", "query", "live", "count"], "pages": False})
    running = set()
    while line := await asyncio.to_thread(sys.stdin.readline):
        task = asyncio.create_task(program.carry_out(json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)


asyncio.run(main())
