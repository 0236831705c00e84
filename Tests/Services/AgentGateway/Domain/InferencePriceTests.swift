import AgentGatewayDomain
import Events
import Money
import Testing

@Suite struct InferencePriceTests {
    private let asset: Asset

    init() throws { asset = try Asset("USDC/6") }

    private func price(_ request: Int128, _ input: Int128, _ output: Int128) -> ModelPrice {
        ModelPrice(request: Amount(request, asset), input: Amount(input, asset), output: Amount(output, asset))
    }

    @Test func aFeeIsRoundedUpOnceAtTheEnd() throws {
        #expect(try InferencePrice.fee(price(0, 1, 1), input: 1, output: 0).units == 1)
        // Rounded apart, the two halves would cost two.
        #expect(try InferencePrice.fee(price(0, 500_000, 500_000), input: 1, output: 1).units == 1)
        #expect(try InferencePrice.fee(price(7, 1_000_000, 2_000_000), input: 3, output: 5).units == 20)
        #expect(try InferencePrice.fee(price(7, 1_000_000, 2_000_000), input: 0, output: 0).units == 7)
        #expect(try InferencePrice.fee(price(0, 0, 0), input: 1_000, output: 1_000).isZero)
    }

    @Test func aPriceBeyondAllMeasureIsRefusedAndNotWrapped() {
        #expect(throws: MoneyError.self) { try InferencePrice.fee(price(0, .max / 2, 0), input: 3, output: 0) }
        #expect(throws: MoneyError.self) { try InferencePrice.fee(price(0, .max, 0), input: 1, output: 0) }
        #expect(throws: MoneyError.self) { try InferencePrice.fee(price(.max, 1, 0), input: 1, output: 0) }
    }

    @Test func aBackendsCountIsBelievedAsFarAsWhatCameBearsIt() {
        func output(_ told: Int, pieces: Int = 1, bytes: Int = 3, most: Int = 8_192, isHidden: Bool = false) -> Int {
            TokenBounds.output(told: told, pieces: pieces, bytes: bytes, most: most, isHidden: isHidden)
        }
        #expect(output(2) == 2 && output(19) == 19)
        #expect(output(8_192) == 19 && output(.max, most: 10) == 10)
        #expect(output(0) == 1 && output(-7, pieces: 4, bytes: 40) == 4 && output(0, pieces: 4, bytes: 40, most: 3) == 3)
        #expect(output(900, isHidden: true) == 900 && output(9_000, isHidden: true) == 8_192)
        #expect(output(0, pieces: 0, bytes: 0) == 0)
        func input(_ told: Int, bytes: Int = 80) -> Int { TokenBounds.input(told: told, bytes: bytes, messages: 1) }
        #expect(input(20) == 20 && input(1) == 1 && input(1 << 40) == 112)
        #expect(input(0) == 10 && input(-3) == 10 && input(0, bytes: 3) == 1 && input(0, bytes: 0) == 0)
    }

    @Test func whatIsHeldCoversEveryAnswerWithinItsBounds() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(state: seed)
        for _ in 0..<2_000 {
            let price = price(random.below(1 << 40), random.below(1 << 50), random.below(1 << 50))
            let (bytes, messages, output) = (Int(random.below(1 << 20)), 1 + Int(random.below(512)), 1 + Int(random.below(8_192)))
            let most = try InferencePrice.most(price, promptBytes: bytes, messages: messages, output: output)
            let input = Int(random.below(Int128(bytes + 16 * (messages + 1) + 1)))
            let given = Int(random.below(Int128(output + 1)))
            let fee = try InferencePrice.fee(price, input: input, output: given)
            #expect(fee.units <= most.units, "seed \(seed)")
            #expect(fee.units >= price.request.units, "seed \(seed)")
            // Nothing but whole units above the exact price, and less than one of them.
            let exact = price.input.units * Int128(input) + price.output.units * Int128(given)
            let rounded = (fee.units - price.request.units) * 1_000_000
            #expect(rounded >= exact && rounded - exact < 1_000_000, "seed \(seed)")
        }
    }
}

/// Random numbers from a seed (Steele, Lea and Flood, OOPSLA 2014).
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func below(_ bound: Int128) -> Int128 { bound <= 0 ? 0 : Int128(next() >> 1) % bound }
}
