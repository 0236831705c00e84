internal import Events

/// Why something cannot be done now. All of it is tried again.
enum AttributionTrouble: Error, Sendable, Equatable, CustomStringConvertible {
    /// Another service answered otherwise than it should.
    case answer(Service, String)
    /// The content of a snapshot is more than is indexed at once, in bytes.
    case tooMuchContent(snapshot: String, limit: Int)
    /// An index that was built again from a snapshot's items is not the one on the ledger.
    case otherIndex(index: String, snapshot: String)
    /// An index, or an answer's passages, lack an item that nobody is known to have taken back.
    case lackingIndex(snapshot: String, item: String)

    /// What is wrong, and what to do.
    var description: String {
        switch self {
        case .answer(let service, let reason): "\(service.rawValue) \(reason)"
        case .otherIndex(let index, let snapshot):
            "the items of \(snapshot), as datanet gives them now, do not make the index \(index) that is on the ledger: "
                + "see that datanet has the content that was published, and that this program is the version that built it"
        case .lackingIndex(let snapshot, let item):
            "datanet no longer gives \(item) of \(snapshot), and the log, as far as it was read, does not say that it was taken back"
        case .tooMuchContent(let snapshot, let limit): "the items of \(snapshot) are more than \(limit) bytes: publish smaller snapshots"
        }
    }
}
