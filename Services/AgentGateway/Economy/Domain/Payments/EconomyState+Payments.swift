public import EVM
public import Events
internal import Money

extension EconomyState {
    /// The address by which a principal is paid on this house's own network: it follows from the principal's id and is no key's, so nobody
    /// else's payment can be meant.
    public static func payee(_ principal: String) -> EVMAddress { EVMAddress(naming: "openledger/payee\n" + principal) }

    /// The payment that a signed word was taken up as.
    public func payment(_ word: PaymentWord) -> Payment? { paymentsByKey[Payment.key(word)].flatMap { payments[$0] } }

    /// The payment of a payer's nonce, whatever its scheme, on a chain.
    public func payment(chain: Int, from: String, nonce: String) -> Payment? {
        payment(chain: chain, scheme: "exact", from: from, nonce: nonce) ?? payment(chain: chain, scheme: "upto", from: from, nonce: nonce)
    }

    /// The payment of a payer's nonce under a scheme.
    public func payment(chain: Int, scheme: String, from: String, nonce: String) -> Payment? {
        paymentsByKey["\(chain)/\(from)/\(scheme)/\(nonce)"].flatMap { payments[$0] }
    }

    /// The payment that a payer named so.
    public func payment(from: String, identifier: String) -> Payment? { paymentsByName["\(from)/\(identifier)"].flatMap { payments[$0] } }

    mutating func apply(_ data: WalletLinked) throws {
        guard wallets[data.address] == nil else {
            throw EconomyError.invalid(field: "address", reason: "\(data.address) is linked already")
        }
        wallets[data.address] = data.principal
    }

    mutating func apply(_ data: PaymentOpened) throws {
        guard payments[data.payment] == nil, paymentsByKey[Payment.key(data.word)] == nil else {
            throw EconomyError.invalid(field: "payment", reason: "\(data.payment) is there already")
        }
        payments[data.payment] = Payment(data)
        paymentsByKey[Payment.key(data.word)] = data.payment
        openPayments.insert(data.payment)
        if let authorization = data.authorization {
            authorizedPayments[authorization] = data.payment
            // Billing's hold for a purchase was placed before there was an authorisation that it could name.
            if let hold = data.hold {
                holds[authorization] = hold
                holdReferences[hold] = authorization
            }
        }
        if let identifier = data.identifier { paymentsByName["\(data.word.from)/\(identifier)"] = data.payment }
    }

    mutating func apply(_ data: PaymentDelivered) throws {
        guard payments[data.payment]?.awaitsDelivery == true else {
            throw EconomyError.wrongState("the payment \(data.payment) waits for no delivery")
        }
        payments[data.payment]?.delivered = data
    }

    mutating func apply(_ data: PaymentSent) { payments[data.payment]?.transaction = data.transaction }

    mutating func apply(_ data: PaymentSettled) throws {
        guard openPayments.remove(data.payment) != nil else { throw EconomyError.wrongState("the payment \(data.payment) is not open") }
        payments[data.payment]?.status = .settled
        payments[data.payment]?.transaction = data.transaction
        payments[data.payment]?.settled = data
        paymentTransfers[data.payment] = nil
        forgetAuthorization(of: data.payment)
        if let hold = payments[data.payment]?.data.hold { forget(hold: hold) }
    }

    mutating func apply(_ data: PaymentFailed) throws {
        guard openPayments.remove(data.payment) != nil else { throw EconomyError.wrongState("the payment \(data.payment) is not open") }
        payments[data.payment]?.status = .failed
        payments[data.payment]?.reason = data.reason
        stoppedPayments[data.payment] = nil
        forgetAuthorization(of: data.payment)
    }

    private mutating func forgetAuthorization(of payment: String) {
        if let authorization = payments[payment]?.data.authorization { authorizedPayments[authorization] = nil }
    }

    /// What the reason of a transfer begins with that is made for a payment.
    public static let transferReason = "payment:"

    /// Billing has moved the money.
    mutating func learn(_ data: JournalPosted, at position: UInt64?) {
        guard data.reason.hasPrefix(Self.transferReason), data.reverses == nil, case .entries(let postings) = data.postings,
            let debit = postings.first(where: { $0.amount.isNegative }), let credit = postings.first(where: { $0.amount.isPositive })
        else { return }
        let payment = String(data.reason.dropFirst(Self.transferReason.count))
        if debit.account.text.hasPrefix("payer:"), credit.account.text.hasPrefix("payer:") {
            flow(
                String(debit.account.text.dropFirst(6)), String(credit.account.text.dropFirst(6)), credit.amount, at: position)
        }
        if payments[payment]?.status == .settled { return }
        paymentTransfers[payment] = PaymentTransfer(id: data.id, from: debit.account, to: credit.account, amount: credit.amount)
    }
}
