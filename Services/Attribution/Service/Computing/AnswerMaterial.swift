internal import AttributionDomain
internal import Crypto
internal import Events

/// An item of a searched snapshot, with what the ledger and its index say of it.
struct KnownItem: Sendable {
    let admitted: AdmittedItem
    let datanet: String
    /// Where its contribution was admitted.
    let position: UInt64
    /// Words that are new in it; nil where nobody measured.
    let unique: Int?
    /// The earlier item that it nearly repeats.
    let head: String?
}

/// All that an answer is attributed by, fetched and ready: from here on everything is computed.
struct AnswerMaterial: Sendable {
    /// One snapshot's items.
    struct Source: Sendable {
        let reference: SnapshotReference
        let index: Digest?
        let isRetrieval: Bool
        let items: [KnownItem]
    }

    let attribution: String
    let task: AttributionTask
    let sources: [Source]
    let spans: IndexSet?
    /// Nil when it is gone.
    let answer: WordSequence?
    let prompt: WordSequence?
    let influence: InfluenceScores?
    let passages: [AttributionDomain.RetrievedPassage]
    /// Codes of what was not there.
    let missing: [String]
}
