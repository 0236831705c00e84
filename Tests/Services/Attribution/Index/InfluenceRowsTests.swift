import AttributionDomain
import Foundation
import TestSupport
import Testing

@testable import CorpusIndex

@Suite struct InfluenceRowsTests {
    func write(_ path: String, _ columns: [Int], _ rows: [[Float]]) throws -> InfluenceRows {
        var writer = try InfluenceRowsWriter(
            path: path, tensors: columns.enumerated().map { InfluenceRows.Tensor(name: "t\($0)", columns: $1) })
        for (number, row) in rows.enumerated() { try writer.append(item: "i\(number)", row) }
        let digest = try writer.finish()
        let read = try InfluenceRows(path: path)
        #expect(read.digest == digest)
        return read
    }

    @Test func scoresAreTheDotProductsOfWhatWasWritten() throws {
        var generator = Seed.generator()
        let scratch = ScratchFolder()
        _ = try CorpusIndexBuilder(directory: scratch.path)
        for columns in [[1], [63, 1, 200], [64, 128, 384, 17], [1536, 96]] {
            let width = columns.reduce(0, +)
            func row() -> [Float] {
                var row: [Float] = []
                for count in columns {
                    let size = Float.random(in: 0.001...3, using: &generator)
                    row += (0..<count).map { _ in Float.random(in: -size...size, using: &generator) }
                }
                return row
            }
            let rows = (0..<20).map { _ in row() }
            let query = row()
            let file = try write(scratch.path + "/rows", columns, rows)
            let scores = try file.scores(for: try write(scratch.path + "/query", columns, [query]))
            #expect(scores.items == (0..<20).map { "i\($0)" })
            let norm = query.reduce(0) { $0 + $1 * $1 }.squareRoot()
            for (score, row) in zip(scores.scores, rows) {
                let exact = zip(row, query).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                let found = Double(score) * Double(sign: .plus, exponent: scores.exponent, significand: 1)
                // A byte is off by half a step, of 254 in the largest range.
                let size = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
                #expect(abs(found - exact) < Double(norm * size) * 0.03 + 1e-9, "\(width) columns: \(found) for \(exact)")
            }
        }
    }

    @Test func scoresAreTheIntegersThatTheFormatSays() throws {
        let scratch = ScratchFolder()
        _ = try CorpusIndexBuilder(directory: scratch.path)
        let columns = 200
        // Bytes of -127 and 127 only, so that nothing is rounded: the extreme of every kernel.
        let signs = (0..<columns).map { ($0 * 7 % 3 == 0) ? Float(-127) : 127 }
        let file = try write(scratch.path + "/rows", [columns], [signs, signs.map { -$0 }, [Float](repeating: 0, count: columns)])
        let query = try write(scratch.path + "/query", [columns], [signs])
        let scores = try file.scores(for: query)
        // Scales of 1 are 2^31 of 2^-31; the product of two and of the dot product is rounded by 2^48.
        let dot: Int128 = 200 * 127 * 127
        let exact = Int64((dot << 62 + (1 << 47)) >> 48)
        #expect(scores.scores == [exact, -exact, 0])
        #expect(scores.exponent == -62 + 48)
    }

    @Test func damagedFilesAreNamedAndBadRowsRefused() throws {
        let scratch = ScratchFolder()
        _ = try CorpusIndexBuilder(directory: scratch.path)
        let path = scratch.path + "/rows"
        _ = try write(path, [10], [[Float](repeating: 1, count: 10)])
        let good = try Data(contentsOf: URL(fileURLWithPath: path))
        for offset in stride(from: 0, to: good.count, by: 7) {
            var bad = good
            bad[offset] ^= 4
            try bad.write(to: URL(fileURLWithPath: path))
            #expect(throws: CorpusIndexError.self, "byte \(offset)") { try InfluenceRows(path: path) }
        }
        for count in [0, 10, 127, good.count - 1] {
            try good.prefix(count).write(to: URL(fileURLWithPath: path))
            #expect(throws: CorpusIndexError.self) { try InfluenceRows(path: path) }
        }
        func append(_ row: [Float]) throws {
            var writer = try InfluenceRowsWriter(path: path, tensors: [.init(name: "t", columns: 2)])
            try writer.append(item: "i", row)
        }
        #expect(throws: CorpusIndexError.self) { try append([1]) }
        #expect(throws: CorpusIndexError.self) { try append([1, .nan]) }
        #expect(throws: CorpusIndexError.self) { try append([1, .infinity]) }
        #expect(throws: CorpusIndexError.self) {
            _ = try InfluenceRowsWriter(path: path, tensors: [.init(name: "t", columns: 70_000)])
        }
        let other = try write(scratch.path + "/other", [11], [[Float](repeating: 1, count: 11)])
        let mine = try write(path, [10], [[Float](repeating: 1, count: 10)])
        #expect(throws: CorpusIndexError.self) { try mine.scores(for: other) }
    }
}
