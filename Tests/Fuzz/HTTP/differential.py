"""Our parser beside h11: python differential.py HTTP_FUZZ_PROGRAM COUNT SEED

Both read the same mutated requests. It fails when ours accepts a request that h11 refuses, or reads one differently: that is
what request smuggling is made of. That ours refuses what h11 lets through is only counted.
"""
import collections
import re
import subprocess
import sys

try:
    import h11
except ImportError:
    sys.exit(f"{sys.executable} has no h11: pip install h11==0.16.0")


def ours(verdict):
    """Complete requests (method, target, length of body), and how it ended."""
    requests = []
    for part in verdict.split("|"):
        words = part.split(" ")
        if words[0] == "H":
            requests.append([words[1], words[2], None])
        elif words[0] == "B":
            requests[-1][2] = int(words[1])
    return [tuple(r) for r in requests if r[2] is not None], verdict.rsplit("|", 1)[-1]


def theirs(data):
    connection, requests = h11.Connection(h11.SERVER), []
    try:
        connection.receive_data(data)
        while True:
            event = connection.next_event()
            if event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
                return requests, "waits"
            if isinstance(event, h11.Request):
                method, target, length = event.method.decode(), event.target.decode(), 0
            elif isinstance(event, h11.Data):
                length += len(event.data)
            elif isinstance(event, h11.EndOfMessage):
                requests.append((method, origin_form(target), length))
                connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is h11.MUST_CLOSE:
                    return requests, "closes"
                connection.start_next_cycle()
    except (h11.RemoteProtocolError, h11.LocalProtocolError) as error:
        return requests, f"refuses: {error}"


def origin_form(target):
    """Ours gives an absolute form as an origin form."""
    path = re.sub(r"^https?://[^/?]*", "", target, flags=re.I)
    return target if path == target else path if path.startswith("/") else "/" + path


def main(program, count, seed):
    made = subprocess.run([program, "make", count, seed], capture_output=True, text=True, check=True).stdout
    judged = subprocess.run([program, "judge"], input=made, capture_output=True, text=True, check=True).stdout
    cases, verdicts = made.splitlines(), judged.splitlines()
    if len(cases) != int(count) or len(verdicts) != int(count):
        sys.exit(f"{len(cases)} cases and {len(verdicts)} verdicts instead of {count}")
    tally, faults = collections.Counter(), []
    for case, verdict in zip(cases, verdicts):
        mine, my_end = ours(verdict)
        other, other_end = theirs(bytes.fromhex(case))
        shared = min(len(mine), len(other))
        if mine == other:
            kind = "read alike"
        elif mine[:shared] != other[:shared]:
            kind = "READ DIFFERENTLY"
        elif len(mine) > len(other):
            kind = "ACCEPTED BY OURS ALONE"
        else:
            kind = "refused by ours alone"
        tally[kind] += 1
        tally["with a request that ours accepts"] += bool(mine)
        if kind.isupper():
            faults.append(f"{kind}: {bytes.fromhex(case)!r}\n  ours {mine} {my_end}\n  h11  {other} {other_end}")
    for kind, number in sorted(tally.items()):
        print(f"{number:8} {kind}")
    for fault in faults[:20]:
        print(fault)
    if not tally["with a request that ours accepts"]:
        sys.exit("ours accepted nothing: the comparison says nothing")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
