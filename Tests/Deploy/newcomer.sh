#!/usr/bin/env bash
# ./openledger on a bad day: no network, a full disk, an old PostgreSQL, no Swift. Each time a sentence that says what to do. And what it tells apt
# makes no server and no cluster, and leaves nothing behind. Nothing is installed here: apt, dpkg, df and swift are stand-ins.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "$*"; cat "$scratch/said" 2>/dev/null || true; exit 1; }
unset OPENLEDGER_SWIFT OPENLEDGER_NO_APT OPENLEDGER_PG_BIN
mkdir "$scratch/house" "$scratch/bin"
cp "$root/openledger" "$scratch/house"

stand_in() { cat >"$scratch/bin/$1" && chmod 755 "$scratch/bin/$1"; }
stand_in swift <<'SCRIPT'
#!/bin/bash
if [[ $1 == --version ]]; then echo "Swift version ${SWIFT_VERSION:-6.3} (stand-in)"; else echo "error: a stand-in builds nothing"; exit 1; fi
SCRIPT
stand_in sudo <<'SCRIPT'
#!/bin/bash
shift
exec "$@"
SCRIPT
# What is asked of root is kept and not done.
stand_in sh <<SCRIPT
#!/bin/bash
printf '%s' "\$2" >"$scratch/asked"
echo "\$APT_SAYS"
exit 100
SCRIPT
stand_in dpkg-query <<'SCRIPT'
#!/bin/bash
[[ -n ${INSTALLED:-} || -n ${LACKS:-} && ${!#} != "${LACKS:-}" ]] && echo installed
SCRIPT
stand_in df <<'SCRIPT'
#!/bin/bash
echo "Filesystem 1M-blocks Used Available Capacity Mounted"
echo "disk 9999999 0 ${FREE:-999999} 0% /"
SCRIPT
stand_in postgres <<'SCRIPT'
#!/bin/bash
echo "postgres (PostgreSQL) 13.16"
SCRIPT

# says WORDS "VERB [ARGUMENT …]" [KEY=VALUE …] : ./openledger VERB ends badly and says WORDS.
says() {
  local words=$1 verb=$2
  shift 2
  # shellcheck disable=SC2086 # VERB may have arguments.
  if (cd "$scratch" && env PATH="$scratch/bin:$PATH" "$@" "$scratch/house/openledger" $verb) >"$scratch/said" 2>&1; then fail "$verb succeeds without $words"; fi
  grep -qF "$words" "$scratch/said" || fail "$verb does not say: $words"
}
says "there is no way to Debian's packages from here" build APT_SAYS="Temporary failure resolving 'deb.debian.org'"
says "another program is installing packages" build APT_SAYS="E: Could not get lock /var/lib/dpkg/lock-frontend"
says "this needs Debian 12 or newer" build APT_SAYS="E: Unable to locate package libcld2-dev"
says "which says $(date -u '+%Y-%m-%d')" build APT_SAYS="E: Release file for http://deb.debian.org/debian/dists/bookworm-updates/InRelease is not valid yet (invalid for another 3h)."
says "Set the clock" build APT_SAYS="E: Release file for http://deb.debian.org/debian-security/dists/bookworm-security/InRelease is expired (invalid since 5d)."
says "missing (for Swift itself): run apt-get install -y --no-install-recommends binutils" build OPENLEDGER_NO_APT=1
says "missing (to build): run apt-get install" build OPENLEDGER_NO_APT=1 LACKS=libpq-dev
says "6.2 or later is needed" build INSTALLED=1 SWIFT_VERSION=5.9
says "has room for 300 MiB; a build needs about 1000. Make room, or clone it elsewhere" build INSTALLED=1 FREE=300
says "$scratch has room for 300 MiB; a house needs about 500. Make room, or name another folder with --data" up INSTALLED=1 FREE=300
says "$scratch/bin has room for 300 MiB; a house" "up --data $scratch/bin/new/house" INSTALLED=1 FREE=300
says "$scratch/bin has room for 300 MiB; a house" "up --data=$scratch/bin" INSTALLED=1 FREE=300
says "$scratch/bin has room for 300 MiB; a house" up OPENLEDGER_DATA="$scratch/bin" INSTALLED=1 FREE=300
says "$scratch/house has room for 300 MiB; a demo needs about 500. Make room, or name another folder in TMPDIR" "demo --data $scratch/bin" \
  INSTALLED=1 FREE=300 TMPDIR="$scratch/house"
says "the newest PostgreSQL here is 13; 15 or newer is needed" up INSTALLED=1 OPENLEDGER_PG_BIN="$scratch/bin"
says "no PostgreSQL was found" up INSTALLED=1 OPENLEDGER_PG_BIN="$scratch/nowhere"
says "a stand-in builds nothing" build INSTALLED=1

# What root is asked for, done in a folder of this test: while apt works, no server is started and no cluster made; afterwards nothing is there.
asked() { sed "s#/usr/sbin/policy-rc.d#$scratch/sbin/policy-rc.d#g; s#/etc/postgresql-common#$scratch/etc/postgresql-common#g" "$scratch/asked"; }
says "apt could not install" build APT_SAYS=other LACKS=libpq-dev
stand_in apt-get <<SCRIPT
#!/bin/bash
$scratch/sbin/policy-rc.d; [[ \$? == 101 ]] || exit 1
grep -qx 'create_main_cluster = false' $scratch/etc/postgresql-common/createcluster.d/openledger.conf || exit 1
echo "\$*" >>$scratch/installed
SCRIPT
mkdir "$scratch/sbin" "$scratch/etc" && touch "$scratch/etc/hosts"
PATH=$scratch/bin:$PATH /bin/sh -c "$(asked)" || fail "apt would start a server or make a cluster"
grep -q '^install .*libpq-dev' "$scratch/installed" || fail "apt was not asked"
[[ -z $(find "$scratch/sbin" "$scratch/etc" -mindepth 1 ! -name hosts) ]] || fail "$(find "$scratch/sbin" "$scratch/etc" -mindepth 1 ! -name hosts) is left behind"
# Ended by Ctrl-C, it leaves nothing either; and what a crash left, the next run knows for its own.
stand_in apt-get <<SCRIPT
#!/bin/bash
touch $scratch/at-work
sleep 60
SCRIPT
# A job of its own, as a terminal's: others are started deaf to Ctrl-C.
set -m
PATH=$scratch/bin:$PATH /bin/sh -c "$(asked)" &
apt=$!
set +m
for _ in {1..100}; do [[ -e $scratch/at-work ]] && break; sleep 0.1; done
kill -INT -- "-$apt"
wait "$apt" 2>/dev/null && fail "what was interrupted succeeds"
[[ -z $(find "$scratch/sbin" "$scratch/etc" -mindepth 1 ! -name hosts) ]] || fail "Ctrl-C leaves $(find "$scratch/sbin" "$scratch/etc" -mindepth 1 ! -name hosts)"
stand_in apt-get <<SCRIPT
#!/bin/bash
kill -KILL \$PPID
SCRIPT
PATH=$scratch/bin:$PATH /bin/sh -c "$(asked)" 2>/dev/null && fail "what was killed succeeds"
[[ -e $scratch/sbin/policy-rc.d ]] || fail "the stand-in for a crash leaves nothing"
stand_in apt-get <<SCRIPT
#!/bin/bash
exit 0
SCRIPT
PATH=$scratch/bin:$PATH /bin/sh -c "$(asked)" || fail "a crash's left-overs stop the next run"
[[ -z $(find "$scratch/sbin" "$scratch/etc" -mindepth 1 ! -name hosts) ]] || fail "what a crash left stays"
# What was there stays as it was.
mkdir -p "$scratch/etc/postgresql-common/createcluster.d"
printf '#!/bin/sh\nexit 101\n' >"$scratch/sbin/policy-rc.d" && chmod 755 "$scratch/sbin/policy-rc.d"
echo "start_conf = 'manual'" >"$scratch/etc/postgresql-common/createcluster.d/own.conf"
before=$(find "$scratch/sbin" "$scratch/etc" -type f -exec sha256sum {} +)
PATH=$scratch/bin:$PATH /bin/sh -c "$(asked)" || fail "apt would start a server or make a cluster beside what is set"
[[ $(find "$scratch/sbin" "$scratch/etc" -type f -exec sha256sum {} +) == "$before" ]] || fail "the machine's own settings were changed"
