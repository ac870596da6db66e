"""A `dateline serve` in a process of its own, for tests that need a real one."""

import contextlib
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import httpx

WAIT = 60  # seconds for a start on a busy machine


class Served:
    """A running server: `url`, `client`, its log so far, and how it ended."""

    def __init__(self, process):
        self.process, self.lines = process, []
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._listening.wait(WAIT), self.log
        self.client = httpx.Client(base_url=self.url, timeout=WAIT)

    @property
    def log(self):
        return "".join(self.lines)

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            if found := re.search(r"Listening on (http://\S+?)[\s\"]", line):
                self.url = found[1]
                self._listening.set()
        self._listening.set()

    def ready(self):
        """Wait until the models are loaded."""
        for _ in range(WAIT * 10):
            with contextlib.suppress(httpx.TransportError):
                if self.client.get("/readyz").status_code == 200:
                    return self
            threading.Event().wait(0.1)
        raise AssertionError(self.log)

    def end(self):
        """Its exit code, and what it logged."""
        code = self.process.wait(WAIT)
        self._reader.join(WAIT)
        return code, self.log


def start(folder, *arguments, command=("-m", "qa.cli", "serve"), **environment):
    """Start a server over the index in a folder; a test ends it, or `serving` does."""
    process = subprocess.Popen(
        [sys.executable, *command, "--port", "0", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        return Served(process)
    except BaseException:
        process.kill()
        raise


@contextlib.contextmanager
def serving(folder, *arguments, **options):
    """A server that is stopped at the end."""
    served = start(folder, *arguments, **options)
    try:
        yield served
    finally:
        served.client.close()
        served.process.terminate()
        served.process.wait(WAIT)
