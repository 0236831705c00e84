internal import AgentEconomyDomain
internal import Decisions
internal import EVM
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import ServiceShell
internal import Web

/// Addresses that principals pay from by x402.
struct WalletRoutes: Sendable {
    let maker: DecisionMaker<EconomyState>

    var routes: [Route] { [link, unlink, list] }

    private var link: Route {
        Route(
            .post, "/v1/wallets", operation: "linkWallet",
            summary: "Links an Ethereum address to the caller: what its key signs is the caller's word for a payment.",
            access: .scope("agents:write"),
            body: .json(
                .object(
                    .required("address", .text(42...42)),
                    .required(
                        "signature", .text(132...132), "By the address over openledger/link-wallet, principal and address, one a line.")
                )), idempotency: .required, replies: [.json(200, "The address.", .any)], problems: EconomyProblems.all
        ) { [maker] context in
            let (address, signature) = try context.decode { json in
                let fields = try json.object()
                return (try fields.id("address"), try fields.id("signature"))
            }
            _ = try await context.decide(maker, WalletRules.link(address, signature: signature))
            let caller = try context.caller.subject
            return .json(["principal": .string(caller), "address": .string(PaymentForms.checksummed(address))])
        }
    }

    private var unlink: Route {
        Route(
            .delete, "/v1/wallets/{address}", operation: "unlinkWallet", summary: "Gives an address up.", access: .scope("agents:write"),
            idempotency: .required, replies: [.empty(204, "It is linked no more.")], problems: EconomyProblems.all
        ) { [maker] context in
            _ = try await context.decide(maker, WalletRules.unlink(context.path["address"]))
            return .noContent
        }
    }

    private var list: Route {
        Route(
            .get, "/v1/wallets", operation: "listWallets", summary: "The caller's addresses, and the one that it is paid at here.",
            access: .authenticated, replies: [.json(200, "Addresses.", .any)]
        ) { [maker] context in
            let caller = try context.caller.subject
            let wallets = try await maker.query { state in state.wallets.filter { $0.value == caller }.keys.sorted() }
            return .json([
                "pay_to": .string(EconomyState.payee(caller).checksummed),
                "wallets": .texts(wallets.map { PaymentForms.checksummed($0) }),
            ])
        }
    }
}
