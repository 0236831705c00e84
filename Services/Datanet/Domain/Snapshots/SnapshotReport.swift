public import Events
public import JSON

/// What a snapshot consists of, by licence and by language: the facts of a licence report.
public struct SnapshotReport: Sendable, Hashable {
    /// A part of the items.
    public struct Part: Sendable, Hashable {
        /// How many items.
        public var items = 0
        /// Their length together, as screening counts it.
        public var tokens = 0
        /// Whose they are.
        public var owners: Set<String> = []

        mutating func add(_ item: AdmittedItem) {
            items += 1
            tokens += item.tokens
            owners.insert(item.owner)
        }

        var json: JSONValue { ["items": .count(items), "tokens": .count(tokens), "owners": .count(owners.count)] }
    }

    /// All of it.
    public private(set) var whole = Part()
    /// By SPDX expression.
    public private(set) var licences: [String: Part] = [:]
    /// By BCP 47 tag.
    public private(set) var languages: [String: Part] = [:]
    /// What has been withdrawn or erased since.
    public private(set) var withdrawn = Part()
    /// How many contributions they came with.
    public var contributions: Int { ids.count }
    private var ids: Set<String> = []

    /// Counts.
    /// - Parameter isGone: whether an item was withdrawn or erased.
    public init(_ items: some Sequence<AdmittedItem>, isGone: (AdmittedItem) -> Bool) {
        for item in items {
            whole.add(item)
            licences[item.licence, default: Part()].add(item)
            languages[item.language, default: Part()].add(item)
            ids.insert(item.contribution)
            if isGone(item) { withdrawn.add(item) }
        }
    }

    /// The figures, names in the order of their bytes.
    public var json: JSONValue {
        func table(_ parts: [String: Part], _ name: String) -> JSONValue {
            .array(
                parts.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { key, part in
                    var object: JSONObject = [name: .string(key)]
                    for member in part.json.objectValue?.members ?? [] { object[member.key] = member.value }
                    return .object(object)
                })
        }
        return [
            "whole": whole.json, "contributions": .count(contributions), "licences": table(licences, "licence"),
            "languages": table(languages, "language"), "withdrawn": withdrawn.json,
        ]
    }
}
