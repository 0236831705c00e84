#!/usr/bin/env bash
# The HTTP parser under libFuzzer and the address sanitizer for ten seconds, where the toolchain has them: see HTTP/LibFuzzer.swift.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
swift=${OPENLEDGER_SWIFT:-$(command -v swift)}
swiftc=$(dirname "$(readlink -f "$swift")")/swiftc
[[ -x $swiftc ]] || swiftc=$(dirname "$swift")/swiftc
seconds=${OPENLEDGER_TEST_FUZZ_SECONDS:-10}
work=$(mktemp -d "${TMPDIR:-/tmp}/openledger-fuzz.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

flags=(-O -wmo -swift-version 6 "-sanitize=fuzzer,address" -package-name openledger -parse-as-library -I .)
cat >probe.swift <<'SWIFT'
@_cdecl("LLVMFuzzerTestOneInput") public func probe(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt { 0 }
SWIFT
if ! "$swiftc" "${flags[@]}" probe.swift -o probe >probe.log 2>&1 || ! ./probe -runs=1 >>probe.log 2>&1; then
  echo "ran without: libFuzzer (this toolchain or machine cannot build with -sanitize=fuzzer,address)"
  exit 0
fi
# The linker warns of hundreds of the sanitizer's own names.
compile() { "$swiftc" "${flags[@]}" "$@" >build.log 2>&1 || { tail -40 build.log; exit 1; }; }
compile -emit-module -emit-object -module-name HTTP "$root"/Shared/HTTP/Messages/*.swift -o HTTP.o
compile -emit-module -emit-object -module-name HTTPServer "$root"/Shared/HTTP/Server/Parsing/*.swift -o HTTPServer.o
compile "$root"/Tests/Fuzz/HTTP/{LibFuzzer,Judge,Xorshift}.swift HTTP.o HTTPServer.o -o http-libfuzzer
if ! ./http-libfuzzer -max_total_time="$seconds" -print_final_stats=1 >fuzz.log 2>&1; then
  tail -40 fuzz.log
  echo "the parser failed under libFuzzer"
  exit 1
fi
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' fuzz.log)
echo "the parser took $runs inputs of libFuzzer in $seconds s"
[[ $runs -gt 1000 ]]
