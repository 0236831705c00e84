internal import Crypto
internal import Identity

/// The name of an answer that was asked for under its caller's own name for it: the log takes no second answer of one name.
public enum NamedQuestion {
    /// The inference of a question.
    /// - Parameters:
    ///   - issuer: of the credential that it was asked with.
    ///   - subject: who asks.
    ///   - key: the caller's name for it.
    public static func inference(issuer: String, subject: String, key: String) -> String {
        inference(command: CommandID.make(issuer: issuer, subject: subject, key: key))
    }

    /// The inference of a question that is this command.
    public static func inference(command: String) -> String {
        "in_" + Hex.encode(Array(SHA256.hash(utf8: "openledger/question\n" + command).bytes.prefix(16)))
    }

    /// Who issues the credential that sellers are asked with, and the key of what is asked for a payment.
    public static let sellers = "openledger"

    /// The key that a payment's answer is asked for under.
    public static func key(of payment: String) -> String { "x402-" + payment }

    /// The answer that a payment buys, which is asked for in its payee's name.
    public static func inference(for payment: String, payee: String) -> String {
        inference(issuer: sellers, subject: payee, key: key(of: payment))
    }
}
