import Events
import Foundation
import TestSupport
import Testing

@Suite struct TimestampTests {
    private static let formatter: DateFormatter = {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "yyyy-MM-dd'T'HH:mm:ss"
        return formatter
    }()

    @Test func `text and moment are one another's inverse, and Foundation agrees`() throws {
        var random = Seed.generator()
        let last = Timestamp.maximum.microseconds
        let edges: [Int64] = [0, 1, 999_999, 1_000_000, 951_782_399_999_999, 951_782_400_000_000, 951_868_800_000_000, last - 1, last]
        for microseconds in edges + (0..<2_000).map({ _ in Int64.random(in: 0...last, using: &random) }) {
            let text = Timestamp(microseconds: microseconds).description
            #expect(text.utf8.count == 27)
            #expect(Timestamp(text)?.microseconds == microseconds, "seed \(random.seed): \(text)")
            let date = Date(timeIntervalSince1970: Double(microseconds / 1_000_000))
            #expect(text.hasPrefix(Self.formatter.string(from: date) + "."), "seed \(random.seed): \(microseconds)")
        }
    }

    @Test func `the order of texts is the order of moments`() {
        var random = Seed.generator()
        let moments = (0..<200).map { _ in Timestamp(microseconds: .random(in: 0...Timestamp.maximum.microseconds, using: &random)) }
        #expect(moments.sorted().map(\.description) == moments.map(\.description).sorted(), "seed \(random.seed)")
    }

    @Test(arguments: [
        ("2000-02-29T00:00:00.000000Z", true), ("2024-02-29T00:00:00.000000Z", true), ("2023-02-29T00:00:00.000000Z", false),
        ("2100-02-29T00:00:00.000000Z", false), ("2400-02-29T00:00:00.000000Z", true), ("2024-02-30T00:00:00.000000Z", false),
        ("2024-04-31T00:00:00.000000Z", false), ("2024-12-31T23:59:59.999999Z", true),
    ])
    func `leap years are the calendar's`(text: String, isMoment: Bool) {
        #expect((Timestamp(text)?.description == text) == isMoment)
        #expect((Timestamp(text) != nil) == isMoment)
    }

    @Test(arguments: [
        "", "2026-11-21", "2026-11-21T10:55:00Z", "2026-11-21T10:55:00.000Z", "2026-11-21T10:55:00.0000000Z", "2026-11-21t10:55:00.000000Z",
        "2026-11-21T10:55:00.000000z", "2026-11-21T10:55:00.000000+00:00", "2026-11-21 10:55:00.000000Z", "2026-11-21T24:00:00.000000Z",
        "2026-11-21T10:60:00.000000Z", "2026-11-21T10:55:60.000000Z", "2026-00-21T10:55:00.000000Z", "2026-13-21T10:55:00.000000Z",
        "2026-11-00T10:55:00.000000Z", "2026-11-31T10:55:00.000000Z", "1969-12-31T23:59:59.999999Z", "+026-11-21T10:55:00.000000Z",
        "2026-11-21T10:55:00,000000Z", "2026-1１-21T10:55:00.00000Z", " 2026-11-21T10:55:00.00000Z", "2026-11-21T10:55:00.00000 Z",
    ])
    func `another form is no moment`(text: String) {
        #expect(Timestamp(text) == nil)
    }
}
