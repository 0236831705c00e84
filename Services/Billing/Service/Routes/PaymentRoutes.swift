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
                    .required("payment", BillingCommands.id, "It stands in the entry's reason."),
                    .optional("hold", BillingCommands.id, "The hold that was placed for it: it ends with the payment."))
            ) { state, ask in
                let amount = try ask.body.amount("amount")
                let payer = try ask.body.account("payer")
                guard amount.isPositive, payer.accountKind == .payer else {
                    throw Problem(.unprocessable, "a payment is above zero and from a payer's account", field: "#/amount")
                }
                let postings = [
                    Posting(account: payer, amount: Amount(-amount.units, amount.asset)),
                    Posting(account: try ask.body.account("payee"), amount: amount),
                ]
                let reason = "payment:" + (try ask.body.id("payment"))
                let id = ask.context.newID("tr")
                guard let hold = try ask.body.optionalID("hold") else { return try state.transfer(id: id, postings, reason: reason) }
                return try state.pay(id: id, postings, reason: reason, hold: hold)
            }
        ]
    }
}
