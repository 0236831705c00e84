// The parser under libFuzzer and the address sanitizer; from the package's root:
//
//   mkdir -p .build/fuzz && cd .build/fuzz && S=../../Shared/HTTP T=../../Tests/Fuzz/HTTP
//   F="-O -wmo -swift-version 6 -sanitize=fuzzer,address -package-name openledger -parse-as-library -I ."
//   swiftc $F -emit-module -emit-object -module-name HTTP $S/Messages/*.swift -o HTTP.o
//   swiftc $F -emit-module -emit-object -module-name HTTPServer $S/Server/Parsing/*.swift -o HTTPServer.o
//   swiftc $F $T/{LibFuzzer,Judge,Xorshift}.swift HTTP.o HTTPServer.o -o http-libfuzzer
//   ./http-libfuzzer -max_total_time=60
//
// The package leaves this file out: libFuzzer brings its own main.
import HTTP
import HTTPServer

/// One input of libFuzzer's.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    var random = Xorshift(seed: bytes.reduce(UInt64(count)) { $0 &* 31 &+ UInt64($1) })
    _ = Judge.checked(bytes, &random, limits: Judge.tight)
    return 0
}
