public import Decisions
public import Events
internal import JSON

/// What ingest must remember to decide: contributions, and of Datanets who may bring what.
public struct IngestState: ServiceState {
    /// A Datanet as far as it matters here.
    public struct Datanet: Sendable {
        /// Who opened it.
        public let owner: String
        /// `text`, `image` or `audio`.
        public let media: String
        /// Its rules.
        public internal(set) var policy: DatanetPolicy
        /// Roles by member.
        public internal(set) var members: [String: Set<String>] = [:]

        /// Whether somebody owns it, alone or with others.
        public func isOwner(_ principal: String) -> Bool { principal == owner || members[principal]?.contains("owner") == true }

        /// Whether somebody owns it or tends it.
        public func isOfficer(_ principal: String) -> Bool { isOwner(principal) || members[principal]?.contains("curator") == true }

        /// Whether somebody may bring data.
        public func takes(from principal: String) -> Bool {
            policy.access == "open" || principal == owner
                || !(members[principal] ?? []).isDisjoint(with: ["owner", "curator", "contributor"])
        }
    }

    /// By id.
    public private(set) var contributions: [String: ContributionState] = [:]
    /// Ids in the order of the log, by who submitted them.
    public private(set) var byContributor: [String: [String]] = [:]
    /// Ids in the order of the log, by Datanet.
    public private(set) var byDatanet: [String: [String]] = [:]
    /// By id.
    public private(set) var datanets: [String: Datanet] = [:]
    /// Receipts of owners whose whole content was erased.
    public private(set) var erasedOwners: [String: ContentErased] = [:]

    /// Contributions that are meant by the withdrawal of a whole contributor and have no withdrawal of their own yet, with when it was asked for.
    public private(set) var toWithdraw: [String: Timestamp] = [:]

    /// Work of authors that is meant by the withdrawal of all that others have brought of them and is not yet withdrawn, with when it was asked
    /// for.
    public private(set) var authoredToWithdraw: [AuthoredWork: Timestamp] = [:]

    /// Claims to be a named author, by id.
    public private(set) var claims: [String: AuthorClaim] = [:]
    /// Ids in the order of the log, by the author's account.
    public private(set) var claimsByAuthor: [String: [String]] = [:]
    /// The keys of those who have registered some, by principal.
    public private(set) var keys: [String: Set<String>] = [:]
    /// Whose an author's account is.
    public private(set) var claimedBy: [String: String] = [:]

    /// Before the first event.
    public init() {}

    /// The claim of somebody to be an author; nil when there is none.
    public func claim(of author: String, by principal: String) -> AuthorClaim? {
        (claimsByAuthor[author] ?? []).lazy.compactMap { claims[$0] }.first { $0.requested.principal == principal }
    }

    /// How many items a Datanet has taken, but for contributions that were taken back or erased as a whole.
    public func held(by datanet: String) -> Int {
        (byDatanet[datanet] ?? []).reduce(0) { count, id in
            guard let contribution = contributions[id], !contribution.isReleased else { return count }
            return count + contribution.admitted
        }
    }

    /// What a whole contributor's withdrawal means: their contributions that are not yet taken back as a whole, in the order of the log.
    public func consented(to order: ContributorWithdrawn) -> [String] {
        (byContributor[order.contributor] ?? []).filter { id in
            guard let contribution = contributions[id] else { return false }
            return contribution.withdrawn != .all && (order.datanet == nil || contribution.submitted.datanet == order.datanet)
        }
    }

    /// The contributions among which work of an author may be that is not yet taken back as a whole: those that were brought on behalf of others
    /// to the Datanet that the author's account is of, in the order of the log.
    public func onBehalf(of author: String) -> [String] {
        guard let datanet = AuthorRules.datanet(of: author) else { return [] }
        return (byDatanet[datanet] ?? []).filter { id in
            contributions[id].map { $0.submitted.kind == "on-behalf" && $0.withdrawn != .all } ?? false
        }
    }

    /// Whether what an account has is somebody's: it is their own, or that of an author who they are.
    public func disposes(_ principal: String, of owner: String) -> Bool { owner == principal || claimedBy[owner] == principal }

