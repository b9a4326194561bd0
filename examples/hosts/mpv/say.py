"""Says a command to an mpv that listens on a socket: say.py SOCKET WORD...; prints what it answers."""
import json
import socket
import sys

mpv = socket.socket(socket.AF_UNIX)
mpv.connect(sys.argv[1])
mpv.sendall(json.dumps({"command": sys.argv[2:]}).encode() + b"\n")
for line in mpv.makefile():
    answer = json.loads(line)
    if "event" not in answer:
        print(json.dumps(answer.get("data", answer["error"])))
        break
