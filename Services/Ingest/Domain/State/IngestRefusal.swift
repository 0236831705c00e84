/// Why a command is refused.
public enum IngestRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is no such Datanet.
    case noDatanet(String)
    /// The Datanet takes nothing from this principal.
    case notTaken(datanet: String, contributor: String)
    /// The Datanet has as many items as it may have.
    case full(String)
    /// The manifest is signed with a key that is not the contributor's.
    case notTheirKey(signer: String, contributor: String)
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
    /// No contribution has work of an author of that name.
    case noAuthor
    /// There is no such claim.
    case noClaim(String)
    /// The author's account is somebody's already.
    case claimed(String)
    /// Who is no owner of the Datanet, or claims for themselves, says that a claim is right.
    case notTheirs(claim: String, datanet: String)
    /// The author's account is of another Datanet.
    case otherDatanet(String, String)
    /// What this was prepared from has changed meanwhile: it is prepared anew.
    case moved
    /// All of the owner's content was erased before.
    case erased(String)

    /// A sentence that names the culprit.
    public var description: String {
        switch self {
        case .noDatanet(let id): "there is no Datanet \(id)"
        case .notTaken(let datanet, let contributor): "\(datanet) takes contributions by invitation, and \(contributor) has no role there"
        case .full(let datanet):
            "\(datanet) has \(IngestRules.mostItemsOfDatanet) items, the most that a Datanet has: contribute to another, or ask its owner to open one"
        case .notTheirKey(let signer, let contributor):
            "\(signer) is no key of \(contributor): sign with a key that you have registered"
        case .noContribution(let id): "there is no contribution \(id)"
        case .notYours(let id): "\(id) was submitted by somebody else"
        case .noItem(let id): "there is no item \(id)"
        case .badSupersedes(let id): "\(id) is no contribution of yours to this Datanet"
        case .badItems(let reason): reason
        case .noAuthor: "no contribution on behalf of others has work of an author of that name"
        case .noClaim(let id): "there is no claim \(id)"
        case .claimed(let author): "\(author) was claimed before"
        case .notTheirs(let claim, let datanet): "\(claim) is for another owner of \(datanet) than the claimant to confirm"
        case .otherDatanet(let author, let datanet): "\(author) is an account of another Datanet than \(datanet)"
        case .moved: "contributions came in meanwhile: ask again"
        case .erased(let owner): "all content of \(owner) was erased"
        }
    }
}
