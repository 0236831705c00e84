public import Events

/// The texts that people sign with a key to show that it is theirs. Each begins with what it is for, so that a signature for one thing
/// is good for nothing else.
public enum ProofMessages {
    /// To register: `openledger/register` LF kind LF did:key LF owner, which is empty for who belongs to nobody.
    public static func registration(kind: String, key: String, owner: String?) -> [UInt8] {
        Array("openledger/register\n\(kind)\n\(key)\n\(owner ?? "")".utf8)
    }

    /// To sign in: `openledger/sign-in` LF principal LF did:key LF time.
    public static func signIn(principal: String, key: String, time: Timestamp) -> [UInt8] {
        Array("openledger/sign-in\n\(principal)\n\(key)\n\(time)".utf8)
    }

    /// To link a key, signed by the key that is linked: `openledger/link-key` LF principal LF did:key.
    public static func linking(principal: String, key: String) -> [UInt8] { Array("openledger/link-key\n\(principal)\n\(key)".utf8) }

    /// To take over a principal whose keys are lost, signed by the new key: `openledger/recover` LF principal LF did:key.
    public static func recovery(principal: String, key: String) -> [UInt8] { Array("openledger/recover\n\(principal)\n\(key)".utf8) }

    /// How far the time of a sign-in may be from the gateway's, in microseconds.
    public static let leeway: Int64 = 120_000_000
}
