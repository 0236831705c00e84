internal import AgentEconomyDomain
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import Telemetry
internal import Web

/// x402's seller: a listed service is bought by a request that carries its payment. A service with a model answers at once; any other is
/// hired, and the payment goes into the task's escrow.
struct SellerRoutes: Sendable {
    let maker: DecisionMaker<EconomyState>
    let desk: PaymentDesk
    let directory: ServiceDirectory
    let hiring: Hiring
    let writings: EconomyWritings
    let asking: AskModel
    let address: PublicAddress
    let turns = Turns()

    var routes: [Route] { [buy] }

    /// What is asked, of which service, with what payment.
    private struct Purchase: Sendable {
        let service: String
        /// Nil once the service is not offered any more: what was bought before is given again all the same.
        let resource: PaymentForms.Resource?
        let brief: String
        let signed: SignedPayment
        let terms: PaymentTerms
        let correlation: String
        var network: String { signed.x402 == 1 ? PaymentNetworks.oldName(terms.chain) : PaymentNetworks.name(terms.chain) }
    }

    private var buy: Route {
        Route(
            .post, "/x402/services/{service}", operation: "buyService",
            summary: "Buys a service by x402: 402 says what it costs; the same request with the payment is answered.", access: .public,
            headers: [
                ("PAYMENT-SIGNATURE", "The payment, x402 version 2: Base64 of JSON."), ("X-PAYMENT", "The payment, version 1."),
            ], body: .json(.object(.required("brief", .text(1...65_536), "What is wanted."))),
            replies: [.json(200, "What was bought.", .any), .json(402, "What it costs, or why a payment was not taken.", .any)],
            problems: [
                .notFound, .badHeader, .unavailable, .conflict, EconomyProblems.unsellable, EconomyProblems.invalid,
                EconomyProblems.state,
            ]
        ) { context in try await answer(context) }
    }

    private func answer(_ context: RequestContext) async throws -> Response {
        let id = context.path["service"]
        let entry = try await directory.entry(id)
        let resource = entry.map { PaymentForms.resource($0, desk.networks, base: address.base(context.request)) }
        let headers = context.request.headers
        guard let header = headers["PAYMENT-SIGNATURE"] ?? headers["X-PAYMENT"] else {
            return PaymentForms.required(try Self.offered(id, resource))
        }
        let name = headers["PAYMENT-SIGNATURE"] == nil ? "X-PAYMENT" : "PAYMENT-SIGNATURE"
        let signed: SignedPayment
        do throws(PaymentError) {
            guard let bytes = Base64.decode(header), let json = try? JSON.parse(bytes) else {
                throw PaymentError.malformed("it must be Base64 of JSON")
            }
            signed = try SignedPayment(json)
        } catch { throw Problem(.badHeader, error.description, field: name) }
        let brief = try context.decode { try $0.object().string("brief", bytes: 1...65_536) }
        func purchase(_ terms: PaymentTerms) -> Purchase {
            Purchase(service: id, resource: resource, brief: brief, signed: signed, terms: terms, correlation: context.trace.traceID)
        }
        do {
            // What was paid for comes first: it is given again whatever is offered now, and never paid twice.
            if let known = try await maker.query({ signed.known($0) }) { return try await again(purchase(known.terms)) }
            let resource = try Self.offered(id, resource)
            guard let terms = Self.terms(signed, resource) else { throw PaymentError.terms("the payment is for none of what is offered") }
            return try await sell(purchase(terms), resource.entry)
        } catch let error as PaymentError {
            if case .named = error { throw Problem(.conflict, error.description, field: name) }
            if case .malformed = error { throw Problem(.badHeader, error.description, field: name) }
            guard let resource else { throw EconomyError.notFound("service \(id)") }
            return refused(error, resource, payer: nil, network: signed.network, version: signed.x402)
        } catch let trouble as PaymentTrouble { throw trouble.problem }
    }

    private static func offered(_ id: String, _ resource: PaymentForms.Resource?) throws -> PaymentForms.Resource {
        guard let resource else { throw EconomyError.notFound("service \(id)") }
        guard !resource.offers.isEmpty else {
            throw Problem(
                EconomyProblems.unsellable, "the service \(id) costs \(resource.entry.listed.price), which is not taken by x402 here")
        }
        return resource
    }

    /// The offer that was taken.
    private static func terms(_ signed: SignedPayment, _ resource: PaymentForms.Resource) -> PaymentTerms? {
        let chain = PaymentNetworks.chain(signed.network)
        return resource.offers.first { offer in
            guard offer.scheme == signed.scheme, offer.chain == chain else { return false }
            guard let accepted = signed.accepted else { return true }
            return accepted.asset == offer.asset && accepted.payTo == offer.payTo && accepted.amount == offer.amount
        }
    }

    private func refused(
        _ error: PaymentError, _ resource: PaymentForms.Resource, payer: String?, network: String, version: Int
    ) -> Response {
        var response = PaymentForms.required(resource, because: error.code)
        let settlement = PaymentForms.refusal(error, payer: payer, network: network)
        response.headers.set(version == 1 ? "X-PAYMENT-RESPONSE" : "PAYMENT-RESPONSE", Base64.encode(JSON.write(settlement)))
        return response
    }

