internal import BillingDomain
internal import Decisions
internal import Events
internal import HTTP
internal import JSON
internal import Money
internal import Web

/// Payments that the gateway has taken up: money goes from one payer's account to another's at once, without a holdback.
struct PaymentRoutes: Sendable {
    let commands: BillingCommands

    var routes: [Route] {
        [
            commands.route(
                "/v1/accounts/payments", operation: "makePayment", summary: "Moves money for a payment that its payer has signed.",
                access: .scope("billing:pay"),
                body: .object(
                    .required("payer", BillingCommands.account), .required("payee", BillingCommands.account),
                    .required("amount", BillingCommands.amount),
                    .required("payment", BillingCommands.id, "It stands in the entry's reason."))
            ) { state, ask in
                let amount = try ask.body.amount("amount")
                let payer = try ask.body.account("payer")
                guard amount.isPositive, payer.accountKind == .payer else {
                    throw Problem(.unprocessable, "a payment is above zero and from a payer's account", field: "#/amount")
                }
                return try state.transfer(
                    id: ask.context.newID("tr"),
                    [
                        Posting(account: payer, amount: Amount(-amount.units, amount.asset)),
                        Posting(account: try ask.body.account("payee"), amount: amount),
                    ], reason: "payment:" + (try ask.body.id("payment")))
            }
        ]
    }
}
