/// Why a signed payment is not taken. Each has the code that x402 has for it, or one made like those where x402 has none.
public enum PaymentError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The signature is not the payer's over what is claimed.
    case signature(scheme: String)
    /// It holds no more.
    case expired(scheme: String)
    /// It does not hold yet.
    case early(scheme: String)
    /// The amount is not what is asked for.
    case amount(scheme: String, asked: String, signed: String)
    /// It pays somebody else.
    case recipient(scheme: String)
    /// Its nonce was used, for the same thing or another.
    case used(scheme: String)
    /// The payer's name for it stands for another payment.
    case named(String)
    /// It is for a chain that is not spoken of here.
    case network(String)
    /// It is for a token that is not taken here.
    case asset(String)
    /// Not a scheme that is taken there.
    case scheme(String)
    /// Not a version of x402 that is spoken here.
    case version
    /// Its members are not what they must be.
    case malformed(String)
    /// Who may say how much is not this house.
    case facilitator
    /// The address is nobody's here.
    case unknownPayer(String)
    /// Who would be paid is nobody here.
    case unknownPayee(String)
    /// There is not so much.
    case insufficient(String)
    /// The payer's mandates do not allow it; the code says which way.
    case mandate(code: String, String)
    /// What was offered is not what is paid for.
    case terms(String)
    /// The chain did not carry it out.
    case transaction(String)

    /// x402's code.
    public var code: String {
        switch self {
        case .signature("upto"): "invalid_permit2_signature"
        case .signature: "invalid_exact_evm_payload_signature"
        case .expired("upto"): "permit2_deadline_expired"
        case .expired: "invalid_exact_evm_payload_authorization_valid_before"
        case .early("upto"): "permit2_not_yet_valid"
        case .early: "invalid_exact_evm_payload_authorization_valid_after"
        case .amount("upto", _, _): "invalid_upto_evm_payload_settlement_exceeds_amount"
        case .amount: "invalid_exact_evm_payload_authorization_value_mismatch"
        case .recipient("upto"): "invalid_permit2_recipient_mismatch"
        case .recipient: "invalid_exact_evm_payload_recipient_mismatch"
        case .used("upto"): "permit2_nonce_already_used"
        case .used: "invalid_exact_evm_nonce_already_used"
        case .named: "payment_identifier_conflict"
        case .network: "network_mismatch"
        case .asset: "invalid_payment_requirements"
        case .scheme: "unsupported_scheme"
        case .version: "invalid_x402_version"
        case .malformed: "invalid_payload"
        case .facilitator: "upto_facilitator_mismatch"
        case .unknownPayer: "unknown_payer"
        case .unknownPayee: "unknown_payee"
        case .insufficient: "insufficient_funds"
        case .mandate(let code, _): code
        case .terms: "invalid_payment_requirements"
        case .transaction: "transaction_failed"
        }
    }

    /// A mandate's refusal, each kind with its own code; nil for an error that is no mandate's: that says nothing of the payment.
    public static func refusal(_ error: EconomyError) -> PaymentError? {
        switch error {
        case .notLive: .mandate(code: "mandate_ended", error.description)
        case .exceeds: .mandate(code: "mandate_exceeded", error.description)
        case .needsApproval: .mandate(code: "approval_needed", error.description)
        case .notAllowed, .forbidden: .mandate(code: "mandate_refuses", error.description)
        case .notFound, .invalid, .wrongState, .badSignature, .money: nil
        }
    }

    /// The reason in one line, with what to do.
    public var description: String {
        switch self {
        case .signature: "the signature is not that of the payer over this payment"
        case .expired: "the payment has run out: sign another"
        case .early: "the payment does not hold yet"
        case .amount(_, let asked, let signed): "\(asked) is asked for, \(signed) was signed"
        case .recipient: "the payment is to another address than is asked for"
        case .used: "the nonce was used: ask GET /x402/payments what came of it"
        case .named(let name): "the payment-identifier \(name) stands for another payment"
        case .network(let network): "payments on \(network) are not taken here: GET /x402/supported says which are"
        case .asset(let asset): "the token \(asset) is not taken here"
        case .scheme(let scheme): "the scheme \(scheme) is not taken for this"
        case .version: "x402Version must be 1 or 2"
        case .malformed(let what): what
        case .facilitator: "the permit is for another facilitator"
        case .unknownPayer(let address): "\(address) is nobody's here: link it by POST /v1/wallets"
        case .unknownPayee(let address): "\(address) is no address of a principal here"
        case .insufficient(let what): what
        case .mandate(_, let why): why
        case .terms(let what): what
        case .transaction(let what): what
        }
    }
}
