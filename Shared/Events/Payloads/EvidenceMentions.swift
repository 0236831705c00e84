public import Crypto
public import JSON

/// A document of the evidence store that an event names.
public struct EvidenceMention: Sendable, Hashable {
    /// Its hash.
    public let digest: Digest
    /// Where the event names it, as a JSON Pointer into its data.
    public let pointer: String
}

/// Which documents of the evidence store an event names: what a bundle has to carry along, and what an audit looks up.
public enum EvidenceMentions {
    /// All that an event names, in the order of its fields: long lists, and the documents that its type has.
    public static func of(type: String, data: JSONValue) -> [EvidenceMention] {
        guard let members = data.objectValue?.members else { return [] }
        let documents = documents[type] ?? []
        return members.compactMap { member in
            if documents.contains(member.key), let digest = member.value.stringValue.flatMap({ Digest(prefixed: $0) }) {
                return EvidenceMention(digest: digest, pointer: "/\(member.key)")
            }
            guard let list = member.value.objectValue, list.count == 2, list["count"] != nil,
                let digest = list["evidence"]?.stringValue.flatMap({ Digest(prefixed: $0) })
            else { return nil }
            return EvidenceMention(digest: digest, pointer: "/\(member.key)/evidence")
        }
    }

    private static let documents: [String: Set<String>] = [
        ContentErased.type: ["receipt"], SnapshotPublished.type: ["list", "manifest"], IndexBuilt.type: ["measures"],
        AttributionComputed.type: ["evidence"], AttributionCorrected.type: ["evidence"], JobRequested.type: ["settings", "without"],
        JobCheckpointed.type: ["metrics"], JobDelivered.type: ["record"], JobCompleted.type: ["record"],
    ]
}
