"""The bare loop that bootstrap and verification are measured against: fetch, decode, nothing else."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import requests


def main(listed: str) -> None:
    """Fetch every line of a file of JSON `[url, headers]` in its order with one session, and decode each answer."""
    session = requests.Session()
    session.trust_env = False
    requests_made = [json.loads(line) for line in Path(listed).read_text().splitlines()]
    started = time.perf_counter()
    size_bytes = 0
    for url, headers in requests_made:
        answer = session.get(url, headers=headers, timeout=60)
        size_bytes += len(answer.content)
        json.loads(answer.content)
    seconds = time.perf_counter() - started
    sys.stdout.write(json.dumps({"seconds": seconds, "requests": len(requests_made), "bytes": size_bytes}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
