"""Takes the port argv[1] as soon as it is free, and is no Ray there: "http" as argv[2] answers as a web server does, "mute"
takes connections and says nothing.
"""

import http.server
import socket
import sys
import time


def take(port):
    while True:
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("", port))
            s.listen(1000)
            return s
        except OSError:
            s.close()
            time.sleep(0.001)


port = int(sys.argv[1])
print("wants", port)
taken = take(port)
print("has", port)
if sys.argv[2] == "http":
    server = http.server.ThreadingHTTPServer(("", 0), http.server.SimpleHTTPRequestHandler, bind_and_activate=False)
    server.socket = taken
    server.serve_forever()
held = []
while True:
    held.append(taken.accept())
