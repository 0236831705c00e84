internal import BillingDomain
internal import Crypto
internal import Decisions
internal import EVM
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import Web

/// Payout epochs, claims with their proofs, and proofs of liabilities.
struct EpochRoutes: Sendable {
    let commands: BillingCommands

    var routes: [Route] { [close, dump, liability, proof, claim] }

    private typealias C = BillingCommands
    private static let assetQuery = QueryParameter("asset", C.asset, "The asset.", required: true)

    private var close: Route {
        commands.route(
            "/v1/epochs", operation: "closeEpoch", summary: "Closes an epoch: what owners with wallets have is theirs to claim.",
            access: .scope("billing:epoch"), body: .object(.required("asset", C.asset))
        ) { state, ask in try state.closeEpoch(try ask.body.asset("asset")) }
    }

    private func epoch(_ context: RequestContext) async throws -> ClosedEpoch {
        let asset = try context.query.asset()
        guard let epoch = try await commands.desk.maker.query({ $0.epoch(asset) }) else {
            throw Problem(.notFound, "no epoch in \(asset) has been closed")
        }
        return epoch
    }

    private var dump: Route {
        Route(
            .get, "/v1/epochs/tree", operation: "epochTree",
            summary: "The last closed epoch's tree in OpenZeppelin's StandardMerkleTree format (standard-v1).", access: .public,
            query: [Self.assetQuery], replies: [.json(200, "The dump.", .any)], problems: [.notFound]
        ) { context in
            let epoch = try await epoch(context)
            guard let tree = StandardMerkleTree(epoch.leaves) else { throw Problem(.notFound, "the epoch pays nobody") }
            let values = zip(tree.values, tree.places).map { leaf, place -> JSONValue in
                ["value": .texts([leaf.address.checksummed, String(leaf.cumulative)]), "treeIndex": .count(place)]
            }
            return .json([
                "format": "standard-v1", "leafEncoding": .texts(["address", "uint256"]),
                "tree": .texts(tree.nodes.map { "0x" + Hex.encode($0) }), "values": .array(values),
            ])
        }
    }

    private var proof: Route {
        Route(
            .get, "/v1/claims", operation: "claimProof", summary: "What a wallet can claim by the last closed epoch's root, and the proof.",
            access: .public, query: [Self.assetQuery, QueryParameter("address", .text(42...42), "The wallet.", required: true)],
            replies: [.json(200, "The claim.", .any)], problems: [.notFound]
        ) { context in
            let epoch = try await epoch(context)
            guard let address = EVMAddress(context.query.string("address") ?? ""), let tree = StandardMerkleTree(epoch.leaves),
                let index = tree.values.firstIndex(where: { $0.address == address })
            else { throw Problem(.notFound, "the last epoch has nothing for this wallet") }
            return .json([
                "epoch": .count(epoch.number), "root": .string(tree.rootText), "address": .string(address.checksummed),
                "cumulative": .string(String(tree.values[index].cumulative)),
                "proof": .texts(tree.proof(of: index).map { "0x" + Hex.encode($0) }),
            ])
        }
    }

    private var claim: Route {
        commands.route(
            "/v1/claims", operation: "recordClaim", summary: "Books that a wallet was paid by the distributor.",
            access: .scope("billing:epoch"),
            body: .object(
                .required("address", .text(42...42)), .required("cumulative", C.amount), .required("transaction", C.id))
        ) { state, ask in
            let cumulative = try ask.body.amount("cumulative")
            return try state.claim(
                cumulative.asset, address: try ask.body.id("address"), cumulative: cumulative, transaction: try ask.body.id("transaction"))
        }
    }

    private var liability: Route {
        Route(
            .get, "/v1/epochs/liabilities", operation: "liabilityProof",
            summary: "The proof that an account's balance is counted in what the last closed epoch said is owed.", access: .authenticated,
            query: [Self.assetQuery, QueryParameter("account", C.account, "The account.", required: true)],
            replies: [.json(200, "The balance and the way to the root.", .any)], problems: [.forbidden, .notFound]
        ) { context in
            guard let account = AccountID(context.query.string("account") ?? "") else {
                throw Problem(.badQuery, "is no account", field: "account")
            }
            try context.mayRead(account)
            let epoch = try await epoch(context)
            guard let tree = LiabilityTree(epoch.liabilities), let proof = tree.proof(of: account),
                let leaf = tree.liabilities.first(where: { $0.account == account })
            else { throw Problem(.notFound, "the account had no balance when the epoch closed") }
            return .json([
                "epoch": .count(epoch.number), "balance": .string(String(leaf.units)),
                "root": ["hash": .digest(tree.root.hash), "sum": .string(String(tree.root.sum))],
                "proof": .array(
                    proof.map { ["hash": .digest($0.node.hash), "sum": .string(String($0.node.sum)), "left": .bool($0.isLeft)] }),
            ])
        }
    }
}
