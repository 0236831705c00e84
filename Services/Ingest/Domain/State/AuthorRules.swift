internal import Crypto
public import Decisions
public import Events

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

    /// The Datanet that an author's account is of; nil where it is no such account.
    public static func datanet(of account: String) -> String? {
        guard account.hasPrefix(prefix), let place = account.lastIndex(of: "_") else { return nil }
        let datanet = String(account[..<place].dropFirst(prefix.count))
        return isAccount(account, of: datanet) ? datanet : nil
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

    /// At most so many contributions are meant by one withdrawal.
    public static let mostWithdrawn = 100_000

    /// Takes consent back to all that others have brought of an author, for who claimed the account. What is taken back already, or is about to
    /// be, asks for nothing.
    /// - Parameters:
    ///   - looked: the contributions that were looked at.
    ///   - works: which of them have items of the author, in the order of the log.
    public static func withdraw(
        _ state: IngestState, _ order: ContributorWithdrawn, looked: [String], works: [(contribution: String, items: [String])],
        actor: String
    ) throws -> [NewEvent] {
        guard state.claimedBy[order.contributor] == actor else { throw IngestRefusal.notYours(order.contributor) }
        if let datanet = order.datanet {
            guard state.datanets[datanet] != nil else { throw IngestRefusal.noDatanet(datanet) }
            guard isAccount(order.contributor, of: datanet) else { throw IngestRefusal.otherDatanet(order.contributor, datanet) }
        }
        guard looked == state.onBehalf(of: order.contributor) else { throw IngestRefusal.moved }
        let due = works.filter { work in
            let isUnderWay = state.authoredToWithdraw[AuthoredWork(contribution: work.contribution, author: order.contributor)] != nil
            let withdrawn = state.contributions[work.contribution]?.withdrawn ?? .none
            return !isUnderWay && work.items.contains { !withdrawn.contains($0) }
        }.map { $0.contribution }.prefix(mostWithdrawn)
        let stream = try stream(order.contributor)
        return stride(from: due.startIndex, to: due.endIndex, by: IngestRules.mostItems).map { start in
            // The account says which Datanet it is.
            let part = Array(due[start..<min(start + IngestRules.mostItems, due.endIndex)])
            return NewEvent(ContributorWithdrawn(contributor: order.contributor, contributions: part), stream: stream)
        }
    }

    /// Takes back what one contribution has of an author, as who claimed the account asked for all of it.
    /// - Parameter items: all that the contribution has of the author.
    public static func withdraw(
        _ state: IngestState, _ work: AuthoredWork, items: [String], actor: String
    ) throws -> [NewEvent] {
        guard state.claimedBy[work.author] == actor, state.authoredToWithdraw[work] != nil else {
            throw IngestRefusal.notYours(work.contribution)
        }
        guard let stream = StreamName(kind: "contribution", id: work.contribution) else {
            throw IngestRefusal.noContribution(work.contribution)
        }
        return stride(from: 0, to: items.count, by: IngestRules.mostItems).map { start in
            NewEvent(
                ContributionWithdrawn(
                    contribution: work.contribution, contributor: actor,
                    items: Array(items[start..<min(start + IngestRules.mostItems, items.count)]), author: work.author),
                stream: stream)
        }
    }

    private static func stream(_ author: String) throws -> StreamName {
        guard let name = StreamName(kind: "contributor", id: author) else { throw IngestRefusal.noAuthor }
        return name
    }
}
