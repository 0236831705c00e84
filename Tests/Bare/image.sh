#!/usr/bin/env bash
# By hand, as root, some minutes: the image that the Dockerfile's second stage describes, built by buildah on a bare Debian of debootstrap, with the
# program of OPENLEDGER_TEST_BINARY in the place of the first stage's; then run. It needs no container engine and no registry.
#   OPENLEDGER_TEST_BINARY=.build-release/release/openledger Tests/Bare/image.sh
# OPENLEDGER_TEST_BARE names a folder that debootstrap has made already (minbase, bookworm).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$(realpath "${OPENLEDGER_TEST_BINARY:?names the program to put into the image}")
command -v buildah >/dev/null || { echo "needs buildah and debootstrap: apt-get install buildah debootstrap" >&2; exit 1; }
scratch=$(mktemp -d)
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
in_store() { buildah --root "$scratch/store" --runroot "$scratch/run" "$@"; }
trap 'rm -rf "$scratch"' EXIT
die() { echo "Bare: $*" >&2; exit 1; }

bare=${OPENLEDGER_TEST_BARE:-$scratch/bare}
[[ -d $bare ]] || debootstrap --variant=minbase bookworm "$bare" >"$scratch/log" || die "debootstrap: $(tail -n 3 "$scratch/log")"
mkdir -p "$scratch/context/program" "$scratch/context/deploy"
cd "$scratch/context"
tar -C "$bare" -cf base.tar .
printf 'FROM scratch\nADD base.tar /\n' >Base
in_store bud -q -f Base -t docker.io/library/debian:bookworm-slim . >/dev/null
rm base.tar

# The first stage links the Swift runtime into the program; one that was built without lies beside its libraries here.
cp "$program" "$(dirname "$program")/openledger-confine" program
ldd "$program" | awk '/swift|Foundation|dispatch|Blocks/ { print $3 }' | xargs -r -I{} cp {} program
cp "$root/deploy/healthy" deploy
cp -r "$root/migrations" "$root/models" "$root/demo" .
sed -n '/^FROM debian/,$p' "$root/Dockerfile" |
  sed 's#^COPY --from=builder /program/#COPY program/#; s#^USER #ENV LD_LIBRARY_PATH=/usr/local/bin\nUSER #' >Dockerfile
in_store bud --pull-never -q -t openledger:local . >/dev/null || die "the image can't be built"
container=$(in_store from --pull-never openledger:local)
inside() { in_store run "$container" -- "$@"; }

[[ $(inside id -u) == 10001 ]] || die "it runs as another user"
[[ -z $(inside sh -c 'ldd /usr/local/bin/openledger /usr/local/bin/openledger-confine | grep "not found"') ]] || die "libraries are missing"
[[ $(inside openledger --help) == OpenLedger* ]] || die "the program does not run"
inside sh -c 'touch /var/lib/openledger/x /var/lib/openledger-shared/x /var/lib/openledger-adapters/x' || die "its folders are not its own"
! inside touch /usr/x 2>/dev/null || die "it may write elsewhere"
inside sh -c 'ls /usr/share/openledger/demo/*.jsonl /usr/share/openledger/migrations/ledger && command -v pdftotext' >/dev/null || die "something is missing in it"
inside openledger model verify | grep -q 'All files are those of the record' || die "its base model is not the one of the record"
! inside env OPENLEDGER_PORT=1 openledger-healthy 2>/dev/null || die "it is healthy where nothing runs"
echo "Bare: the image of the Dockerfile's second stage is built by buildah and runs as 10001"
