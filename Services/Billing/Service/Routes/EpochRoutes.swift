internal import BillingDomain
internal import Crypto
internal import Decisions
internal import EVM
internal import EventLog
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import Web

/// Payout epochs, the last one and those before it; claims with their proofs, and proofs of liabilities.
struct EpochRoutes: Sendable {
    let commands: BillingCommands
    let reader: JournalReader
    let milestones: MilestoneReader
    let log: any LogClient
    let proofs: ReceiptProofs
    private let trees = TreeCache()

    init(
        commands: BillingCommands, reader: JournalReader, milestones: MilestoneReader, log: any LogClient, proofs: ReceiptProofs
    ) {
        self.commands = commands
        self.reader = reader
        self.milestones = milestones
        self.log = log
        self.proofs = proofs
    }

    var routes: [Route] { [close, list, dump, liability, holdings, proof, claim] }

    private typealias C = BillingCommands
    private static let assetQuery = QueryParameter("asset", C.asset, "The asset.", required: true)
    private static let epochQuery = QueryParameter("epoch", .integer(1...1_000_000), "Its number; the last closed one when left out.")

    private var close: Route {
        commands.route(
            "/v1/epochs", operation: "closeEpoch", summary: "Closes an epoch: what owners with wallets have is theirs to claim.",
            access: .scope("billing:epoch"), body: .object(.required("asset", C.asset))
        ) { state, ask in try state.closeEpoch(try ask.body.asset("asset")) }
    }

    private var list: Route {
        Route(
            .get, "/v1/epochs", operation: "listEpochs", summary: "The closed epochs of an asset with their roots, the first one first.",
            access: .public, query: Page.parameters(limit: 1...1_000) + [Self.assetQuery],
            replies: [.json(200, "A page of epochs.", Page.schema(.any, atMost: 1_000))], problems: []
        ) { [commands] context in
            let asset = try context.query.asset()
            let page = Page(context)
            let codec = CursorCodec(list: "epochs")
            let after = try page.cursor.map { Int(try codec.decode($0).first ?? "") ?? 0 } ?? 0
            let all = try await commands.desk.maker.query { $0.pastEpochs(asset) }
            let shown = all.dropFirst(after).prefix(page.limit)
            let items = shown.map { past -> JSONValue in
                [
                    "epoch": .count(past.number), "root": .string(past.root), "wallets": .count(past.wallets),
                    "cumulative": past.cumulative.json, "liabilities_root": .digest(past.liabilitiesRoot),
                    "liabilities": past.liabilities.json, "accounts": .count(past.accounts),
                ]
            }
            return page.response(items, next: after + items.count < all.count ? codec.encode([String(after + items.count)]) : nil)
        }
    }

    /// An epoch as it is asked for, with the wallets' tree.
    private func closedTree(_ context: RequestContext) async throws -> (number: Int, wallets: TreeCache.Wallets) {
        let asset = try context.query.asset()
        let wanted = context.query.integer("epoch")
        let last = try await commands.desk.maker.query { $0.epoch(asset)?.number ?? 0 }
        let number = wanted ?? last
        // What is closed changes no more.
        if let wallets = trees.wallets(asset, number) { return (number, wallets) }
        guard let leaves = try await commands.desk.maker.query({ $0.leaves(asset, epoch: number) }) else {
            throw Self.notClosed(asset, wanted)
        }
        guard let tree = StandardMerkleTree(leaves) else { throw Problem(.notFound, "the epoch pays nobody") }
        let wallets = TreeCache.Wallets(tree)
        trees.keep(wallets, asset, number)
        return (number, wallets)
    }

    private static func notClosed(_ asset: Asset, _ epoch: Int?) -> Problem {
        Problem(.notFound, epoch.map { "epoch \($0) in \(asset) has not been closed" } ?? "no epoch in \(asset) has been closed")
    }

