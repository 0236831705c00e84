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

    var routes: [Route] { [buy] }

    /// What is asked, of which service, with what payment.
    private struct Purchase: Sendable {
        let resource: PaymentForms.Resource
        let brief: String
        let signed: SignedPayment
        let terms: PaymentTerms
        let correlation: String
        var listed: ServiceListed { resource.entry.listed }
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
                .notFound, .badHeader, .unavailable, .conflict, EconomyProblems.unsellable,
            ]
        ) { context in try await answer(context) }
    }

    private func answer(_ context: RequestContext) async throws -> Response {
        let id = context.path["service"]
        guard let entry = try await directory.entry(id) else { throw EconomyError.notFound("service \(id)") }
        let resource = PaymentForms.resource(entry, desk.networks, base: address.base(context.request))
        guard !resource.offers.isEmpty else {
            throw Problem(EconomyProblems.unsellable, "the service \(id) costs \(entry.listed.price), which is not taken by x402 here")
        }
        let headers = context.request.headers
        guard let header = headers["PAYMENT-SIGNATURE"] ?? headers["X-PAYMENT"] else { return PaymentForms.required(resource) }
        let name = headers["PAYMENT-SIGNATURE"] == nil ? "X-PAYMENT" : "PAYMENT-SIGNATURE"
        let signed: SignedPayment
        do throws(PaymentError) {
            guard let bytes = Base64.decode(header), let json = try? JSON.parse(bytes) else {
                throw PaymentError.malformed("it must be Base64 of JSON")
            }
            signed = try SignedPayment(json)
        } catch { throw Problem(.badHeader, error.description, field: name) }
        let brief = try context.decode { try $0.object().string("brief", bytes: 1...65_536) }
        guard let terms = Self.terms(signed, resource) else {
            return refused(
                .terms("the payment is for none of what is offered"), resource, payer: nil, network: signed.network, version: signed.x402)
        }
        let purchase = Purchase(resource: resource, brief: brief, signed: signed, terms: terms, correlation: context.trace.traceID)
        do { return try await sell(purchase) } catch let error as PaymentError {
            if case .named = error { throw Problem(.conflict, error.description, field: name) }
            if case .malformed = error { throw Problem(.badHeader, error.description, field: name) }
            return refused(error, resource, payer: nil, network: purchase.network, version: signed.x402)
        } catch let trouble as PaymentTrouble { throw trouble.problem }
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

    private func sell(_ purchase: Purchase) async throws -> Response {
        let listed = purchase.listed
        var checked = try desk.check(
            purchase.signed, purchase.terms, payee: purchase.terms.chain == desk.networks.chain ? nil : listed.provider,
            service: listed.service)
        let word = checked.wish.word
        if let known = try await maker.query({ $0.payment(word) }) { return try await again(known, checked, purchase) }
        guard let model = purchase.resource.entry.page.model else {
            checked.wish.means = "task"
            try await desk.verify(checked)
            let id = try await desk.open(checked, correlation: purchase.correlation)
            return try await hire(id, purchase)
        }
        // As x402 has it: it is looked whether the payment is good, the answer is made, the payment is made, the answer is given.
        try await desk.verify(checked)
        let (text, units) = try await ask(model, purchase)
        checked.wish.delivery = try await writings.put(text, by: listed.provider, as: "x402:" + SHA256.hash(utf8: Payment.key(word)).hex)
        if purchase.terms.scheme == "upto" { checked.wish.amount = Amount(units, listed.price.asset) }
        let payment = try await desk.settle(checked, correlation: purchase.correlation)
        return try await delivered(payment, purchase)
    }

    /// A payment that came before: what it bought is given again, to whom asks for the same.
    private func again(_ known: Payment, _ checked: PaymentDesk.Checked, _ purchase: Purchase) async throws -> Response {
        guard known.data.word == checked.wish.word, known.data.service == purchase.listed.service else {
            throw PaymentError.used(scheme: purchase.terms.scheme)
        }
        if known.data.means == "task", known.status == .unknown { return try await hire(known.data.payment, purchase) }
        return try await delivered(try await desk.drive(known.data.payment, correlation: purchase.correlation), purchase)
    }

    private func ask(_ model: String, _ purchase: Purchase) async throws -> (text: [UInt8], units: Int128) {
        let page = purchase.resource.entry.page
        let provider = Caller(
            subject: purchase.listed.provider, issuer: "openledger", kind: .agent, scopes: ["inferences:write", "inferences:read"])
        let said = try await asking(
            ModelQuestion(
                caller: provider, model: model, prompt: purchase.brief, maximumTokens: page.maximumTokens, mandate: nil, approval: nil,
                correlation: purchase.correlation))
        // The price is for the longest answer; `upto` takes the part of it that came, rounded up.
        let tokens = Int128(said["output_tokens"]?.intValue ?? 0)
        let price = purchase.listed.price.units
        let most = Int128(page.maximumTokens)
        return (JSON.write(said), min(price, max(1, (price * tokens + most - 1) / most)))
    }

    private func hire(_ id: String, _ purchase: Purchase) async throws -> Response {
        guard let payment = try await maker.query({ $0.payments[id] }), let payer = payment.data.payer else {
            throw EconomyError.notFound("payment \(id)")
        }
        let caller = Caller(subject: payer, issuer: "openledger", kind: .agent, scopes: ["agents:write"])
        let wish = Hiring.Wish(service: purchase.listed.service, brief: purchase.brief, mandate: purchase.signed.mandate)
        do {
            let hired = try await hiring.hire(
                wish, caller: caller, key: try IdempotencyKey("\"x402-" + id + "\""),
                body: ["brief": .string(purchase.brief), "payment": .string(id)], correlation: purchase.correlation)
            try await desk.done(payment, transaction: hired.task.task, purchase.correlation)
        } catch let error as EconomyError {
            try await desk.failed(payment, "mandate_refuses", purchase.correlation)
            throw PaymentError.mandate(error.description)
        } catch let problem as Problem where problem.status == 402 {
            try await desk.failed(payment, "insufficient_funds", purchase.correlation)
            throw PaymentError.insufficient(problem.detail)
        }
        return try await delivered(try await maker.query { $0.payments[id] } ?? payment, purchase)
    }

    /// The answer, with what came of the payment.
    private func delivered(_ payment: Payment, _ purchase: Purchase) async throws -> Response {
        let settlement = Base64.encode(JSON.write(PaymentForms.settlement(payment, network: purchase.network)))
        let header = purchase.signed.x402 == 1 ? "X-PAYMENT-RESPONSE" : "PAYMENT-RESPONSE"
        switch payment.status {
        case .settled:
            let json = try await bought(payment, purchase)
            return .json(json, headers: [header: settlement])
        case .failed:
            var response = PaymentForms.required(purchase.resource, because: payment.reason)
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

    private func bought(_ payment: Payment, _ purchase: Purchase) async throws -> JSONValue {
        if payment.data.means == "task", let id = payment.transaction, let task = try await maker.query({ $0.tasks[id] }) {
            return ["payment": .string(payment.data.payment), "task": task.view]
        }
        guard let delivery = payment.data.delivery, let text = try await writings.text(delivery, by: purchase.listed.provider) else {
            throw EconomyError.notFound("delivery of \(payment.data.payment): its writer had it erased")
        }
        return ["payment": .string(payment.data.payment), "delivery": try JSON.parse(text)]
    }
}
