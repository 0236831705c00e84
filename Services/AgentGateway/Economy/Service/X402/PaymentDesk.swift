internal import AgentEconomyDomain
internal import Crypto
internal import Decisions
internal import EVM
internal import Events
internal import JSON
internal import Money
internal import ServiceShell
internal import Telemetry

/// Checks signed payments, takes them up, and makes them: by billing, or on a chain. Each step is named by the payment, so what was
/// interrupted is taken up again and nothing is paid twice.
struct PaymentDesk: Sendable {
    let maker: DecisionMaker<EconomyState>
    let peers: Peers
    let networks: PaymentNetworks
    let writings: EconomyWritings
    let chain: ChainDesk?
    let clock: @Sendable () -> Timestamp
    let logger: Logger
    let inHand = PaymentsInHand()

    /// A payment that fits the terms and is its payer's.
    struct Checked: Sendable {
        let signed: SignedWord
        var wish: PaymentRules.Wish
        let terms: PaymentTerms
        var network: String { PaymentNetworks.name(terms.chain) }
    }

    // MARK: Checking

    /// What can be seen without asking anybody: the terms, the signature, the time.
    /// - Parameter payee: who is paid here for what a chain pays to this house.
    func check(_ payment: SignedPayment, _ terms: PaymentTerms, payee: String? = nil, service: String? = nil) throws -> Checked {
        guard payment.scheme == terms.scheme else { throw PaymentError.scheme(payment.scheme) }
        guard let chain = PaymentNetworks.chain(payment.network), chain == terms.chain else { throw PaymentError.network(payment.network) }
        if let accepted = payment.accepted {
            guard accepted.asset == terms.asset, accepted.payTo == terms.payTo else {
                throw PaymentError.terms("accepted is not what is asked for")
            }
        }
        var terms = terms
        let asset: Asset
        let means: String
        if chain == networks.chain {
            guard let known = networks.asset(at: terms.asset.description) else { throw PaymentError.asset(terms.asset.description) }
            guard terms.scheme == "exact" || terms.scheme == "upto" else { throw PaymentError.scheme(terms.scheme) }
            (asset, means) = (known, "transfer")
            (terms.name, terms.version) = (known.text, PaymentNetworks.version)
        } else if let token = networks.token, chain == token.chain {
            guard terms.asset == token.address else { throw PaymentError.asset(terms.asset.description) }
            guard terms.scheme == "exact" else { throw PaymentError.scheme(terms.scheme) }
            (asset, means) = (token.asset, "chain")
            (terms.name, terms.version) = (token.name, token.version)
        } else {
            throw PaymentError.network(payment.network)
        }
        let signed = try SignedWord(payment.word(for: terms))
        guard signed.to == terms.payTo else { throw PaymentError.recipient(scheme: terms.scheme) }
        if terms.scheme == "upto", signed.word.facilitator != networks.facilitator.description { throw PaymentError.facilitator }
        guard let units = Int128(terms.amount), units > 0 else { throw PaymentError.malformed("the amount must be above zero") }
        guard let most = signed.value.number, terms.scheme == "exact" ? most == UInt128(units) : most >= UInt128(units) else {
            throw PaymentError.amount(scheme: terms.scheme, asked: terms.amount, signed: signed.word.value)
        }
        guard signed.isSigned else { throw PaymentError.signature(scheme: terms.scheme) }
        let wish = PaymentRules.Wish(
            word: signed.word, means: means, amount: Amount(units, asset), payee: payee, service: service,
            identifier: try payment.identifier, mandate: payment.mandate, approval: payment.approval)
        return Checked(signed: signed, wish: wish, terms: terms)
    }

    /// Whether it would be taken up now: nothing is changed.
    /// - Returns: whose account pays; nil for what a chain pays.
    @discardableResult
    func verify(_ checked: Checked) async throws -> String? {
        let now = clock()
        let wish = checked.wish
        let opened = try await maker.query { state -> PaymentOpened? in
            let context = DecisionContext(
                time: now, logTime: state.lastTime, cause: .command(id: "verify", digest: SHA256.hash(utf8: "verify")),
                actor: state.wallets[wish.word.from] ?? "")
            return try PaymentRules.open(wish)(state, context).first.map { try PaymentOpened($0.data.object()) }
        }
        if wish.means == "chain" {
            try await mayCarryOut(checked)
            try await checkChain(checked.signed)
        } else if wish.means == "transfer", let source = opened?.source {
            try await covers(source, wish.amount)
        }
        // Nothing is taken for who could not be given it.
        if wish.means != "task", let payee = opened?.payee, try await available(payee, wish.amount.asset) == nil {
            throw PaymentError.unknownPayee("\(payee), who has no account in \(wish.amount.asset),")
        }
        return wish.means == "transfer" ? opened?.source : nil
    }

