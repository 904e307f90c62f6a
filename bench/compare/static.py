"""static.py FOLDER PORT: serves FOLDER/<Limit>.json at any path with that `Limit`, where there is no nginx to do it."""

import asyncio
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

FILES = {file.stem: file.read_bytes() for file in Path(sys.argv[1]).glob("*.json")}


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            limit = parse_qs(urlsplit(head.split()[1].decode()).query).get("Limit", [""])[0]
            body = FILES.get(limit)
            status = "404 Not Found" if body is None else "200 OK"
            body = body or b""
            writer.write(f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode())
            writer.write(body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[2]))
    await server.serve_forever()


asyncio.run(main())
