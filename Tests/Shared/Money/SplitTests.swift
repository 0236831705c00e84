import Money
import TestSupport
import Testing

@Suite("Splits by largest remainder")
struct SplitTests {
    private func asset() throws -> Asset { try Asset("USDC/6") }

    @Test("left-over units go to the largest remainders, of equal ones to the first")
    func tieBreak() throws {
        let usdc = try asset()
        func parts(_ units: Int128, _ weights: [UInt64]) throws -> [Int128] { try Amount(units, usdc).split(by: weights).map(\.units) }
        #expect(try parts(100, [1, 1, 1]) == [34, 33, 33])
        #expect(try parts(101, [1, 1, 1]) == [34, 34, 33])
        #expect(try parts(10, [1, 2, 4]) == [1, 3, 6])
        #expect(try parts(1, [1, 1]) == [1, 0])
        #expect(try parts(1, [0, 1, 1]) == [0, 1, 0])
        #expect(try parts(-100, [1, 1, 1]) == [-34, -33, -33])
        #expect(try parts(0, [5, 6]) == [0, 0])
        #expect(try parts(.min, [7]) == [.min])
    }

    @Test("for generated amounts and weights the parts add up, and each is within one unit of its proportion")
    func property() throws {
        var random = Seed.generator()
        let usdc = try asset()
        for _ in 0..<3000 {
            let bits = Int.random(in: 0...126, using: &random)
            let units = (Int128(random.next()) << 64 | Int128(random.next())) & ((Int128(1) << Int128(bits)) - 1)
            let width = UInt64(1) << UInt64.random(in: 0...63, using: &random)
            let weights = (0..<Int.random(in: 1...40, using: &random)).map { _ in UInt64.random(in: 0...width, using: &random) }
            guard weights.contains(where: { $0 > 0 }) else { continue }
            let amount = Amount(random.chance(0.5) ? units : -units, usdc)
            let parts = try amount.split(by: weights)
            #expect(try Amount.sum(parts, of: usdc) == amount, "seed \(random.seed)")
            let total = weights.reduce(UInt128(0)) { $0 + UInt128($1) }
            for (part, weight) in zip(parts, weights) {
                let exact = total.dividingFullWidth(amount.units.magnitude.multipliedFullWidth(by: UInt128(weight)))
                let floor = exact.quotient
                #expect(part.units.magnitude == floor || (exact.remainder > 0 && part.units.magnitude == floor + 1))
            }
        }
    }

    @Test("shares and basis points must add up to their whole")
    func wholes() throws {
        let amount = Amount(1000, try asset())
        let thirds = try [333_333_333, 333_333_333, 333_333_334].map { try Share(billionths: $0) }
        #expect(try amount.split(by: thirds).map(\.units) == [333, 333, 334])
        #expect(throws: MoneyError.wrongTotal(what: "shares", expected: 1_000_000_000, actual: 666_666_666)) {
            try amount.split(by: Array(thirds.prefix(2)))
        }
        let halves = try [5000, 4999].map { try BasisPoints($0) }
        #expect(throws: MoneyError.wrongTotal(what: "basis points", expected: 10_000, actual: 9_999)) { try amount.split(by: halves) }
        #expect(throws: MoneyError.nothingToSplitBy) { try amount.split(by: [UInt64]()) }
        #expect(throws: MoneyError.nothingToSplitBy) { try amount.split(by: [UInt64(0), 0]) }
        #expect(throws: MoneyError.overflow(amount.asset)) { try amount.split(by: [UInt128.max, 1]) }
        #expect(throws: MoneyError.self) { try BasisPoints(10_001) }
        #expect(throws: MoneyError.self) { try Share(billionths: -1) }
    }
}
