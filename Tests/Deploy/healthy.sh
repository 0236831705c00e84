#!/usr/bin/env bash
# deploy/healthy says yes to 200 only: not to another status, not to silence, not to a closed port.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
fail() { echo "$*"; exit 1; }

# answer TEXT : a server for one connection that says TEXT; sets `port` once it listens.
answer() {
  coproc server {
    python3 -c '
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
connection, _ = server.accept()
request = b""
while not request.endswith(b"\r\n\r\n"):
    request += connection.recv(4096)
assert request.startswith(b"GET /healthz HTTP/1.1\r\nHost: "), request
connection.sendall(sys.argv[1].encode())
connection.shutdown(socket.SHUT_WR)
while connection.recv(4096):
    pass' "$1"
  }
  # shellcheck disable=SC2154  # coproc sets server_PID
  listener=$server_PID
  read -r port <&"${server[0]}"
}
# verdict TEXT : 0 when healthy.
verdict() {
  local status=0
  answer "$1"
  OPENLEDGER_PORT=$port "$root/deploy/healthy" 2>/dev/null || status=$?
  wait "$listener" 2>/dev/null || true
  return "$status"
}

verdict $'HTTP/1.1 200 OK\r\n\r\n' || fail "200 is not healthy"
! verdict $'HTTP/1.1 503 Service Unavailable\r\n\r\n' || fail "503 is healthy"
! verdict $'SSH-2.0-200\r\n' || fail "another protocol is healthy"
! verdict '' || fail "silence is healthy"
! OPENLEDGER_PORT=1 "$root/deploy/healthy" 2>/dev/null || fail "a closed port is healthy"
