"""Slows each of Ray's agents down to 20 s, the first time that it starts."""

import os
import sys
import time

AGENTS = {"dashboard/agent.py": "dashboard", "runtime_env/agent/main.py": "runtime_env"}

for argument in sys.orig_argv:
    for end, name in AGENTS.items():
        if argument.endswith("/" + end):
            try:
                os.close(os.open(os.environ["SLOWED"] + name, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                continue
            time.sleep(20)
