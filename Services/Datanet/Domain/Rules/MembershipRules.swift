public import Crypto
public import Events

/// Creating Datanets and who belongs to them.
public enum MembershipRules {
    /// Most members of a Datanet.
    public static let maximumMembers = 10_000
    /// Most validators: all of them stand in the event of every draw.
    public static let maximumValidators = 200

    /// Opens a Datanet; who opens it owns it.
    public static func create(_ domain: String, media: String, policy: DatanetPolicy, _ moment: Moment) throws -> [Decided] {
        try PolicyRules.check(policy)
        guard ["text", "image", "audio"].contains(media) else {
            throw DatanetRefusal(.unprocessable, "bad-media", "media is text, image or audio")
        }
        let isWord =
            !domain.isEmpty && domain.utf8.count <= 64
            && domain.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        guard isWord else {
            throw DatanetRefusal(.unprocessable, "bad-domain", "a domain is one word of a-z, 0-9 and -, at most 64 bytes")
        }
        let id = moment.newID("dn", 0)
        return [
            try Decided(DatanetCreated(datanet: id, owner: moment.actor, domain: domain, media: media, policy: policy), "datanet", id)
        ]
    }

    /// Changes what the public page says; the page itself is content and lies elsewhere.
    public static func describe(_ state: DatanetState, _ id: String, page: Digest, _ moment: Moment) throws -> [Decided] {
        let datanet = try state.datanet(id)
        guard datanet.has(moment.actor, [.owner, .curator]) else { throw DatanetRefusal.notAllowed("owners and curators write the page") }
        return [try Decided(DatanetDescribed(datanet: id, page: page), "datanet", id)]
    }

    /// Gives a role. Owners give every role, curators those of contributors and consumers; to an open Datanet people come by
    /// themselves as contributors and, where reading is free and they were not put out, as consumers.
    public static func grant(_ state: DatanetState, _ id: String, to principal: String, role name: String, _ moment: Moment) throws
        -> [Decided]
    {
        let datanet = try state.datanet(id)
        let role = try Role.named(name)
        let isPlain = (1...200).contains(principal.utf8.count) && principal.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        guard isPlain else { throw DatanetRefusal(.unprocessable, "bad-principal", "a principal is 1 to 200 visible ASCII characters") }
        let joins = principal == moment.actor && datanet.mayJoin(principal, as: role)
        let simple: Set<Role> = [.contributor, .consumer]
        guard datanet.has(moment.actor, .owner) || simple.contains(role) && (datanet.has(moment.actor, .curator) || joins) else {
            throw DatanetRefusal.notAllowed("only an owner of \(id) gives the role \(name) to \(principal.prefix(80))")
        }
        guard !datanet.has(principal, role) else {
            throw DatanetRefusal(.conflict, "has-role", "\(principal.prefix(80)) has the role \(name) already")
        }
        guard datanet.members.count < maximumMembers || datanet.members[principal] != nil else {
            throw DatanetRefusal(.unprocessable, "too-many-members", "a Datanet has at most \(maximumMembers) members")
        }
        if role == .validator, datanet.members.values.count(where: { $0.contains(.validator) }) >= maximumValidators {
            throw DatanetRefusal(.unprocessable, "too-many-validators", "a Datanet has at most \(maximumValidators) validators")
        }
        return [try Decided(MemberGranted(datanet: id, principal: principal, role: name), "datanet", id)]
    }

    /// Takes a role. The last owner stays.
    public static func revoke(_ state: DatanetState, _ id: String, from principal: String, role name: String, _ moment: Moment) throws
        -> [Decided]
    {
        let datanet = try state.datanet(id)
        let role = try Role.named(name)
        let simple: Set<Role> = [.contributor, .consumer]
        guard
            principal == moment.actor || datanet.has(moment.actor, .owner)
                || simple.contains(role) && datanet.has(moment.actor, .curator)
        else { throw DatanetRefusal.notAllowed("only an owner of \(id) takes the role \(name) from \(principal.prefix(80))") }
        // In an open Datanet a contributor without the role can be put out too.
        let canBar = role == .contributor && principal != moment.actor && !datanet.barred.contains(principal)
        guard datanet.has(principal, role) || canBar else {
            throw DatanetRefusal(.conflict, "lacks-role", "\(principal.prefix(80)) does not have the role \(name)")
        }
        if role == .owner, datanet.members.values.count(where: { $0.contains(.owner) }) == 1 {
            throw DatanetRefusal(.unprocessable, "last-owner", "a Datanet keeps at least one owner")
        }
        return [try Decided(MemberRevoked(datanet: id, principal: principal, role: name), "datanet", id)]
    }
}
