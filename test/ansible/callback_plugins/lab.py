"""Prints what becomes of each task on each host as a line of JSON, and the recap as the last one. In "more" is what
Ansible may show with --diff and -vvv.
"""

import json
import sys

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: lab
type: stdout
short_description: A line of JSON for each result
description: [A line of JSON for each result.]
author: [The raynoded authors]
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "lab"

    def say(self, **line):
        print(json.dumps(line, default=str), file=sys.stdout, flush=True)

    def told(self, result, became):
        if became == "ok" and result.is_changed():
            became = "changed"
        texts = [result.result.get(key) or "" for key in ("msg", "stdout", "stderr")]
        for item in result.result.get("results", []):
            if isinstance(item, str):  # dnf has lines, a loop has results
                texts.append(item)
            elif item.get("failed"):
                texts += [item.get(key) or "" for key in ("msg", "stdout", "stderr")]
        self.say(
            host=result.host.get_name(), task=result.task.get_name().split(" : ")[-1], became=became,
            text="\n".join(str(text) for text in texts if text),
            more=[result.result.get(key) for key in ("diff", "invocation")],
        )

    def v2_runner_on_ok(self, result):
        self.told(result, "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.told(result, "failed")

    def v2_runner_on_unreachable(self, result):
        self.told(result, "unreachable")

    def v2_playbook_on_stats(self, stats):
        self.say(recap={host: stats.summarize(host) for host in stats.processed})
