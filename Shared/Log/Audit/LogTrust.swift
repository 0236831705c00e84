/// By what a checkpoint is believed.
public struct LogTrust: Sendable {
    /// Where the log's keys came from.
    public enum KeyOrigin: String, Sendable {
        /// From whoever asks: the command line, a file.
        case given
        /// From the policy.
        case policy
        /// From the bundle or server itself. That proves that one key signed everything, not whose it is.
        case pinned
    }

    /// Keys of the log; a checkpoint must be signed by one of them. Empty: witnesses alone vouch.
    public let keys: [VerifierKey]
    /// Where they came from.
    public let origin: KeyOrigin
    /// Those of them that follow from others by rotations.
    public let followed: [VerifierKey]
    /// Which witnesses must have cosigned.
    public let policy: WitnessPolicy?

    /// Trust in given keys, in a policy, or both; the policy's own logs count where no key is given. What the log itself
    /// names is taken only where nobody said anything else.
    /// - Throws: ``NoteError`` when there is nothing by which to believe.
    public init(keys: [VerifierKey], policy: WitnessPolicy? = nil, pinned: [VerifierKey] = []) throws(NoteError) {
        self.policy = policy
        followed = []
        if !keys.isEmpty {
            (self.keys, origin) = (keys, .given)
        } else if let policy, !policy.logs.isEmpty {
            (self.keys, origin) = (policy.logs, .policy)
        } else if policy?.asksForWitnesses == true {
            (self.keys, origin) = ([], .policy)
        } else {
            (self.keys, origin) = (pinned, .pinned)
            guard !pinned.isEmpty else {
                throw .malformed(
                    what: "trust", reason: "nothing says whose signature to believe: give the log's key, or a policy with witnesses")
            }
        }
    }

    private init(_ trust: LogTrust, followed: [VerifierKey]) {
        keys = trust.keys + followed
        origin = trust.origin
        policy = trust.policy
        self.followed = trust.followed + followed
    }

    /// The same trust, and trust in each key that a trusted one signed for, and so on.
    /// - Parameter rotations: oldest first, all of the log's.
    /// - Throws: ``NoteError`` for a chain that is broken or has a link that its key did not sign: then none of it is believed.
    public func following(_ rotations: [LogRotation]) throws(NoteError) -> LogTrust {
        try LogRotation.check(rotations)
        var found: [VerifierKey] = []
        for rotation in rotations where keys.contains(rotation.previous) || found.contains(rotation.previous) {
            if !keys.contains(rotation.next), !found.contains(rotation.next) { found.append(rotation.next) }
        }
        return LogTrust(self, followed: found)
    }

    /// Verifies a checkpoint's note.
    public func verify(_ text: String) throws(NoteError) -> (signed: SignedCheckpoint, voucher: Voucher) {
        let signed: SignedCheckpoint
        var signers: [VerifierKey] = []
        if keys.isEmpty {
            signed = try SignedCheckpoint(unverified: text)
        } else {
            let name = try SignedCheckpoint(unverified: text).checkpoint.origin
            let own = keys.filter { $0.name == name }
            guard !own.isEmpty else { throw .foreignOrigin(expected: keys[0].name, found: name) }
            signed = try SignedCheckpoint(parsing: text, keys: own)
            signers = own.filter { key in signed.note.signatures.contains { $0.isBy(key) } }
        }
        let witnesses = policy?.cosigners(of: signed.note) ?? []
        guard policy?.isSatisfied(by: witnesses) ?? true else {
            let names = witnesses.map(\.name).joined(separator: ", ")
            throw .malformed(
                what: "checkpoint", reason: "its cosignatures do not make the policy's quorum; good ones: \(names.isEmpty ? "none" : names)"
            )
        }
        return (signed, Voucher(signers: signers, followed: followed.filter(signers.contains), origin: origin, witnesses: witnesses))
    }
}

extension LogTrust {
    /// Verifies the log's own signature only: an old checkpoint was kept before or after witnesses cosigned it. Where no key
    /// of the log is known, witnesses must have.
    func verifyKept(_ text: String) throws(NoteError) -> Checkpoint {
        if keys.isEmpty { return try verify(text).signed.checkpoint }
        return try LogTrust(keys: keys).verify(text).signed.checkpoint
    }
}

/// Who vouches for a checkpoint that was verified.
public struct Voucher: Sendable, Equatable, CustomStringConvertible {
    /// The log's keys whose signatures hold.
    public let signers: [VerifierKey]
    /// Those of them that follow from trusted ones by rotations.
    public let followed: [VerifierKey]
    /// Where the keys came from.
    public let origin: LogTrust.KeyOrigin
    /// The witnesses of the policy whose cosignatures hold.
    public let witnesses: [VerifierKey]

    /// In words.
    public var description: String {
        var parts: [String] = []
        let direct = signers.filter { !followed.contains($0) }
        if direct.isEmpty, !followed.isEmpty {
            let names = followed.map(\.description).joined(separator: ", ")
            let first =
                switch origin {
                case .given: "the key you gave"
                case .policy: "a log of your policy"
                case .pinned: "the key that comes with the log itself"
                }
            parts.append("signed by \(names), which follows from \(first) by rotations that each key signed for the next")
        } else if !direct.isEmpty {
            let names = direct.map(\.description).joined(separator: ", ")
            switch origin {
            case .given: parts.append("signed by the key you gave, \(names)")
            case .policy: parts.append("signed by a log of your policy, \(names)")
            case .pinned: parts.append("signed by the key that comes with the log itself, \(names): compare it with one you got elsewhere")
            }
        }
        if !witnesses.isEmpty { parts.append("cosigned by " + witnesses.map(\.name).joined(separator: ", ")) }
        return parts.joined(separator: "; ")
    }
}
