/// Whom to believe (C2SP tlog-policy): logs by key, witnesses by key, and how many of which witnesses are enough.
///
///     log example.com/log+…
///     witness a witness.example/a+…
///     witness b witness.example/b+…
///     group both all a b
///     quorum both
public struct WitnessPolicy: Sendable, Equatable {
    indirect enum Rule: Sendable, Equatable {
        case witness(VerifierKey)
        case group(threshold: Int, members: [Rule])

        func isMet(by cosigners: Set<VerifierKey>) -> Bool {
            switch self {
            case .witness(let key): cosigners.contains(key)
            case .group(let threshold, let members): members.count { $0.isMet(by: cosigners) } >= threshold
            }
        }
    }

    /// The logs that are accepted; empty when they are known from elsewhere.
    public let logs: [VerifierKey]
    /// Every witness of the policy.
    public let witnesses: [VerifierKey]
    /// Nil for `quorum none`.
    let quorum: Rule?

    /// Whether cosignatures are asked for at all.
    public var asksForWitnesses: Bool { quorum != nil }

    /// Lines in a file; more would be no policy that a person wrote.
    private static let maximumLines = 2_000

    /// Reads a policy file.
    public init(parsing text: String) throws(NoteError) {
        var logs: [VerifierKey] = []
        var witnesses: [VerifierKey] = []
        var rules: [String: Rule] = [:]
        var members: Set<String> = []
        var quorum: Rule??
        for (number, bytes) in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            func fault(_ reason: String) -> NoteError { .malformed(what: "policy, line \(number + 1)", reason: reason) }
            guard number < Self.maximumLines else { throw fault("more than \(Self.maximumLines) lines") }
            guard bytes.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }) else { throw fault("has a control character") }
            let items = bytes.split { $0 == 0x20 || $0 == 0x09 }.map { String(Substring($0)) }
            guard let keyword = items.first, !keyword.hasPrefix("#") else { continue }
            func key(_ item: String, among known: [VerifierKey], _ kinds: Set<NoteSignatureType>) throws(NoteError) -> VerifierKey {
                let key: VerifierKey
                do { key = try VerifierKey(vkey: item) } catch { throw fault("\(error)") }
                guard kinds.contains(key.type) else { throw fault("\(key.name) has a key of the wrong type for a \(keyword)") }
                guard !known.contains(where: { $0.publicKey == key.publicKey }) else {
                    throw fault("the key of \(key.name) stands here twice")
                }
                return key
            }
            func define(_ name: String, _ rule: Rule) throws(NoteError) {
                guard name != "none", rules[name] == nil else { throw fault("the name \(name) is taken") }
                rules[name] = rule
            }
            switch (keyword, items.count) {
            case ("log", 2...3): logs.append(try key(items[1], among: logs, [.ed25519, .cosignature]))
            case ("witness", 3...4):
                let witness = try key(items[2], among: witnesses, [.cosignature])
                try define(items[1], .witness(witness))
                witnesses.append(witness)
            case ("group", 4...):
                let names = items[3...]
                var parts: [Rule] = []
                for name in names {
                    guard let rule = rules[name] else { throw fault("no line before this one defines \(name)") }
                    guard members.insert(name).inserted else { throw fault("\(name) is a member of two groups, or twice of one") }
                    parts.append(rule)
                }
                let threshold =
                    switch items[2] {
                    case "all": parts.count
                    case "any": 1
                    default: Int(items[2]) ?? 0
                    }
                guard (1...parts.count).contains(threshold) else { throw fault("\(items[2]) is not all, any or 1 to \(parts.count)") }
                try define(items[1], .group(threshold: threshold, members: parts))
            case ("quorum", 2):
                guard quorum == nil else { throw fault("a second quorum") }
                guard items[1] == "none" || rules[items[1]] != nil else { throw fault("no line before this one defines \(items[1])") }
                quorum = .some(rules[items[1]])
            default: throw fault("not log <vkey>, witness <name> <vkey>, group <name> <how many> <name>…, or quorum <name>")
            }
        }
        guard let quorum else { throw .malformed(what: "policy", reason: "has no quorum line (quorum none asks for no witness)") }
        self.logs = logs
        self.witnesses = witnesses
        self.quorum = quorum
    }

    /// The witnesses of this policy whose cosignatures under the note hold.
    public func cosigners(of note: SignedNote) -> [VerifierKey] {
        witnesses.filter { key in note.signatures.contains { $0.isValid(by: key, over: note.text) } }
    }

    /// Whether these witnesses are enough.
    public func isSatisfied(by cosigners: [VerifierKey]) -> Bool { quorum?.isMet(by: Set(cosigners)) ?? true }
}
