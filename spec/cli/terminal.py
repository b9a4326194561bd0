"""Runs a command in a terminal of its own and does as a person would.

    terminal.py STEP... -- COMMAND...

A step is `wait:TEXT` (until the screen has shown it after the last step), `send:TEXT` (with
escapes as in Python), `interrupt` (Ctrl-C), `end` (Ctrl-D), `kill` or `sleep:SECONDS`. What the
screen has shown goes to stdout, and last a line `exit CODE`, or `signal NUMBER`.
"""

import os
import pty
import re
import select
import sys
import time

PATIENCE = float(os.environ.get("SPEC_PATIENCE", "60"))


# What readline puts around a line, so that a terminal can tell what was pasted.
AROUND_LINES = re.compile(rb"\x1b\[\?2004[hl]\r?")


class Screen:
    def __init__(self, command):
        self.shown = b""
        self.seen = 0
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            # A sanitizer is for the interpreter of the suite, not for this one.
            preload = os.environ.pop("SPEC_PRELOAD", None)
            if preload:
                os.environ["LD_PRELOAD"] = preload
            os.execvp(command[0], command)

    def read(self, seconds):
        """Reads what is there; False at the end."""
        if not select.select([self.terminal], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.terminal, 65536)
        except OSError:  # the other side is closed
            return False
        self.shown += data
        return data != b""

    def wait(self, text):
        end = time.time() + PATIENCE
        while True:
            at = AROUND_LINES.sub(b"", self.shown).find(text, self.seen)
            if at >= 0:
                self.seen = at + len(text)
                return
            if time.time() > end or not self.read(0.1):
                self.finish("never saw " + repr(text))

    def send(self, data):
        try:
            os.write(self.terminal, data)
        except OSError:  # the other side is closed
            pass

    def finish(self, why=None):
        end = time.time() + PATIENCE
        while not why and self.read(0.1):
            if time.time() > end:
                why = "did not end"
        if why:
            os.kill(self.pid, 9)
        status = os.waitpid(self.pid, 0)[1]
        sys.stdout.buffer.write(self.shown)
        if why:
            sys.stdout.write("\n" + why)
        if os.WIFSIGNALED(status):
            sys.stdout.write("\nsignal %d\n" % os.WTERMSIG(status))
        else:
            sys.stdout.write("\nexit %d\n" % os.WEXITSTATUS(status))
        sys.exit(1 if why else 0)


def take(screen, step):
    word, _, text = step.partition(":")
    data = text.encode().decode("unicode_escape").encode("latin-1")
    if word == "wait":
        screen.wait(text.encode())
    elif word == "send":
        screen.send(data)
    elif word == "interrupt":
        screen.send(b"\x03")
    elif word == "end":
        screen.send(b"\x04")
    elif word == "kill":
        os.kill(screen.pid, 9)
    elif word == "sleep":
        time.sleep(float(text))
    else:
        sys.exit("unknown step " + step)


def main():
    split = sys.argv.index("--")
    screen = Screen(sys.argv[split + 1 :])
    for step in sys.argv[1:split]:
        take(screen, step)
    screen.finish()


main()