    private var dump: Route {
        Route(
            .get, "/v1/epochs/tree", operation: "epochTree",
            summary: "A closed epoch's tree in OpenZeppelin's StandardMerkleTree format (standard-v1).", access: .public,
            query: [Self.assetQuery, Self.epochQuery], replies: [.json(200, "The dump.", .any)], problems: [.notFound]
        ) { context in
            let tree = try await closedTree(context).wallets.tree
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
            .get, "/v1/claims", operation: "claimProof", summary: "What a wallet can claim by a closed epoch's root, and the proof.",
            access: .public,
            query: [Self.assetQuery, Self.epochQuery, QueryParameter("address", .text(42...42), "The wallet.", required: true)],
            replies: [.json(200, "The claim.", .any)], problems: [.notFound]
        ) { context in
            let (number, wallets) = try await closedTree(context)
            let tree = wallets.tree
            guard let address = EVMAddress(context.query.string("address") ?? ""), let index = wallets.place(address) else {
                throw Problem(.notFound, "epoch \(number) has nothing for this wallet")
            }
            return .json([
                "epoch": .count(number), "root": .string(tree.rootText), "address": .string(address.checksummed),
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
            summary: "The proof that an account's balance is counted in what a closed epoch said is owed.", access: .authenticated,
            query: [Self.assetQuery, Self.epochQuery, QueryParameter("account", C.account, "The account.", required: true)],
            replies: [.json(200, "The balance and the way to the root.", .any)], problems: [.forbidden, .notFound, .unavailable]
        ) { context in
            guard let account = AccountID(context.query.string("account") ?? "") else {
                throw Problem(.badQuery, "is no account", field: "account")
            }
            try await context.mayRead(account, commands)
            let (number, tree) = try await liabilities(context)
            guard let proof = tree.proof(of: account), let leaf = tree.liabilities.first(where: { $0.account == account })
            else { throw Problem(.notFound, "the account had no balance when epoch \(number) closed") }
            return .json([
                "epoch": .count(number), "balance": .string(String(leaf.units)),
                "root": ["hash": .digest(tree.root.hash), "sum": .string(String(tree.root.sum))],
                "proof": .array(proof.map(\.json)),
            ])
        }
    }

    private var holdings: Route {
        Route(
            .get, "/v1/epochs/liabilities/proof", operation: "holderProof",
            summary:
                "A file that proves offline that all a holder had, available, pending and staked, is counted in what a closed epoch said is owed.",
            access: .authenticated,
            query: [
                Self.assetQuery, Self.epochQuery,
                QueryParameter("holder", C.id, "Whose accounts; the caller's own when left out."),
            ],
            replies: [.json(200, "The file; openledger verify checks it.", .any)], problems: [.forbidden, .notFound, .unavailable]
        ) { [commands, milestones, log, proofs] context in
            let caller = try context.caller
            let holder = context.query.string("holder") ?? caller.subject
            let isOwn = try await commands.desk.maker.query { $0.disposes(caller.subject, of: holder) }
            guard isOwn || caller.has("billing:read") else {
                throw Problem(.forbidden, "\(holder) is not \(caller.subject), and the credential has no scope billing:read")
            }
            let asset = try context.query.asset()
            let (number, tree) = try await liabilities(context)
            guard let position = try await milestones.last(PayoutEpochClosed.type, Milestone.epoch(asset.text, number)),
                let event = try await log.read(from: UInt64(position), limit: 1, wait: nil).events.first, event.position == position
            else { throw Self.notYet(number) }
            let (note, checkpoint, _) = try await proofs.checkpoint(covering: position)
            guard let proven = try await proofs.prove([event], under: checkpoint).first,
                let proof = LiabilityProof(
                    holder: holder, asset: asset, epoch: number, tree: tree, checkpoint: note, event: proven)
            else { throw Problem(.notFound, "\(holder) had no balance when epoch \(number) closed") }
            // What does not hold is not handed out.
            _ = try proof.check(under: checkpoint)
            return .json(proof.json)
        }
    }

    private static func notYet(_ epoch: Int) -> Problem {
        Problem(.unavailable, "the entries up to epoch \(epoch) are not all there yet: try again in a moment")
    }

    /// The tree of what the accounts were owed: the last epoch's is at hand, those before it are made from the entries up to them.
    private func liabilities(_ context: RequestContext) async throws -> (number: Int, tree: LiabilityTree) {
        let asset = try context.query.asset()
        let wanted = context.query.integer("epoch")
        let (last, past) = try await commands.desk.maker.query { state in (state.epoch(asset), state.pastEpochs(asset)) }
        guard let last, wanted ?? last.number <= last.number else { throw Self.notClosed(asset, wanted) }
        let number = wanted ?? last.number
        if let tree = trees.liabilities(asset, number) { return (number, tree) }
        if number == last.number, let tree = LiabilityTree(last.liabilities) {
            trees.keep(tree, asset, number)
            return (number, tree)
        }
        guard let position = try await milestones.last(PayoutEpochClosed.type, Milestone.epoch(asset.text, number)),
            let tree = LiabilityTree(try await reader.liabilities(asset, at: position)),
            tree.root.hash == past[number - 1].liabilitiesRoot
        else { throw Self.notYet(number) }
        trees.keep(tree, asset, number)
        return (number, tree)
    }
}