    private func checkChain(_ signed: SignedWord) async throws {
        do { try await chain?.check(signed) } catch let trouble as ChainNode.Trouble { throw Self.unavailable("\(trouble)") }
    }

    /// Gas is this house's: it is spent for what is bought here, and for principals that are here.
    private func mayCarryOut(_ checked: Checked) async throws {
        if checked.wish.payee != nil { return }
        let to = checked.signed.to.description
        guard try await maker.query({ $0.wallets[to] != nil }) else { throw PaymentError.unknownPayee(to) }
    }

    private func covers(_ payer: String, _ amount: Amount) async throws {
        guard let units = try await available(payer, amount.asset) else { throw PaymentError.insufficient("\(payer) has no account") }
        guard units >= amount.units else { throw PaymentError.insufficient("the balance of \(payer) does not cover \(amount)") }
    }

    /// What a principal can spend; nil without an account in the asset.
    private func available(_ principal: String, _ asset: Asset) async throws -> Int128? {
        let account: JSONValue
        do { account = try await peers.call("GET", .billing, "/v1/accounts/payer:" + principal) } catch let error as PeerError {
            if error.status == 404 { return nil }
            throw Self.unavailable("\(error)")
        }
        let available = account["assets"]?.arrayValue?.lazy.compactMap { $0["available"] }.first {
            $0["asset"]?.stringValue == asset.text
        }
        return available?["amount"]?.stringValue.flatMap { Int128($0) }
    }

    // MARK: Reserving

    /// How long what is bought may take, in seconds.
    static let making: Int64 = 900

    /// Holds what a purchase can cost on its payer's balance until what is bought is there, so that nobody makes it for nothing.
    /// - Returns: billing's hold.
    func reserve(_ wish: PaymentRules.Wish, from source: String) async throws -> String {
        do {
            let placed = try await peers.call(
                "POST", .billing, "/v1/holds",
                json: ["account": .string("payer:" + source), "amount": wish.amount.json, "seconds": .int(Self.making)],
                key: "x402-hold-" + SHA256.hash(utf8: Payment.key(wish.word)).hex)
            guard let id = placed["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue else {
                throw Self.unavailable("billing gave no hold")
            }
            return id
        } catch let error as PeerError where [402, 403, 404, 409, 422].contains(error.status) {
            throw PaymentError.insufficient("the balance of \(source) does not cover \(wish.amount)")
        } catch let error as PeerError { throw Self.unavailable("\(error)") }
    }

    /// Sets a reservation free; one that can't be runs out by itself.
    func release(_ hold: String?) async {
        guard let hold else { return }
        do {
            _ = try await peers.call(
                "POST", .billing, "/v1/holds/\(hold)/release", json: .object(JSONObject()), key: "x402-release-" + hold)
        } catch { logger.warning("a hold could not be released; it runs out by itself: \(error)", ["hold": .string(hold)]) }
    }

    /// Says what was delivered for a payment, and what that takes.
    func deliver(_ id: String, _ delivery: Digest, _ amount: Amount, correlation: String) async throws {
        _ = try await decide(id, "deliver", correlation, PaymentRules.deliver(id, delivery, amount))
    }

    static func unavailable(_ why: String) -> PaymentTrouble { PaymentTrouble(why: why) }

    // MARK: Paying

    /// Takes a payment up and makes it. The same again gives what came of it; its nonce for something else is refused.
    func settle(_ checked: Checked, correlation: String) async throws -> Payment {
        if checked.wish.means == "chain" {
            try await mayCarryOut(checked)
            // What the chain refuses now would stay open until its time is over.
            let word = checked.wish.word
            if try await maker.query({ $0.payment(word) == nil }) { try await checkChain(checked.signed) }
        }
        let id = try await open(checked, correlation: correlation)
        return try await drive(id, correlation: correlation)
    }

