"""Asks a URL at a constant rate, each time on a new connection, and counts the answers:

  tests/deploy/load.py URL RATE SECONDS ALLOWED…
ALLOWED are the statuses that may come (200, 5xx). Anything else, and each connection that breaks, fails it. Without ALLOWED: only 200."""

import asyncio
import collections
import sys
from urllib.parse import urlsplit

# Longer than the API holds a request.
PATIENCE = 40


async def ask(url, counts):
    writer = None
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(url.hostname, url.port or 80), PATIENCE)
        writer.write(f"GET {url.path} HTTP/1.1\r\nhost: {url.hostname}\r\nconnection: close\r\n\r\n".encode())
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
        counts[answer.split()[1].decode() if answer.startswith(b"HTTP/") else "broken off"] += 1
    except (OSError, asyncio.TimeoutError) as error:
        counts[type(error).__name__] += 1
    finally:
        if writer:
            writer.close()


async def load(url, rate, seconds):
    counts = collections.Counter()
    loop = asyncio.get_running_loop()
    began, tasks = loop.time(), []
    for number in range(round(rate * seconds)):
        await asyncio.sleep(max(0, began + number / rate - loop.time()))
        tasks.append(asyncio.create_task(ask(url, counts)))
    await asyncio.gather(*tasks)
    return counts


def main(url, rate, seconds, *allowed):
    counts = asyncio.run(load(urlsplit(url), float(rate), float(seconds)))
    print(dict(counts))
    return 1 if counts.keys() - set(allowed or ["200"]) or not counts else 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