    private static let types: Set<String> = [
        ContributionSubmitted.type, ContributionScreened.type, ContributionWithdrawn.type, ContentErased.type, DatanetCreated.type,
        DatanetPolicyChanged.type, MemberGranted.type, MemberRevoked.type, ContributorClaimRequested.type, ContributorClaimed.type,
        PrincipalRegistered.type, KeyRotated.type, ContributorWithdrawn.type,
        AdmissionGranted.type, AdmissionRefused.type,
    ]

    /// See `ServiceState`.
    public static func concerns(_ type: String) -> Bool { types.contains(type) }

    /// See `ServiceState`.
    public mutating func apply(_ fact: Fact) throws {
        let fields = try fact.data.object()
        switch fact.type {
        case ContributionSubmitted.type: submit(try ContributionSubmitted(fields), at: fact.time)
        case ContributionScreened.type:
            let screened = try ContributionScreened(fields)
            contributions[screened.contribution]?.screened = screened
        case ContributionWithdrawn.type:
            let withdrawn = try ContributionWithdrawn(fields)
            contributions[withdrawn.contribution]?.withdrawn.add(withdrawn.items)
            if withdrawn.items.isEmpty {
                contributions[withdrawn.contribution]?.isReleased = true
                toWithdraw[withdrawn.contribution] = nil
            }
            if let author = withdrawn.author {
                authoredToWithdraw[AuthoredWork(contribution: withdrawn.contribution, author: author)] = nil
            }
        case ContributorWithdrawn.type:
            let order = try ContributorWithdrawn(fields)
            for id in order.contributions {
                authoredToWithdraw[AuthoredWork(contribution: id, author: order.contributor)] = fact.time
            }
            for id in consented(to: order) { toWithdraw[id] = fact.time }
        case ContentErased.type: erase(try ContentErased(fields))
        case DatanetCreated.type:
            let created = try DatanetCreated(fields)
            datanets[created.datanet] = Datanet(owner: created.owner, media: created.media, policy: created.policy)
        case DatanetPolicyChanged.type:
            let changed = try DatanetPolicyChanged(fields)
            datanets[changed.datanet]?.policy = changed.policy
        case MemberGranted.type:
            let granted = try MemberGranted(fields)
            datanets[granted.datanet]?.members[granted.principal, default: []].insert(granted.role)
        case MemberRevoked.type:
            let revoked = try MemberRevoked(fields)
            datanets[revoked.datanet]?.members[revoked.principal]?.remove(revoked.role)
        case AdmissionGranted.type:
            let granted = try AdmissionGranted(fields)
            contributions[granted.contribution]?.admitted += granted.items.count
        case AdmissionRefused.type:
            let refused = try AdmissionRefused(fields)
            if refused.items.isEmpty { contributions[refused.contribution]?.admitted = 0 }
        case PrincipalRegistered.type:
            let registered = try PrincipalRegistered(fields)
            keys[registered.principal, default: []].insert(registered.key)
        case KeyRotated.type:
            let rotated = try KeyRotated(fields)
            if let added = rotated.added { keys[rotated.principal, default: []].insert(added) }
            if let removed = rotated.removed { keys[rotated.principal]?.remove(removed) }
        case ContributorClaimRequested.type:
            let requested = try ContributorClaimRequested(fields)
            claims[requested.claim] = AuthorClaim(requested: requested, time: fact.time)
            claimsByAuthor[requested.author, default: []].append(requested.claim)
        case ContributorClaimed.type:
            let granted = try ContributorClaimed(fields)
            claims[granted.claim]?.granted = granted
            claimedBy[granted.author] = granted.principal
        default: break
        }
    }

    private mutating func submit(_ submitted: ContributionSubmitted, at time: Timestamp) {
        contributions[submitted.contribution] = ContributionState(submitted: submitted, time: time)
        byContributor[submitted.contributor, default: []].append(submitted.contribution)
        byDatanet[submitted.datanet, default: []].append(submitted.contribution)
        // Who had everything erased and brings something anew is back.
        erasedOwners[submitted.contributor] = nil
    }

    private mutating func erase(_ erased: ContentErased) {
        if let id = erased.contribution {
            contributions[id]?.erased.add(erased.items)
            if erased.items.isEmpty { contributions[id]?.isReleased = true }
        } else {
            erasedOwners[erased.owner] = erased
            for id in byContributor[erased.owner] ?? [] { contributions[id]?.erased = .all }
        }
    }
}
