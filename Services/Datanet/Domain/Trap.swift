public import Crypto

/// What binds a trap to a verdict before anybody votes.
public enum TrapCommitment {
    /// SHA-256 of `openledger/trap` LF contribution LF `admit` or `refuse` LF salt.
    public static func make(contribution: String, admit: Bool, salt: String) -> Digest {
        SHA256.hash(utf8: "openledger/trap\n\(contribution)\n\(admit ? "admit" : "refuse")\n\(salt)")
    }
}
