"""Reaches a host of the lab by the command that lab.Node.Command makes: what runs there counts as the host's."""

import subprocess

from ansible.errors import AnsibleError
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: lab
short_description: Enters a host of the lab
description: [Enters a host of the lab.]
author: [The raynoded authors]
options:
  enter:
    description: The command that runs its arguments inside of the host.
    type: list
    elements: str
    required: true
    vars: [{name: lab_enter}]
"""


class Connection(ConnectionBase):
    transport = "lab"
    has_pipelining = True

    def _connect(self):
        return self

    def close(self):
        pass

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        done = self.run(["sh", "-c", cmd], input=in_data or b"")
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path, out_path):
        super().put_file(in_path, out_path)
        with open(in_path, "rb") as file:
            self.must(self.run(["sh", "-c", 'cat >"$0"', out_path], stdin=file))

    def fetch_file(self, in_path, out_path):
        super().fetch_file(in_path, out_path)
        with open(out_path, "wb") as file:
            file.write(self.must(self.run(["cat", "--", in_path], input=b"")).stdout)

    def run(self, argv, **stdin):
        return subprocess.run(
            [*self.get_option("enter"), *argv],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, check=False, **stdin,
        )

    def must(self, done):
        if done.returncode != 0:
            raise AnsibleError(f"exit {done.returncode}: {done.stderr.decode()}")
        return done