    // MARK: Selling

    private func sell(_ purchase: Purchase, _ entry: ServiceDirectory.Entry) async throws -> Response {
        let listed = entry.listed
        var checked = try desk.check(
            purchase.signed, purchase.terms, payee: purchase.terms.chain == desk.networks.chain ? nil : listed.provider,
            service: listed.service)
        let key = Payment.key(checked.wish.word)
        // The same twice at once is one purchase. On a chain nothing can be reserved: there a payer buys one thing after another.
        let turn = checked.wish.means == "chain" ? checked.wish.word.from : key
        await turns.begin(turn)
        do {
            let word = checked.wish.word
            let response: Response
            if try await maker.query({ $0.payment(word) != nil }) {
                response = try await give(purchase)
            } else {
                checked.wish.model = entry.page.model
                if entry.page.model == nil { checked.wish.means = "task" }
                let source = try await desk.verify(checked)
                checked.wish.brief = try await writings.put(Array(purchase.brief.utf8), by: listed.provider, as: "x402-brief:" + key)
                response = try await take(checked, from: source, purchase)
            }
            await turns.end(turn)
            return response
        } catch {
            await turns.end(turn)
            throw error
        }
    }

    /// Takes a payment up, its money reserved, before anything is made for it.
    private func take(_ checked: PaymentDesk.Checked, from source: String?, _ purchase: Purchase) async throws -> Response {
        var checked = checked
        if let source { checked.wish.hold = try await desk.reserve(checked.wish, from: source) }
        let id: String
        do { id = try await desk.open(checked, correlation: purchase.correlation) } catch {
            await desk.release(checked.wish.hold)
            throw error
        }
        guard let payment = try await maker.query({ $0.payments[id] }) else { throw EconomyError.notFound("payment \(id)") }
        return try await go(payment, purchase)
    }

    /// A payment that came before: what it bought is given again, to whom asks for the same.
    private func again(_ purchase: Purchase) async throws -> Response {
        let word = try purchase.signed.word(for: purchase.terms)
        let turn = PaymentNetworks.name(purchase.terms.chain) == PaymentNetworks.name(desk.networks.chain) ? Payment.key(word) : word.from
        await turns.begin(turn)
        do {
            let response = try await give(purchase)
            await turns.end(turn)
            return response
        } catch {
            await turns.end(turn)
            throw error
        }
    }

    /// The word alone opens nothing: on a chain everybody reads it. Who asks again knows what was asked.
    private func give(_ purchase: Purchase) async throws -> Response {
        let signed = try SignedWord(try purchase.signed.word(for: purchase.terms))
        guard signed.isSigned else { throw PaymentError.signature(scheme: purchase.terms.scheme) }
        guard let known = try await maker.query({ $0.payment(signed.word) }), known.data.word.unsigned == signed.word.unsigned,
            known.data.service == purchase.service, let brief = known.data.brief, let provider = known.data.payee,
            let asked = try await writings.text(brief, by: provider), asked == Array(purchase.brief.utf8)
        else { throw PaymentError.used(scheme: purchase.terms.scheme) }
        return try await go(known, purchase)
    }

    /// Makes what a payment buys, if that is not made yet, has it paid, and gives it.
    private func go(_ payment: Payment, _ purchase: Purchase) async throws -> Response {
        let id = payment.data.payment
        if payment.status == .unknown, payment.data.means == "task" {
            return try await delivered(try await hire(payment, purchase.brief, purchase.signed, purchase.correlation), purchase)
        }
        // To its end, whether its buyer is still there or not: the same request again is given what was bought.
        let paid = try await Task {
            if payment.status == .unknown, payment.awaitsDelivery { try await make(payment, purchase) }
            return try await desk.drive(id, correlation: purchase.correlation)
        }.value
        return try await delivered(paid, purchase)
    }

    private func make(_ payment: Payment, _ purchase: Purchase) async throws {
        let id = payment.data.payment
        guard let entry = purchase.resource?.entry, let model = entry.page.model, let provider = payment.data.payee else {
            try await desk.failed(payment, "not_delivered", purchase.correlation)
            return
        }
        do {
            let said = try await ask(model, entry.page.maximumTokens, provider, purchase, for: id)
            let price = PaymentRules.price(
                of: payment.data.amount, scheme: payment.data.word.scheme, tokens: Int(said["output_tokens"]?.intValue ?? 0),
                most: entry.page.maximumTokens, isCut: said["cut"]?.boolValue == true)
            // What is sold at a fixed price is sold whole: who was to pay keeps the money.
            guard let amount = price else { return try await desk.failed(payment, PaymentRules.answerCut, purchase.correlation) }
            let delivery = try await writings.put(JSON.write(said), by: provider, as: "x402:" + id)
            try await desk.deliver(id, delivery, amount, correlation: purchase.correlation)
        } catch let error as EconomyError {
            // Its mandate ended while it was made: it has failed already, and is told so.
            if try await maker.query({ $0.payments[id]?.status }) == .failed { return }
            throw try await refuse(payment, error, purchase.correlation)
        } catch let problem as Problem
            where (400..<500).contains(problem.status) && problem.status != 429 && problem.type.code != ProblemType.commandInFlight.code
        {
            // It will not be made: the payer keeps what was reserved.
            try await desk.failed(payment, "not_delivered", purchase.correlation)
            throw problem
        }
    }

