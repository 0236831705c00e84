internal import Blobs
internal import Crypto
internal import EventLog
internal import Events
internal import JSON

/// Which of an owner's items gave the words that an answer's shares were computed from: what earnings by item are divided by.
///
/// An owner's weight of an item is the words of the answer that its spans were paid for, shared evenly among the owners of each span, and
/// those that the answer took from it where it was put before the model: the words by which attribution divides an owner's share among
/// Datanets. What influence or the fallback gave is no item's; so is all that a training paid.
struct EarnedItems: Sendable {
    let log: any LogClient
    let store: EvidenceStore

    /// At most so many answers are looked at for one answer of ours: each has evidence to be read.
    static let maximumSettlements = 5_000

    /// The items of an owner in what was settled, in the order of their names.
    func weights(of owner: String, in line: EarnedLine) async throws -> [(part: String, weight: UInt64)] {
        var position = line.attributed
        if let corrected = line.corrected, let data = try await data(at: corrected) {
            position = try UInt64(SettlementCorrected(data.object()).position)
        }
        guard line.kind == "inference", let digest = try await data(at: position)?["evidence"]?.stringValue.flatMap(Digest.init(prefixed:))
        else { return [] }
        let statement: JSONValue
        do { statement = try await store.value(digest) } catch BlobError.notFound { return [] }
        return Self.weights(of: owner, in: statement)
    }

    private func data(at position: UInt64) async throws -> JSONValue? {
        guard let event = try await log.read(from: position, limit: 1, wait: nil).events.first, event.position == position else {
            return nil
        }
        return try JSON.parse(Array(event.bytes[try EventHeader(trusted: event.bytes).data]))
    }

    /// Parts of a word, so that words of several owners divide well.
    private static let parts: UInt64 = 5_040

    /// The same from an attribution's statement.
    static func weights(of owner: String, in statement: JSONValue) -> [(part: String, weight: UInt64)] {
        var weights: [String: UInt64] = [:]
        func words(_ value: JSONValue, _ name: String) -> UInt64 { UInt64(clamping: min(value[name]?.intValue ?? 0, 1 << 40)) * parts }
        for span in statement["computed"]?["spans"]?.arrayValue ?? [] {
            let earners = span["earners"]?.arrayValue ?? []
            for earner in earners where earner["owner"]?.stringValue == owner {
                if let item = earner["item"]?.stringValue { weights[item, default: 0] += words(span, "paidTokens") / UInt64(earners.count) }
            }
        }
        for passage in statement["computed"]?["passages"]?.arrayValue ?? [] where passage["owner"]?.stringValue == owner {
            if let item = passage["item"]?.stringValue { weights[item, default: 0] += words(passage, "usedTokens") }
        }
        return weights.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { (part: $0.key, weight: $0.value) }
    }
}
