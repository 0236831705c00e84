internal import Crypto
public import Decisions
internal import Events

/// Who authors are whom others named: claimed by somebody who knows the name, said to be right by an owner of a Datanet that has
/// their work. Pure.
public enum AuthorRules {
    /// What the accounts of named authors begin with. No principal's id does.
    public static let prefix = "author_"
    /// What an owner may have looked at.
    public static let proofs: Set<String> = ["mail", "domain", "vouched"]

    /// Somebody says that they are an author. That they knew the name was checked before.
    /// - Parameter owners: whose items the contribution has.
    public static func request(
        _ state: IngestState, author: String, contribution id: String, owners: Set<String>, _ context: DecisionContext
    ) throws -> [NewEvent] {
        guard let contribution = state.contributions[id], contribution.submitted.kind == "on-behalf", author.hasPrefix(prefix),
            owners.contains(author)
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