    /// Asks in the provider's name, once for each payment: what was answered before a crash is what is delivered after it.
    private func ask(
        _ model: String, _ most: Int, _ provider: String, _ purchase: Purchase, for payment: String
    ) async throws -> JSONValue {
        let caller = Caller(
            subject: provider, issuer: NamedQuestion.sellers, kind: .agent, scopes: ["inferences:write", "inferences:read"])
        return try await asking(
            ModelQuestion(
                caller: caller, model: model, prompt: purchase.brief, maximumTokens: most, mandate: nil, approval: nil,
                key: NamedQuestion.key(of: payment), correlation: purchase.correlation))
    }

    /// Hires for a payment whose caller did not come back.
    func hireFor(_ payment: Payment) async throws {
        guard let brief = payment.data.brief, let provider = payment.data.payee,
            let text = try await writings.text(brief, by: provider)
        else { return try await desk.failed(payment, "not_delivered", "payment-" + payment.data.payment) }
        do {
            _ = try await hire(payment, String(decoding: text, as: UTF8.self), nil, "payment-" + payment.data.payment)
        } catch  where Self.isRefusal(error) {}
    }

    private static func isRefusal(_ error: any Error) -> Bool { error is PaymentError || error is EconomyError }

    /// A payment comes to nothing by what the rules say: the payer's mandates, or of the work itself.
    /// - Returns: what is answered.
    private func refuse(_ payment: Payment, _ error: EconomyError, _ correlation: String) async throws -> any Error {
        let refusal = PaymentError.refusal(error)
        try await desk.failed(payment, refusal?.code ?? "not_delivered", correlation)
        return refusal ?? error
    }

    private func hire(_ payment: Payment, _ brief: String, _ signed: SignedPayment?, _ correlation: String) async throws -> Payment {
        let id = payment.data.payment
        guard let payer = payment.data.payer, let service = payment.data.service else { throw EconomyError.notFound("payment \(id)") }
        let caller = Caller(subject: payer, issuer: "openledger", kind: .agent, scopes: ["agents:write"])
        // What was signed for is what is paid, whatever the service costs by now.
        let wish = Hiring.Wish(
            service: service, brief: brief, mandate: signed?.mandate, approval: signed?.approval, amount: payment.data.amount)
        do {
            let hired = try await hiring.hire(
                wish, caller: caller, key: try IdempotencyKey("\"x402-" + id + "\""),
                body: ["brief": .string(brief), "payment": .string(id)], correlation: correlation)
            try await desk.done(payment, transaction: hired.task.task, correlation)
        } catch let error as EconomyError {
            throw try await refuse(payment, error, correlation)
        } catch let problem as Problem where problem.status == 402 {
            try await desk.failed(payment, "insufficient_funds", correlation)
            throw PaymentError.insufficient(problem.detail)
        }
        return try await maker.query { $0.payments[id] } ?? payment
    }

    /// The answer, with what came of the payment.
    private func delivered(_ payment: Payment, _ purchase: Purchase) async throws -> Response {
        let settlement = Base64.encode(JSON.write(PaymentForms.settlement(payment, network: purchase.network)))
        let header = purchase.signed.x402 == 1 ? "X-PAYMENT-RESPONSE" : "PAYMENT-RESPONSE"
        switch payment.status {
        case .settled: return .json(try await bought(payment), headers: [header: settlement])
        case .failed:
            guard let resource = purchase.resource else { throw EconomyError.notFound("service \(purchase.service)") }
            var response = PaymentForms.required(resource, because: payment.reason)
            response.headers.set(header, settlement)
            return response
        case .unknown:
            // Not 402: who signs anew would pay twice. The same request, later, is answered by what came of it.
            let problem = Problem(
                .unavailable, "the payment is on its way: send the same again, or ask GET /x402/payments/\(payment.data.payment)",
                members: [("payment", .string(payment.data.payment)), ("status", "UNKNOWN")],
                headers: ["Retry-After": "2", header: settlement])
            throw problem
        }
    }

    private func bought(_ payment: Payment) async throws -> JSONValue {
        if payment.data.means == "task", let id = payment.transaction, let task = try await maker.query({ $0.tasks[id] }) {
            return ["payment": .string(payment.data.payment), "task": task.view]
        }
        guard let delivery = payment.delivery, let provider = payment.data.payee,
            let text = try await writings.text(delivery, by: provider)
        else { throw EconomyError.notFound("delivery of \(payment.data.payment): its writer had it erased") }
        return ["payment": .string(payment.data.payment), "delivery": try JSON.parse(text)]
    }
}