    /// - Returns: the payment's id.
    func open(_ checked: Checked, correlation: String) async throws -> String {
        var wish = checked.wish
        let word = wish.word
        let known = try await maker.query { $0.payment(word) }
        if let known {
            guard known.data.word.unsigned == word.unsigned, known.data.service == wish.service, known.data.amount == wish.amount else {
                throw PaymentError.used(scheme: wish.word.scheme)
            }
            return known.data.payment
        }
        // The log is public, and the signature is what opens the door: it is kept sealed.
        if let signature = word.signature {
            wish.signature = try await writings.put(Array(signature.utf8), by: Self.keeper, as: "x402-signature:" + Payment.key(word))
        }
        let name = "x402-" + SHA256.hash(utf8: Payment.key(wish.word)).hex
        let same = SHA256.hash(try JSON.canonical(.members(["word": word.unsigned.json, "service": wish.service.map { .string($0) }])))
        let actor = try await maker.query { $0.wallets[word.from] } ?? Service.agentGateway.rawValue
        let rule = PaymentRules.open(wish)
        do {
            let outcome = try await maker.decide(
                .command(id: name, digest: same), actor: actor, correlation: correlation, rule)
            return try outcome.first(PaymentOpened.self).payment
        } catch DecisionError.conflict { throw PaymentError.used(scheme: wish.word.scheme) }
    }

    /// Whose key seals signatures.
    private static let keeper = "agent-gateway"

    /// Makes a payment that was taken up, or finds out what came of it.
    func drive(_ id: String, correlation: String) async throws -> Payment {
        try await inHand.once(id) {
            guard let payment = try await maker.query({ $0.payments[id] }) else { throw EconomyError.notFound("payment \(id)") }
            guard payment.status == .unknown, !payment.awaitsDelivery else { return payment }
            switch payment.data.means {
            case "transfer": try await transfer(payment, correlation)
            case "chain": try await carryOut(payment, correlation)
            default: break
            }
            return try await maker.query { $0.payments[id] } ?? payment
        }
    }

    private func transfer(_ payment: Payment, _ correlation: String) async throws {
        let data = payment.data
        do {
            let moved = try await peers.call(
                "POST", .billing, "/v1/accounts/payments",
                json: .members([
                    "payer": .string("payer:" + (data.source ?? "")), "payee": .string("payer:" + (data.payee ?? "")),
                    "amount": payment.amount.json, "payment": .string(data.payment), "hold": data.hold.map { .string($0) },
                ]), key: data.payment)
            // A hold that ends with it comes first.
            guard let id = moved["events"]?.arrayValue?.last?["data"]?["id"]?.stringValue else { return }
            try await done(payment, transaction: id, correlation)
        } catch let error as PeerError where [402, 403, 404, 422].contains(error.status) {
            logger.warning("a payment was refused", ["payment": .string(data.payment), "error": .string("\(error)")])
            try await failed(payment, error.status == 404 ? "unknown_payee" : "insufficient_funds", correlation)
        } catch let error as PeerError {
            // Whether it was made is not known: it stays open, and is asked for again under the same name.
            logger.warning("a payment's outcome is not known yet", ["payment": .string(data.payment), "error": .string("\(error)")])
        }
    }

    private func carryOut(_ payment: Payment, _ correlation: String) async throws {
        guard let chain else { return }
        var word = payment.data.word
        if let sealed = payment.data.signature {
            guard let text = try await writings.text(sealed, by: Self.keeper) else {
                logger.warning("the signature of a payment is not there", ["payment": .string(payment.data.payment)])
                return
            }
            word.signature = String(decoding: text, as: UTF8.self)
        }
        let signed = try SignedWord(word)
        let id = payment.data.payment
        let outcome: ChainDesk.Outcome
        do {
            outcome = try await chain.carryOut(signed, known: payment.transaction) { hash in
                _ = try await decide(id, "sent-" + hash, correlation, PaymentRules.send(id, transaction: hash))
            }
        } catch let trouble as ChainNode.Trouble {
            logger.warning("a payment's outcome is not known yet", ["payment": .string(id), "error": .string("\(trouble)")])
            return
        }
        switch outcome {
        case .pending: return
        case .failed(let reason): try await failed(payment, reason, correlation)
        case .done(let transaction):
            if let payee = payment.data.payee { try await credit(payment, payee) }
            try await done(payment, transaction: transaction, correlation)
        }
    }

