"""The quickstart's curl samples, run as they stand but for the origin, in their order, against an API that is there already."""

import subprocess

from markdown import Document


def of(document):
    """Each curl command, with the JSON that it prints: the block after it."""
    blocks = iter(document.blocks)
    for block in blocks:
        if block.language == "sh" and block.text.startswith("curl "):
            shown = next(blocks, None)
            yield block, shown if shown and shown.language == "json" else None


def run(root, url):
    failed = count = 0
    for block, shown in of(Document(root, root / "docs/quickstart.md")):
        count += 1
        command = block.text.replace("http://localhost:3000", url.rstrip("/")).replace("curl ", "curl -sS ", 1)
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
        if done.returncode == 0 and done.stdout.rstrip() == shown.text.rstrip():
            print(f"  ✓ {block.text.strip()}")
        else:
            failed += 1
            print(f"  ✗ {block.text.strip()}\n      shown:   {shown.text.rstrip()}\n      printed: {(done.stdout + done.stderr).rstrip()}")
    print(f"{count - failed} samples print what docs/quickstart.md shows, {failed} do not")
    return 1 if failed or not count else 0
