"""A service manager for tests where systemd is not PID 1: it holds a socket, and runs the service of a unit with it.

manager.py run UNIT ADDRESS PORT STATE   serve until SIGTERM; SIGHUP restarts the service
manager.py start|restart STATE           tell the running one, and wait for what comes of it
"""

import ctypes
import os
import shlex
import signal
import socket
import subprocess
import sys
import time


class Manager:
    def __init__(self, unit, address, port, state):
        self.unit, self.state, self.process = unit, state, None
        self.listener = socket.create_server((address, port), backlog=4096)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.where = os.path.join(state, "notify")
        self.notify.bind(self.where)

    def command(self):
        with open(self.unit) as text:
            start = [line for line in text if line.startswith("ExecStart=")][0]
        start = start.replace("/usr/local/bin", os.path.join(self.state, "bin")).replace("/var/lib", self.state)
        return shlex.split(start.removeprefix("ExecStart=").replace("$MIRROR_SERVE", os.environ["MIRROR_SERVE"]))

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(15)  # TimeoutStopSec

    def start(self):
        """As systemd does: the socket is descriptor 3, and the service says when it is ready."""
        command = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$0" "$@"', *self.command()]
        environment = dict(os.environ, LISTEN_FDS="1", LISTEN_FDNAMES="mirror.socket", NOTIFY_SOCKET=self.where)
        self.process = subprocess.Popen(command, env=environment, preexec_fn=self.within, pass_fds=(3,))
        self.notify.settimeout(0.2)
        for _ in range(300):
            try:
                if self.notify.recv(100) == b"READY=1":
                    return "ready"
            except TimeoutError:
                pass
            if self.process.poll() is not None:
                return "failed"
        return "failed"

    def within(self):
        """Runs in the child: the socket is descriptor 3, and the child ends with the manager."""
        os.dup2(self.listener.fileno(), 3)
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

    def restart(self, *_):
        self.stop()
        result = self.start()
        with open(os.path.join(self.state, "result.new"), "w") as out:
            out.write(result)
        os.rename(os.path.join(self.state, "result.new"), os.path.join(self.state, "result"))

    def run(self):
        signal.signal(signal.SIGHUP, self.restart)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with open(os.path.join(self.state, "pid"), "w") as out:
            out.write(str(os.getpid()))
        try:
            while True:
                signal.pause()
        finally:
            self.stop()


def tell(verb, state):
    result = os.path.join(state, "result")
    if verb == "start" and os.path.exists(result):
        return
    if os.path.exists(result):
        os.remove(result)
    with open(os.path.join(state, "pid")) as text:
        os.kill(int(text.read()), signal.SIGHUP)
    for _ in range(900):
        if os.path.exists(result):
            with open(result) as text:
                sys.exit(0 if text.read() == "ready" else 1)
        time.sleep(0.1)
    sys.exit("the service manager does not answer")


if sys.argv[1] == "run":
    Manager(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]).run()
else:
    tell(sys.argv[1], sys.argv[2])
