internal import Crypto
public import Decisions
internal import EVM
internal import Events

/// What is decided about the addresses of principals.
public enum WalletRules {
    /// Most addresses of one principal.
    public static let maximum = 20

    /// The text that an address's key signs to show that it is a principal's: `openledger/link-wallet`, the principal and the address, one
    /// a line (EIP-191, personal_sign).
    public static func message(principal: String, address: String) -> String { "openledger/link-wallet\n\(principal)\n\(address)" }

    /// A principal links an address that it holds the key of.
    public static func link(_ address: String, signature: String) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            guard state.parties[context.actor] != nil else { throw EconomyError.notFound("principal \(context.actor): register first") }
            guard let wallet = EVMAddress(address) else {
                throw EconomyError.invalid(field: "address", reason: "must be 0x and 40 hexadecimal digits")
            }
            let text = wallet.description
            guard let bytes = Hex.decode(String(signature.dropFirst(2)).lowercased()), signature.hasPrefix("0x"),
                let parsed = Secp256k1Signature(bytes),
                let key = parsed.signer(of: PersonalMessage.digest(message(principal: context.actor, address: text))),
                EVMAddress(key) == wallet
            else {
                throw EconomyError.invalid(field: "signature", reason: "must be the address's own over the text of the documentation")
            }
            if let owner = state.wallets[text] {
                guard owner == context.actor else { throw EconomyError.wrongState("\(text) is another principal's") }
                return []
            }
            guard state.wallets.values.count(where: { $0 == context.actor }) < maximum else {
                throw EconomyError.wrongState("\(context.actor) has \(maximum) addresses: unlink one first")
            }
            let linked = WalletLinked(principal: context.actor, address: text, signature: "0x" + Hex.encode(parsed.bytes))
            return [NewEvent(linked, stream: try GrantRules.stream("wallet", text))]
        }
    }

    /// A principal gives an address up: what its key signs is its word no more.
    public static func unlink(_ address: String) -> DecisionMaker<EconomyState>.Rule {
        { state, context in
            let text = address.lowercased()
            guard state.wallets[text] == context.actor else { throw EconomyError.notFound("address \(address) of \(context.actor)") }
            return [NewEvent(WalletUnlinked(principal: context.actor, address: text), stream: try GrantRules.stream("wallet", text))]
        }
    }
}
