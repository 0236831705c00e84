internal import BillingDomain
internal import Crypto
internal import Events
internal import Money

/// A way on which money leaves. What is on its way stands on the log; a rail brings it to its destination and says what came of it.
protocol PaymentRail: Sendable {
    /// What payouts and deposits call it.
    static var name: String { get }
}

/// A rail that is worked by people: payouts are taken out as a file for the bank, and each is finished by hand.
struct BankRail: PaymentRail {
    static let name = "bank"

    /// The payouts on their way, one a line: id, amount in major units, currency, commitment to the destination.
    static func file(_ payouts: [PayoutRequested]) -> String {
        payouts.reduce(into: "payout,amount,currency,destination\r\n") { text, payout in
            text += "\(payout.id),\(payout.amount.decimal),\(payout.amount.asset.code),\(payout.destination.prefixed)\r\n"
        }
    }
}

/// A rail to try things with: every payout arrives at once.
struct SandboxRail: PaymentRail {
    static let name = "sandbox"

    func finish(_ state: BillingState) throws(BillingError) -> Decision {
        var decision = Decision.nothing
        for payout in state.payouts(on: Self.name).prefix(100) {
            decision.append(try state.finishPayout(payout.id, paid: true, reference: "sandbox-" + payout.id))
        }
        return decision
    }
}
