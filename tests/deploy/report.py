"""One line for each check, and a count at the end."""

import os
import sys


class Report:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, problems):
        """Passes when there are no problems; otherwise prints each."""
        problems = list(problems)
        if problems:
            self.failed += 1
            print(f"  ✗ {name}", flush=True)
            for problem in problems:
                print(f"      {problem}", file=sys.stderr, flush=True)
        else:
            self.passed += 1
            print(f"  ✓ {name}", flush=True)

    def skip(self, name, why):
        """Fails where the environment says NO_SKIPS=1, as in the workflows."""
        if os.environ.get("NO_SKIPS") == "1":
            self.check(name, [f"skipped, which NO_SKIPS forbids: {why}"])
            return
        self.skipped += 1
        print(f"  · SKIPPED: {name}: {why}", flush=True)

    def finish(self):
        """Tells the count; the exit status."""
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed else 0
