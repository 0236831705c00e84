public import Events

/// Whether a list stands in its event or beside it. Two hundred items can be more than an event holds, so their bytes decide too.
public enum EvidenceForm {
    /// Most bytes of a list within an event, which has 65,535 for everything.
    public static let maximumBytes = 40_000

    /// The form, with the bytes to put into the evidence store when the list does not stand in the event.
    public static func of<Entry: EventPart>(_ entries: [Entry]) throws -> (list: EvidenceList<Entry>, evidence: [UInt8]?) {
        let bytes = try EvidenceList.encode(entries)
        if entries.count <= EvidenceList<Entry>.maximumEntries, bytes.count <= maximumBytes { return (.entries(entries), nil) }
        return (.evidence(digest(bytes), count: entries.count), bytes)
    }
}
