/// Why a command is refused.
public enum IngestRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is no such Datanet.
    case noDatanet(String)
    /// The Datanet takes nothing from this principal.
    case notTaken(datanet: String, contributor: String)
    /// There is no such contribution.
    case noContribution(String)
    /// It is somebody else's.
    case notYours(String)
    /// There is no such item.
    case noItem(String)
    /// The contribution that is to be corrected is somebody else's, of another Datanet, or not there.
    case badSupersedes(String)
    /// A list names no item, or too many.
    case badItems(String)
    /// All of the owner's content was erased before.
    case erased(String)

    /// A sentence that names the culprit.
    public var description: String {
        switch self {
        case .noDatanet(let id): "there is no Datanet \(id)"
        case .notTaken(let datanet, let contributor): "\(datanet) takes contributions by invitation, and \(contributor) has no role there"
        case .noContribution(let id): "there is no contribution \(id)"
        case .notYours(let id): "\(id) was submitted by somebody else"
        case .noItem(let id): "there is no item \(id)"
        case .badSupersedes(let id): "\(id) is no contribution of yours to this Datanet"
        case .badItems(let reason): reason
        case .erased(let owner): "all content of \(owner) was erased"
        }
    }
}
