internal import Crypto
public import Decisions
internal import Events

/// Who authors are whom others named: claimed by somebody who knows the name, said to be right by an owner of the Datanet that has
/// their work. An account is of one Datanet, so that nobody can have a name confirmed in a Datanet of their own and thereby get
/// what another one has of it. Pure.
public enum AuthorRules {
    /// What the accounts of named authors begin with. No principal's id does.
    public static let prefix = "author_"
    private static let digits = 32

    /// The account of an author in a Datanet.
    /// - Parameter hash: a keyed hash of Datanet and name, in hexadecimal digits.
    public static func account(datanet: String, hash: String) -> String { "\(prefix)\(datanet)_\(hash.prefix(digits))" }

    /// Whether an account is that of an author whom a Datanet's contributions named.
    public static func isAccount(_ account: String, of datanet: String) -> Bool {
        let start = "\(prefix)\(datanet)_"
        return account.hasPrefix(start) && isHash(account.utf8.dropFirst(start.utf8.count))
    }

    private static func isHash(_ text: some Collection<UInt8>) -> Bool {
        text.count == digits && text.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// Whether items of an on-behalf contribution may be of this owner.
    public static func mayOwn(_ owner: String, contributor: String, datanet: String) -> Bool {
        owner == contributor || isAccount(owner, of: datanet)
    }

    /// What an owner may have looked at.
    public static let proofs: Set<String> = ["mail", "domain", "vouched"]

    /// Somebody says that they are an author. That they knew the name was checked before.
    /// - Parameter owners: whose items the contribution has.
    public static func request(
        _ state: IngestState, author: String, contribution id: String, owners: Set<String>, _ context: DecisionContext
    ) throws -> [NewEvent] {
        guard let contribution = state.contributions[id], contribution.submitted.kind == "on-behalf", owners.contains(author),
            isAccount(author, of: contribution.submitted.datanet)
        else { throw IngestRefusal.noAuthor }
        guard state.claimedBy[author] == nil else { throw IngestRefusal.claimed(author) }
        // Told a second time it changes nothing.
        guard state.claim(of: author, by: context.actor) == nil else { return [] }
        return [
            NewEvent(
                ContributorClaimRequested(claim: context.newID("cl"), author: author, principal: context.actor, contribution: id),
                stream: try stream(author))
        ]
    }

    /// An owner of the Datanet has seen a proof.
    public static func grant(_ state: IngestState, _ id: String, proof: String, _ context: DecisionContext) throws -> [NewEvent] {
        guard let claim = state.claims[id]?.requested, let contribution = state.contributions[claim.contribution] else {
            throw IngestRefusal.noClaim(id)
        }
        guard proofs.contains(proof) else { throw IngestRefusal.badItems("a proof is one of \(proofs.sorted().joined(separator: ", "))") }
        let datanet = contribution.submitted.datanet
        guard state.datanets[datanet]?.isOwner(context.actor) == true, context.actor != claim.principal else {
            throw IngestRefusal.notTheirs(claim: id, datanet: datanet)
        }
        guard state.claimedBy[claim.author] == nil else { throw IngestRefusal.claimed(claim.author) }
        return [
            NewEvent(
                ContributorClaimed(claim: id, author: claim.author, principal: claim.principal, datanet: datanet, proof: proof),
                stream: try stream(claim.author))
        ]
    }

    private static func stream(_ author: String) throws -> StreamName {
        guard let name = StreamName(kind: "contributor", id: author) else { throw IngestRefusal.noAuthor }
        return name
    }
}
