import HTTP
import HTTPServer

let usage = """
    usage: http-fuzz run SECONDS SEED   mutate requests; every verdict must be the same however the bytes are cut
           http-fuzz make N SEED        print mutated requests, one a line, in hexadecimal
           http-fuzz judge              read such lines and print the server's verdict on each
    """

/// The bytes of a line of hexadecimal digits.
func bytes(ofHex line: String) -> [UInt8] {
    let digits = line.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

let words = CommandLine.arguments.dropFirst()
let numbers = words.dropFirst().compactMap { UInt64($0) }
switch (words.first, numbers.count) {
case ("run", 2):
    var random = Xorshift(seed: numbers[1])
    let end = ContinuousClock.now.advanced(by: .seconds(Int(numbers[0])))
    var runs = 0, accepted = 0
    while runs & 1023 != 0 || ContinuousClock.now < end {
        let limits = runs & 1 == 0 ? Judge.tight : Limits()
        if !Judge.checked(Mutator.request(&random), &random, limits: limits).contains("E ") { accepted += 1 }
        runs += 1
    }
    print("\(runs) requests, \(accepted) of them accepted or not whole; no trap, and every cut agrees")
case ("make", 2):
    var random = Xorshift(seed: numbers[1])
    for _ in 0..<numbers[0] {
        print(Mutator.request(&random).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }
case ("judge", 0):
    while let line = readLine() { print(Judge.verdict(bytes(ofHex: line), limits: Limits())) }
default:
    print(usage)
}
