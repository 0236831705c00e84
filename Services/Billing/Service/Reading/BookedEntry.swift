internal import BillingDomain
internal import Crypto
internal import Events
internal import JSON
internal import Money
internal import Projections

/// What an event moves on one account.
struct BookedEntry {
    /// An account in an asset.
    struct Place: Hashable, Comparable {
        let account: String
        let asset: String

        static func < (left: Place, right: Place) -> Bool {
            left.account != right.account
                ? ByteOrder.precedes(left.account, right.account) : ByteOrder.precedes(left.asset, right.asset)
        }
    }

    let place: Place
    let units: Int128

    /// The entries of an event, one for each account and asset, in the order of their names.
    /// - Parameters:
    ///   - list: where the list stands in the event's bytes.
    ///   - evidence: long lists by their hash.
    static func read(_ event: ProjectedEvent, _ list: Range<Int>, _ evidence: (Digest) -> [UInt8]?) throws -> [BookedEntry] {
        if let entries = inOrder(event.bytes, list) { return entries }
        var sums: [Place: Int128] = [:]
        for posting in try postings(event, try JSON.parse(Array(event.bytes[list])), evidence) {
            sums[Place(account: posting.account.text, asset: posting.amount.asset.text), default: 0] += posting.amount.units
        }
        return sums.sorted { $0.key < $1.key }.map { BookedEntry(place: $0.key, units: $0.value) }
    }

    private static func postings(_ event: ProjectedEvent, _ list: JSONValue, _ evidence: (Digest) -> [UInt8]?) throws -> [Posting] {
        switch try EvidenceList<Posting>(try list.object()) {
        case .entries(let entries): return entries
        case .evidence(let digest, _):
            guard let bytes = evidence(digest) else {
                throw BillingFault(event.header.type, digest.prefixed, "is not in the evidence store")
            }
            return try EvidenceList<Posting>.decode(bytes)
        }
    }

    /// The entries of a list that stands in its event, each account once and in order, as nearly all do: read where they lie. Nil for any
    /// other list.
    private static func inOrder(_ bytes: [UInt8], _ list: Range<Int>) -> [BookedEntry]? {
        bytes.withUnsafeBufferPointer { bytes in
            var walk = Walk(bytes: UnsafeBufferPointer(rebasing: bytes[list]))
            return walk.entries()
        }
    }

    /// Steps over `{"entries":[{"account":"…","amount":{"amount":"…","asset":"…"}},…]}`.
    private struct Walk {
        let bytes: UnsafeBufferPointer<UInt8>
        var at = 0

        mutating func entries() -> [BookedEntry]? {
            guard steps("{\"entries\":[") else { return nil }
            var entries: [BookedEntry] = []
            entries.reserveCapacity(16)
            while steps(entries.isEmpty ? "{\"account\":\"" : ",{\"account\":\"") {
                guard let account = text(), steps(",\"amount\":{\"amount\":\""), let units = number(), steps(",\"asset\":\""),
                    let asset = text(),
                    steps("}}")
                else { return nil }
                let place = Place(account: account, asset: asset)
                if let last = entries.last?.place, !(last < place) { return nil }
                entries.append(BookedEntry(place: place, units: units))
            }
            return steps("]}") && at == bytes.count ? entries : nil
        }

        private mutating func steps(_ text: StaticString) -> Bool {
            let count = text.utf8CodeUnitCount
            guard at + count <= bytes.count else { return false }
            for index in 0..<count where bytes[at + index] != text.utf8Start[index] { return false }
            at += count
            return true
        }

        /// Up to the quote and over it; nil for what has an escape.
        private mutating func text() -> String? {
            let start = at
            while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
                if bytes[at] == UInt8(ascii: "\\") { return nil }
                at += 1
            }
            guard at < bytes.count else { return nil }
            defer { at += 1 }
            return String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<at]), as: UTF8.self)
        }

        /// A number in quotes, its last quote included; nil for one that is too long for this.
        private mutating func number() -> Int128? {
            let isNegative = at < bytes.count && bytes[at] == UInt8(ascii: "-")
            if isNegative { at += 1 }
            let start = at
            var units: Int64 = 0
            while at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39 {
                units = units &* 10 &+ Int64(bytes[at] - 0x30)
                at += 1
            }
            guard at > start, at - start <= 18, at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { return nil }
            at += 1
            return Int128(isNegative ? -units : units)
        }
    }
}
