internal import EVM
internal import BillingDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Web

/// Wallets: where owners' earnings go, changed by signed events.
struct WalletRoutes: Sendable {
    let commands: BillingCommands

    var routes: [Route] { [change, show] }

    private typealias C = BillingCommands
    private static let key: Schema = .text(1...200)

    private var change: Route {
        commands.route(
            "/v1/accounts/wallets", operation: "setWallet",
            summary: "Says, signed, where an owner's earnings go when an epoch closes: the first time, another address, or another key.",
            access: .authenticated,
            body: .object(
                .required("owner", C.id), .required("address", .text(42...42)),
                .required("sequence", .count, "0 for the first one, then one more each time."),
                .required("key", Self.key, "did:key of the Ed25519 key that signs the next change."),
                .optional("recovery", Self.key, "did:key that may sign it instead."),
                .required("signature", Self.key, "Base64url, over the message that docs/billing.md gives."))
        ) { state, ask in
            let owner = try ask.body.id("owner")
            // Later ones are whoever's that has the key: the signature says so.
            guard state.disposes(ask.caller.subject, of: owner) || ask.caller.has("billing:recover") || state.wallet(of: owner) != nil
            else {
                throw Problem(.forbidden, "only \(owner), or whoever has the scope billing:recover, sets this owner's first wallet")
            }
            return try state.setWallet(
                WalletRequest(
                    owner: owner, address: try ask.body.id("address"), sequence: try ask.body.count("sequence"),
                    key: try ask.body.id("key"), recovery: try ask.body.optionalID("recovery"), signature: try ask.body.id("signature")))
        }
    }

    private var show: Route {
        Route(
            .get, "/v1/accounts/wallets", operation: "showWallet", summary: "An owner's wallet, and who signs its next change.",
            access: .authenticated, query: [QueryParameter("owner", C.id, "The owner.", required: true)],
            replies: [
                .json(
                    200, "The wallet.",
                    .object(
                        .required("owner", C.id), .required("address", .text(42...42)), .required("sequence", .count),
                        .required("key", Self.key), .optional("recovery", Self.key)))
            ], problems: [.forbidden, .notFound]
        ) { [commands] context in
            let owner = context.query.string("owner") ?? ""
            let caller = try context.caller
            let isOwn = try await commands.desk.maker.query { $0.disposes(caller.subject, of: owner) }
            guard isOwn || caller.has("billing:read") || caller.has("billing:recover") else {
                throw Problem(.forbidden, "the wallet is \(owner)'s, and the credential has neither scope billing:read nor billing:recover")
            }
            guard let chain = try await commands.desk.maker.query({ $0.wallet(of: owner) }) else {
                throw Problem(.notFound, "\(owner) has no wallet yet: its first change has sequence 0")
            }
            return .json(
                .members([
                    "owner": .string(owner), "address": .string(chain.address.checksummed), "sequence": .count(chain.sequence),
                    "key": .string(chain.key), "recovery": chain.recovery.map { .string($0) },
                ]))
        }
    }
}
