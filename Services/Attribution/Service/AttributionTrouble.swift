internal import Events

/// Why something cannot be done now. All of it is tried again.
enum AttributionTrouble: Error, Sendable, Equatable, CustomStringConvertible {
    /// Another service answered otherwise than it should.
    case answer(Service, String)
    /// The content of a snapshot is more than is indexed at once, in bytes.
    case tooMuchContent(snapshot: String, limit: Int)

    /// What is wrong, and what to do.
    var description: String {
        switch self {
        case .answer(let service, let reason): "\(service.rawValue) \(reason)"
        case .tooMuchContent(let snapshot, let limit): "the items of \(snapshot) are more than \(limit) bytes: publish smaller snapshots"
        }
    }
}