    /// What came in on the chain is the payee's here.
    private func credit(_ payment: Payment, _ payee: String) async throws {
        let word = payment.data.word
        _ = try await peers.call(
            "POST", .billing, "/v1/accounts/payer:\(payee)/deposits",
            json: [
                "amount": payment.amount.json, "rail": "x402", "reference": .string("\(word.chain)/\(word.from)/\(word.nonce)"),
            ], key: payment.data.payment + "-deposit")
    }

    func done(_ payment: Payment, transaction: String, _ correlation: String) async throws {
        let settled = PaymentSettled(payment: payment.data.payment, amount: payment.amount, transaction: transaction)
        _ = try await decide(payment.data.payment, "settle", correlation, PaymentRules.settle(settled))
    }

    func failed(_ payment: Payment, _ reason: String, _ correlation: String) async throws {
        let outcome = try await decide(
            payment.data.payment, "fail", correlation, PaymentRules.fail(payment.data.payment, reason: reason))
        // Whoever failed it before sets free what was held for it.
        if !outcome.facts.isEmpty { await release(payment.data.hold) }
    }

    private func decide(
        _ id: String, _ step: String, _ correlation: String, _ rule: @escaping DecisionMaker<EconomyState>.Rule
    ) async throws -> Outcome {
        try await maker.decide(SpendingDesk.cause(id, step), actor: Service.agentGateway.rawValue, correlation: correlation, rule)
    }

    // MARK: What a crash left

    /// Finds out, again and again, what came of payments whose outcome is not known; all of them in turn, however many there are.
    /// - Parameter hiring: hires for a payment whose caller did not come back.
    func run(hiring: @Sendable (Payment) async throws -> Void) async {
        var last = ""
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(2))
            let before = Timestamp(microseconds: clock().microseconds - 5_000_000)
            let start = last
            let open = try? await maker.query { state in
                let due = state.openPayments.filter { id in state.payments[id].map { $0.data.at < before } ?? false }.sorted()
                return (due.filter { $0 > start } + due.filter { $0 <= start }).prefix(50).compactMap { state.payments[$0] }
            }
            for payment in open ?? [] {
                let id = payment.data.payment
                last = id
                do { try await find(payment, hiring) } catch {
                    logger.warning("a payment's outcome is not known yet", ["payment": .string(id), "error": .string("\(error)")])
                }
            }
        }
    }
}

extension PaymentDesk {
    private func find(_ payment: Payment, _ hiring: @Sendable (Payment) async throws -> Void) async throws {
        let correlation = "payment-" + payment.data.payment
        if payment.data.means == "task" { return try await hiring(payment) }
        guard payment.awaitsDelivery else {
            _ = try await drive(payment.data.payment, correlation: correlation)
            return
        }
        // What was bought did not come, and its caller did not come back for it.
        if payment.data.at.microseconds + Self.making * 1_000_000 < clock().microseconds {
            try await failed(payment, "not_delivered", correlation)
        }
    }
}

/// Who comes for the same thing waits until whoever came before is done.
actor Turns {
    private var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]

    func begin(_ name: String) async {
        guard waiting[name] != nil else {
            waiting[name] = []
            return
        }
        await withCheckedContinuation { waiting[name]?.append($0) }
    }

    func end(_ name: String) {
        guard var others = waiting[name], !others.isEmpty else {
            waiting[name] = nil
            return
        }
        let next = others.removeFirst()
        waiting[name] = others
        next.resume()
    }
}

/// What must be asked before it is known whether a payment can be made is away.
struct PaymentTrouble: Error, Sendable, CustomStringConvertible {
    let why: String
    var description: String { why }
}

/// Payments that are being made: who asks for one of them again waits for the first.
actor PaymentsInHand {
    private var running: [String: Task<Payment, any Error>] = [:]

    func once(_ id: String, _ body: @escaping @Sendable () async throws -> Payment) async throws -> Payment {
        if let task = running[id] { return try await task.value }
        let task = Task { try await body() }
        running[id] = task
        defer { running[id] = nil }
        return try await task.value
    }
}
