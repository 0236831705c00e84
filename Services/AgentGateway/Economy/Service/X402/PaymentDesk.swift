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
            identifier: try payment.identifier, mandate: payment.mandate)
        return Checked(signed: signed, wish: wish, terms: terms)
    }

    /// Whether it would be taken up now: nothing is changed.
    func verify(_ checked: Checked) async throws {
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
            do { try await chain?.check(checked.signed) } catch let trouble as ChainNode.Trouble { throw Self.unavailable("\(trouble)") }
        } else if wish.means == "transfer", let source = opened?.source {
            try await covers(source, wish.amount)
        }
    }

    /// Gas is this house's: it is spent for what is bought here, and for principals that are here.
    private func mayCarryOut(_ checked: Checked) async throws {
        if checked.wish.payee != nil { return }
        let to = checked.signed.to.description
        guard try await maker.query({ $0.wallets[to] != nil }) else { throw PaymentError.unknownPayee(to) }
    }

    private func covers(_ payer: String, _ amount: Amount) async throws {
        let account: JSONValue
        do { account = try await peers.call("GET", .billing, "/v1/accounts/payer:" + payer) } catch let error as PeerError {
            if error.status == 404 { throw PaymentError.insufficient("\(payer) has no account") }
            throw Self.unavailable("\(error)")
        }
        let available = account["assets"]?.arrayValue?.lazy.compactMap { $0["available"] }.first {
            $0["asset"]?.stringValue == amount.asset.text
        }
        guard let units = available?["amount"]?.stringValue.flatMap({ Int128($0) }), units >= amount.units else {
            throw PaymentError.insufficient("the balance of \(payer) does not cover \(amount)")
        }
    }

    static func unavailable(_ why: String) -> PaymentTrouble { PaymentTrouble(why: why) }

    // MARK: Paying

    /// Takes a payment up and makes it. The same again gives what came of it; its nonce for something else is refused.
    func settle(_ checked: Checked, correlation: String) async throws -> Payment {
        if checked.wish.means == "chain" { try await mayCarryOut(checked) }
        let id = try await open(checked, correlation: correlation)
        return try await drive(id, correlation: correlation)
    }

    /// - Returns: the payment's id.
    func open(_ checked: Checked, correlation: String) async throws -> String {
        let wish = checked.wish
        let known = try await maker.query { $0.payment(wish.word) }
        if let known {
            guard known.data.word == wish.word, known.data.service == wish.service, known.data.amount == wish.amount else {
                throw PaymentError.used(scheme: wish.word.scheme)
            }
            return known.data.payment
        }
        let name = "x402-" + SHA256.hash(utf8: Payment.key(wish.word)).hex
        let same = SHA256.hash(try JSON.canonical(.members(["word": wish.word.json, "service": wish.service.map { .string($0) }])))
        let actor = try await maker.query { $0.wallets[wish.word.from] } ?? Service.agentGateway.rawValue
        do {
            let outcome = try await maker.decide(
                .command(id: name, digest: same), actor: actor, correlation: correlation, PaymentRules.open(wish))
            return try outcome.first(PaymentOpened.self).payment
        } catch DecisionError.conflict { throw PaymentError.used(scheme: wish.word.scheme) }
    }

    /// Makes a payment that was taken up, or finds out what came of it.
    func drive(_ id: String, correlation: String) async throws -> Payment {
        try await inHand.once(id) {
            guard let payment = try await maker.query({ $0.payments[id] }) else { throw EconomyError.notFound("payment \(id)") }
            guard payment.status == .unknown else { return payment }
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
                json: [
                    "payer": .string("payer:" + (data.source ?? "")), "payee": .string("payer:" + (data.payee ?? "")),
                    "amount": data.amount.json, "payment": .string(data.payment),
                ], key: data.payment)
            guard let id = moved["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue else { return }
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
        let signed = try SignedWord(payment.data.word)
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
                "amount": payment.data.amount.json, "rail": "x402", "reference": .string("\(word.chain)/\(word.from)/\(word.nonce)"),
            ], key: payment.data.payment + "-deposit")
    }

    func done(_ payment: Payment, transaction: String, _ correlation: String) async throws {
        let settled = PaymentSettled(payment: payment.data.payment, amount: payment.data.amount, transaction: transaction)
        _ = try await decide(payment.data.payment, "settle", correlation, PaymentRules.settle(settled))
    }

    func failed(_ payment: Payment, _ reason: String, _ correlation: String) async throws {
        _ = try await decide(payment.data.payment, "fail", correlation, PaymentRules.fail(payment.data.payment, reason: reason))
    }

    private func decide(
        _ id: String, _ step: String, _ correlation: String, _ rule: @escaping DecisionMaker<EconomyState>.Rule
    ) async throws -> Outcome {
        try await maker.decide(SpendingDesk.cause(id, step), actor: Service.agentGateway.rawValue, correlation: correlation, rule)
    }

    // MARK: What a crash left

    /// Finds out, again and again, what came of payments whose outcome is not known.
    func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(2))
            let before = Timestamp(microseconds: clock().microseconds - 5_000_000)
            let open = try? await maker.query { state in
                state.openPayments.filter { id in
                    state.payments[id].map { $0.data.at < before && $0.data.means != "task" } ?? false
                }.sorted().prefix(50)
            }
            for id in open ?? [] {
                do { _ = try await drive(id, correlation: "payment-" + id) } catch {
                    logger.warning("a payment's outcome is not known yet", ["payment": .string(id), "error": .string("\(error)")])
                }
            }
        }
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
